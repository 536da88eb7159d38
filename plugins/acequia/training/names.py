"""People's names and the names of places: from the Faker library's locales, from the project's lists, and invented.

Every name is on one side of the split for good, by a hash of its letters: the model learns from one side alone, and is
measured on the other.
"""

from __future__ import annotations

import hashlib
import importlib
import random
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError
from acequia.protect.person_names import plain

LISTS = Path(__file__).parent / "lists"
_OURS = Path(plain.__code__.co_filename).parent / "names"
_NAME = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")
_HELD = 5  # one name in so many is held back


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FAKER = {
    "english": ("en_US", "en_GB", "en_IE", "en_NZ"),
    "wide": ("en_IN", "en_KE", "en_NG", "en_PK", "en_TH"),
    "latin": ("es_AR", "es_CL", "es_CO", "es_ES", "es_MX"),
}
_OWN = {"botswana": "botswana", "english": "english", "latin": "latin_america"}
_SHARES = {
    "en": (("botswana", 0.42), ("english", 0.26), ("wide", 0.12), ("latin", 0.06), ("invented", 0.14)),
    "es": (("latin", 0.76), ("english", 0.07), ("botswana", 0.02), ("wide", 0.02), ("invented", 0.13)),
}
_PLACE_SHARES = {
    "en": (("botswana", 0.5), ("world", 0.25), ("faker", 0.2), ("uruguay", 0.05)),
    "es": (("uruguay", 0.5), ("world", 0.23), ("faker", 0.25), ("botswana", 0.02)),
}
_STARTS = {
    "en": _words("Mo Ma Ke Le Se Di Bo Ra Kga Tlha Phe Tsho Nta Mpo Ga Rre Ole Tiro Ka Ogo Sha Mba Nko Chi Ndo Zwa"),
    "es": _words("Barra Eche Iri Goi Zubi Men Ola Aro Ibar Gal Cas Fe Lo Sal Val Bri Tor Mar Quin Rove Sca Bian Ghe"),
}
_MIDDLES = {
    "en": _words("bo the lo ke tsi la pha ro tsho ga ne mo se wa nye di ko ru tla"),
    "es": _words("ve gui ne za ri la do be ti ma ra cho lle se ta"),
}
_ENDS = {
    "en": _words("ng ne tse di lo nyana tswe pe ile kwe nong gile thata rwa sego mang kae tiro bi si do mba ndi"),
    "es": _words("rri goa rdi ñez rena llo tti chea nni gasti rreta men ro seco rolo gui dez nal mond sso lini"),
}


@dataclass(frozen=True)
class Pool:
    """Given and family names of one side of the split, by origin, and places."""

    given: Mapping[str, Sequence[str]]
    family: Mapping[str, Sequence[str]]
    places: Mapping[str, Sequence[str]]
    held: bool


def held(name: str) -> bool:
    """Which side a name is on, whatever its case and accents."""
    return hashlib.sha256(plain(name).encode()).digest()[0] % _HELD == 0


@cache
def pool(held_back: bool) -> Pool:
    """All names of one side.

    Raises:
        AcequiaError: `usage`, where Faker, which is installed with the tools of development, is not there.
    """

    def side(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in sorted({name.strip() for name in names}) if held(name) is held_back)

    given = {origin: side(_people("first", origin)) for origin in ("botswana", *_FAKER)}
    family = {origin: side(_people("last", origin)) for origin in ("botswana", *_FAKER)}
    places = {origin: side(names()) for origin, names in _places().items()}
    return Pool(given, family, places, held_back)


class Likeness:
    """Makes words that look like those of a list: each letter by the three before it."""

    def __init__(self, words: Sequence[str]) -> None:
        follows: dict[str, list[str]] = {}
        for word in words:
            marked = f"^^^{word}$"
            for place in range(3, len(marked)):
                follows.setdefault(marked[place - 3 : place], []).append(marked[place])
        self.follows = follows

    def make(self, rng: random.Random, sure: Callable[[str], bool]) -> str:
        """One of three to sixteen letters for which `sure` holds."""
        while True:
            word = "^^^"
            while word[-1] != "$" and len(word) < 20:  # noqa: PLR2004
                word += rng.choice(self.follows[word[-3:]])
            if word[-1] == "$" and len(word) > 6 and sure(word[3:-1]):  # noqa: PLR2004
                return word[3:-1]


@cache
def likeness(held_back: bool, part: str, origin: str) -> Likeness:
    """What makes words like the names of one side, part (`given`, `family`, `places`) and origin."""
    return Likeness(getattr(pool(held_back), part)[origin])


def _chosen(rng: random.Random, names: Pool, part: str, origin: str) -> str:
    """A listed name, or once in three times one like them: no list holds all names."""
    if rng.random() < 0.67:  # noqa: PLR2004
        return str(rng.choice(getattr(names, part)[origin]))
    return likeness(names.held, part, origin).make(rng, lambda word: held(word) is names.held)


def person(rng: random.Random, names: Pool, language: str) -> str:
    """A person as people write one: given name, both, family name first, initials, two family names."""
    origin = _one(rng, _SHARES[language])
    given, family = _given(rng, names, origin, language), _family(rng, names, origin, language)
    form = rng.random()
    if form < 0.45:  # noqa: PLR2004 - the shares of the forms add up to one
        return f"{given} {_tail(rng, names, origin, language, family)}"
    if form < 0.68:  # noqa: PLR2004
        return given
    if form < 0.78:  # noqa: PLR2004
        return family
    if form < 0.84:  # noqa: PLR2004
        return f"{family}{rng.choice((', ', ', ', ' '))}{given}"
    if form < 0.90:  # noqa: PLR2004
        return f"{given[0]}{rng.choice(('. ', ' ', '.'))}{family}"
    if form < 0.93:  # noqa: PLR2004
        return f"{given} {family[0]}{rng.choice(('.', ''))}"
    return f"{given} {_given(rng, names, origin, language)} {family}"


def family_name(rng: random.Random, names: Pool, language: str) -> str:
    """What stands after Mr or Sra."""
    origin = _one(rng, _SHARES[language])
    family = _family(rng, names, origin, language)
    return f"{_given(rng, names, origin, language)} {family}" if rng.random() < 0.3 else family  # noqa: PLR2004


def place(rng: random.Random, names: Pool, language: str) -> str:
    """A village, town, quarter, district or country."""
    return _chosen(rng, names, "places", _one(rng, _PLACE_SHARES[language]))


def _tail(rng: random.Random, names: Pool, origin: str, language: str, family: str) -> str:
    """The family name, doubled or with particles as Spanish has it."""
    if language == "es" and rng.random() < 0.35:  # noqa: PLR2004
        return f"{family} {_family(rng, names, origin, language)}"
    if rng.random() < 0.04:  # noqa: PLR2004
        return f"{rng.choice(('de', 'de la', 'de los', 'van der', 'van', 'da', 'del'))} {family}"
    return f"{family}-{_family(rng, names, origin, language)}" if rng.random() < 0.03 else family  # noqa: PLR2004


def _given(rng: random.Random, names: Pool, origin: str, language: str) -> str:
    if origin == "invented":
        origin = "botswana" if language == "en" else "latin"
    return _chosen(rng, names, "given", origin)


def _family(rng: random.Random, names: Pool, origin: str, language: str) -> str:
    if origin != "invented":
        return _chosen(rng, names, "family", origin)
    while True:
        name = invented(rng, language)
        if held(name) is names.held:
            return name


def invented(rng: random.Random, language: str) -> str:
    """A word that could be a name: put together from syllables."""
    middle = (rng.choice(_MIDDLES[language]) for _ in range(rng.randint(0, 2)))
    return "".join((rng.choice(_STARTS[language]), *middle, rng.choice(_ENDS[language])))


def _one(rng: random.Random, shares: Sequence[tuple[str, float]]) -> str:
    return rng.choices([name for name, _ in shares], [share for _, share in shares])[0]


def _people(part: str, origin: str) -> Iterable[str]:
    for locale in _FAKER.get(origin, ()):
        provider = provided(f"person.{locale}")
        for attribute in sorted(name for name in dir(provider) if name.startswith(f"{part}_names")):
            listed = getattr(provider, attribute)
            if isinstance(listed, Collection):
                yield from (name for name in listed if _NAME.fullmatch(name))
    if origin in _OWN:
        file = _OURS / f"{'given' if part == 'first' else 'family'}_{_OWN[origin]}.txt"
        lines = file.read_text(encoding="utf-8").splitlines()
        yield from (line.split()[0].title() for line in lines if line and not line.endswith("?"))


def _places() -> dict[str, Callable[[], Iterable[str]]]:
    def own(country: str) -> Callable[[], Iterable[str]]:
        def read() -> Iterable[str]:
            words = (LISTS / f"places_{country}.txt").read_text(encoding="utf-8").split()
            return (word.replace("_", " ") for word in words)

        return read

    return {"faker": _faker_places, **{country: own(country) for country in ("botswana", "uruguay", "world")}}


def _faker_places() -> Iterable[str]:
    for locale, attribute in (
        ("en_IN", "cities"), ("en_PH", "provinces"), ("en_CA", "provinces"), ("en_GB", "counties"), ("es_ES", "states"),
        ("es_CL", "communes"), ("es_CO", "municipalities"), ("es_AR", "municipalities"), ("es_MX", "states"),
        ("en_GB", "countries"), ("es_ES", "countries"),
    ):  # fmt: skip
        listed = getattr(provided(f"address.{locale}"), attribute, ())
        found = listed.values() if isinstance(listed, dict) else listed
        yield from (each if isinstance(each, str) else each[1] for each in found)


@cache
def provided(name: str) -> Any:
    """A provider of Faker's: its lists are read, nothing of it is run."""
    try:
        return importlib.import_module(f"faker.providers.{name}").Provider
    except ImportError:
        raise AcequiaError(
            "usage", "the sentences are made with Faker, which is not installed here",
            do="Run it in the environment that `make setup` creates.",
        ) from None  # fmt: skip
