"""What the ledger says in English is told in Spanish: every reason for a refusal, every check, every proof."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from acequia.agreement.load import load
from acequia.deletion import DESTROYED, GONE, HELD, SHARED
from acequia.errors import CODES, REFUSED
from acequia.flow import Count, DeliveryId, Protected, RuleOutcome
from acequia.protect.leaks import WORDS as KINDS
from acequia.validate.history_words import EN, ES
from acequia.validate.suite import compiled, measures
from acequia.validate.written import KNOWN
from acequia.words.figures import Figures, figure, percent
from acequia.words.names import NAMES
from acequia.words.pairs import PAIRS
from acequia.words.reasons import rule, told

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "plugins" / "acequia"
# Blanks that are one of a few words, with one that stands for all.
WORDS = {"_mega(read)": "less than 1 MB", "_places(error)": "the manifest: Field required",
         "_places_of(absent, manifest)": "number 1, 2 of 3 in the manifest",
         "_places_of(differ, manifest)": "number 7 of 8 in the manifest"}  # fmt: skip


def sample(node: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Texts that an expression may be, with 7 for each blank; one that is passed in is said where it comes from."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        texts = [""]
        for part in node.values:
            if isinstance(part, ast.Constant):
                said = [str(part.value)]
            else:
                assert isinstance(part, ast.FormattedValue)
                said = list(blank(part.value, names))
            texts = [text + more for text in texts for more in said]
        yield from texts
    elif isinstance(node, ast.Name):
        for value in names.get(node.id, ()):
            yield from sample(value, names)
    elif isinstance(node, ast.IfExp):
        yield from sample(node.body, names)
        yield from sample(node.orelse, names)


def blank(node: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[str]:
    written = ast.unparse(node)
    if written in WORDS:
        yield WORDS[written]
    elif isinstance(node, ast.Name) and node.id in names and (found := list(sample(node, names))):
        yield from found
    else:
        yield "7"


def reasons() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = {n.id: [s.value] for s in tree.body if isinstance(s, ast.Assign) for n in s.targets
               if isinstance(n, ast.Name)}  # fmt: skip
        for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
            names = dict(top)
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    names.setdefault(node.targets[0].id, [])
                    names[node.targets[0].id] = [*names[node.targets[0].id], node.value]
            for call in ast.walk(function):
                yield from ((path.name, text) for text in said_by(call, names))


def said_by(call: ast.AST, names: dict[str, list[ast.expr]]) -> Iterator[str]:
    if not isinstance(call, ast.Call) or not call.args:
        return
    code = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
    if code in CODES and CODES[str(code)].exit_code == REFUSED and len(call.args) > 1:
        yield from sample(call.args[1], names)
    if isinstance(call.func, ast.Name) and call.func.id in ("UnsoundError", "_says"):
        yield from sample(call.args[0], names)


# What is looped over: `returning` counts rows of each.
LOOPED = {"7 7": ("7 number(s) of a row stand twice", "7 row(s) were not set aside")}
REASONS = sorted({(place, one) for place, text in reasons() for one in LOOPED.get(text, (text,))})


def test_the_reasons_are_found() -> None:
    assert len(REASONS) > 85


@pytest.mark.parametrize(("place", "text"), REASONS)
def test_every_reason_for_a_refusal_has_its_spanish(place: str, text: str) -> None:
    text = text.replace("{row}", "7")
    assert told(text, "es") != text
    assert told(f"file 1 of 2: {text}", "es") == f"archivo 1 de 2: {told(text, 'es')}"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0][:60])
def test_both_languages_have_the_same_blanks(pair: tuple[str, str]) -> None:
    english, spanish = (re.findall(r"\{[^}]*\}", text) for text in pair)
    assert sorted(english) == sorted(spanish) and len(set(english)) == len(english)


def test_every_check_has_its_name() -> None:
    names = {english for english, _ in NAMES}
    assert set(KNOWN) <= names
    assert set(KINDS.values()) <= names
    assert len(names) == len(NAMES) == len({spanish for _, spanish in NAMES})


@pytest.mark.parametrize("path", sorted((PROJECT / "config" / "partners").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_check_of_an_agreement_is_told(path: Path) -> None:
    for name, feed in load(path).agreement.feeds.items():
        delivery = DeliveryId(partner=path.stem, feed=name, period="2026-11-16", version=1)
        rules = tuple(RuleOutcome(rule=rule, column="x", rows_failing=3) for rule in ("type", "duplicate"))  # type: ignore[arg-type]
        count = Count(rows_in=12000, rows_out=11997, set_aside={"type": 3})
        protected = Protected.model_construct(delivery=delivery, count=count, rules=rules, path="x")
        for says in (*(one.describe for one in compiled(feed)), *(one.describe for one in measures(protected, feed))):
            said = told(f"some_column: {says}; 1234 are not", "es")
            assert said == f"some_column: {told(says, 'es')}; 1.234 no lo cumplen"
            assert told(says, "es") != says, says


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        (
            "3 of 40 checks failed: fare: expect_column_values_to_be_between (12345 rows); rows: rows_between; "
            "n: gate:null (2 rows)",
            "fallaron 3 de 40 controles: fare: rango de los valores (12.345 filas); filas: cantidad de filas; "
            "n: vacía (2 filas)",
        ),
        (
            "the delivery exceeds what is agreed (1,234,567 bytes)",
            "la entrega pasa de lo acordado (1.234.567 bytes)",
        ),
        (
            "columns that are kept hold personal data: note: names of people in 3 of 1000 rows; ref: bank accounts in "
            "7 of 90 rows",
            "columnas que se conservan tienen datos personales: note: nombres de personas en 3 de 1.000 filas; ref: "
            "cuentas bancarias en 7 de 90 filas",
        ),
        ("all rows: 12 rows arrived; 500 to 2000000 agreed",
         "todas las filas: llegaron 12 filas; se acordaron de 500 a 2.000.000"),
        ("kind: “call” in 12.5 % of the rows, where 80.0 % is usual (8 earlier deliveries); empty in 9.9 % of the "
         "rows, where 0.1 % is usual (8 earlier deliveries)",
         "kind: «call» en el 12,5 % de las filas, cuando lo habitual es el 80,0 % (8 entregas anteriores); vacía en el "
         "9,9 % de las filas, cuando lo habitual es el 0,1 % (8 entregas anteriores)"),
        ("fare: mean fare in pula, not in thebe", "fare: mean fare in pula, not in thebe"),
    ],
)  # fmt: skip
def test_a_sentence_is_told_in_the_readers_words_and_marks(english: str, spanish: str) -> None:
    assert told(english, "es") == spanish
    assert told(told(english, "en"), "es") == spanish


def test_english_gets_its_marks_and_keeps_its_words() -> None:
    assert told("all rows: 12 rows arrived; 500 to 2000000 agreed", "en") == (
        "all rows: 12 rows arrived; 500 to 2,000,000 agreed"
    )
    for english, _ in PAIRS:
        plain = re.sub(r"\{\w+\}|\{\w+:t\}|\{\w+:l\}", "x", re.sub(r"\{\w+:d\}", "7", english))
        plain = re.sub(r"\{\w+:w\}", "less than 1 MB", plain)
        assert told(plain, "en") == plain


def test_what_is_said_of_history_is_told_in_both_languages() -> None:
    for key, size in (("more", "40"), ("fewer", "40"), ("", "")):
        english, spanish = (
            words["volume"].format(
                rows="7", usual="12", size=words[key].format(pct=size) if key else "", likes=4
            )
            for words in (EN, ES)
        )  # fmt: skip
        assert (told(english, "es"), told(spanish, "en")) == (spanish, english)
    for which in ("share", "gone"):
        for value in ("empty", "value"):
            if (which, value) == ("gone", "empty"):
                continue
            english, spanish = (
                words[which].format(
                    named=words[value].format(value="a b"), share=percent(1.5, language), usual=percent(2.5, language),
                    likes=4,
                )
                for words, language in ((EN, "en"), (ES, "es"))
            )  # fmt: skip
            assert (told(english, "es"), told(spanish, "en")) == (spanish, english)


@pytest.mark.parametrize("key", [DESTROYED, SHARED, HELD])
def test_every_proof_of_a_deletion_has_its_spanish(key: str) -> None:
    said = told(GONE.format(objects=1234) + key, "es")
    assert said.startswith("Se borraron de la recepción 1.234 objetos cifrados")
    assert " key" not in said and " the " not in said


@pytest.mark.parametrize("text", ["", "x", "; ; ;", "{x}", "a: b: c; d", "\n", "9" * 6000, "a: " * 1500])
def test_what_nobody_knows_stays_as_it_is(text: str) -> None:
    assert told(text, "es") == text


def test_numbers_have_one_way_per_language() -> None:
    assert figure(1234567, "en") == "1,234,567" and figure(1234567, "es") == "1.234.567"
    assert percent(-1234.56, "en", "+,.1f") == "-1,234.6 %" and percent(-1234.56, "es", "+,.1f") == "-1.234,6 %"
    assert Figures("es").format("{rows:,} de {of}", rows=1000, of=2000) == "1.000 de 2000"


def test_rules_of_rows_set_aside() -> None:
    assert [rule(one, "es") for one in ("range:fare", "duplicate", "outside_period", "another:x")] == [
        "fare: fuera del rango acordado", "repetida", "de otro período", "another:x",
    ]  # fmt: skip
    assert rule("range:fare", "en") == "range:fare"
