"""Names without a model: what is found, what is known to be missed, what is left alone."""

from __future__ import annotations

import pytest

from acequia.protect.person_names import find_names, listed
from acequia.protect.scrub import scrub_texts
from acequia.simulate.leaks import leaked
from acequia.simulate.people import Population
from acequia.simulate.shape import mention


def marked(text: str) -> str:
    """The text with every name in brackets; overlapping ones as one."""
    merged: list[list[int]] = []
    for start, end, score in sorted(find_names(text)):
        assert 0 < score <= 1
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    for start, end in reversed(merged):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


@pytest.mark.parametrize(
    "expected",
    [
        # a listed name with what belongs to it, in any case
        "[Kagiso Mobokwanelo] called",
        "spoke with [kagiso mobokwanelo] yesterday",
        "customer [KAGISO MOBOKWANELO] wants a copy",
        "[Mobokwanelo, Kagiso]",
        "[mobokwanelo, kagiso]",
        "[MOBOKWANELO KAGISO] called",
        "[Ana María de la Cruz Pérez] pagó",
        "pagó [ana maria perez]",
        "visita de [Ana-María]",
        "[José] no contesta",
        "[Jose] no contesta",
        "[T. Molefe] signed",
        "[J. R. Pérez] firmó",
        "[O’Brien] paid",
        "[kagiso.mobokwanelo] logged in",
        "[kagiso_mobokwanelo]",
        "[Grace Molefe] paid",
        "[Rosa Pérez] paga",
        # what stands before
        "mr [mobokwanelo] called",
        "Sra. [Quintela] no contesta",
        "Mma [Zzaneng] is here",
        "Dr. [Zzaneng] is here",
        "asked for [Zzaneng]",
        "Spoke to [Zzaneng] on Monday",
        "hablé con [Zzuárez] ayer",
        "a nombre de [Zzuárez]",
        "Estimada [Zzuárez], gracias",
        "name: [zz yy]",
        '{"nombre": "[zz yy]", "x": 1}',
        "first_name=[Zz]",
        # two capitalised words, listed or not
        "left with [Zzaneng Yyolo] at noon",
        "[Zzaneng van der Yyolo]",
    ],
)
def test_found(expected: str) -> None:
    assert marked(expected.replace("[", "").replace("]", "")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "line restored",
        "noise on the line since Tuesday",
        "Moved to the Family Plan",
        "asked for roaming prices",
        "Grace period ended",
        "will call again in May",
        "paid in cash, thanks",
        "CLIENTE NO CONTESTA",
        "entregado en mostrador",
        "Promoción del martes",
        "una ida y vuelta",
        "sol y mar",
        "duran mucho las flores blancas",
        "Llamar mañana",
        "Hola, gracias",
        "",
        "123",
        "Dr",
        "name:",
    ],
)
def test_left_alone(text: str) -> None:
    assert marked(text) == text


@pytest.mark.parametrize("text", ["zzaneng paid", "Zzaneng paid", "left with zzaneng yyolo"])
def test_known_to_be_missed(text: str) -> None:
    """An unlisted name, alone or in lower case, with nothing before it: the reason to prefer dropping free text."""
    assert marked(text) == text


def test_lists_are_written_as_they_are_compared() -> None:
    from acequia.protect.person_names import FOLDER, plain

    for path in FOLDER.glob("*_*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines == sorted(set(lines)), path.name
        assert all(line.removesuffix(" ?") == plain(line.removesuffix(" ?")) for line in lines), path.name
        assert len(lines) > 300
    assert not listed().sure & listed().words


@pytest.mark.parametrize(("country", "language"), [("BW", "en"), ("UY", "es")])
def test_simulated_people_are_not_recognised_any_more(country: str, language: str) -> None:
    population = Population(7, "a_partner", country)  # type: ignore[arg-type]
    people = [population.person(number) for number in range(40)]
    for number, person in enumerate(people):
        texts = [mention(person, way, number + way) for way in range(5)]
        scrubbed = scrub_texts(texts, language=language, country=country)
        assert leaked("\n".join(scrubbed).encode(), [person]) == []
        assert all(text != "<REDACTED>" for text in scrubbed)


@pytest.mark.parametrize(("country", "language"), [("BW", "en"), ("UY", "es")])
def test_every_way_of_writing_a_persons_numbers_is_found(country: str, language: str) -> None:
    population = Population(11, "a_partner", country)  # type: ignore[arg-type]
    for number in range(12):
        person = population.person(number)
        forms = (*person.phone_forms(), *person.id_forms(), person.email, person.imei)
        scrubbed = scrub_texts([f"see {form} please" for form in forms], language=language, country=country)
        assert [text for text in scrubbed if not text.startswith("see <") or not text.endswith("> please")] == []
