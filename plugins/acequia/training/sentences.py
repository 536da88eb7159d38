"""Sentences as notes hold them, put together from shapes and words, with what in them is a name, a place, a number.

A shape is one line of `lists/sentences_<language>.txt`: `[one|another]` is a choice, `<slot>` takes a name, a place, a
number, or a line of `lists/words_<language>.txt`. Every shape is on one side of the split for good, as names are. Then
they are written as people write: in lower case, in capitals, without accents, with slips of the finger.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from acequia.simulate.people import plain
from acequia.training.names import LISTS, Pool, family_name, invented, person, place, pool, provided
from acequia.training.numbers import MAKERS

LANGUAGES = ("en", "es")
_HELD = 6  # one shape in so many is held back
_JOINS = (". ", ". ", ". ", "; ", " - ", ", ", "\n", " / ", "  ", ".")
_WORD = re.compile(r"[^\W\d_]{3,}")
_PART = re.compile(r"\[([^\[\]]*)\]|<([A-Za-z]\w*)>")

Shares = Sequence[tuple[str, float]]
SHARES: Shares = (("person", 0.40), ("place", 0.14), ("contact", 0.09), ("none", 0.37))
"""How many of the sentences come from which section of the shapes."""

Part = str | tuple["Line", ...] | Callable[["Maker"], "Piece"]
Line = tuple[Part, ...]


@dataclass(frozen=True)
class Piece:
    """A part of a text; `kind` is a kind of personal data, `place`, or nothing."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Labelled:
    """A text, and where in it what stands: start, end (exclusive), kind."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Split:
    """Which side names and shapes are taken from."""

    names_held: bool
    shapes_held: bool


LEARNED = Split(False, False)
NAMES_HELD, SHAPES_HELD, BOTH_HELD = Split(True, False), Split(False, True), Split(True, True)


def sentences(seed: int, language: str, split: Split, shares: Shares = SHARES) -> Iterator[Labelled]:
    """Texts without end, with so much of each section; the same seed gives the same ones."""
    rng = random.Random(f"{seed}/{language}/{split}")
    maker = Maker(rng, language, pool(split.names_held), split.shapes_held, shares)
    while True:
        yield maker.text()


class Maker:
    """Makes one text after the other, on one side of the split."""

    def __init__(self, rng: random.Random, language: str, names: Pool, shapes_held: bool, shares: Shares) -> None:
        self.rng, self.language, self.names = rng, language, names
        self.sections, self.weights = zip(*shares, strict=True)
        self.shapes, self.words = _shapes(language, shapes_held), _words(language, shapes_held)

    def text(self) -> Labelled:
        """One text of one to three sentences."""
        pieces = self.sentence()
        for _ in range(self.rng.choices((0, 1, 2), (0.66, 0.25, 0.09))[0]):
            pieces += [Piece(self.rng.choice(_JOINS)), *self.sentence()]
        return _labelled(self.written(pieces))

    def sentence(self) -> list[Piece]:
        """One shape, filled."""
        section = self.rng.choices(self.sections, self.weights)[0]
        pieces = list(self.filled(self.rng.choice(self.shapes[section])))
        if self.rng.random() < 0.4 and pieces and not pieces[0].kind:  # noqa: PLR2004
            pieces[0] = Piece(pieces[0].text[:1].upper() + pieces[0].text[1:])
        return pieces

    def filled(self, line: Line) -> Iterator[Piece]:
        """The parts of a line, one choice of each."""
        for part in line:
            if isinstance(part, str):
                yield Piece(part)
            elif isinstance(part, tuple):
                yield from self.filled(self.rng.choice(part))
            else:
                made = part(self)
                yield from self.filled(made) if isinstance(made, tuple) else (made,)

    def written(self, pieces: Sequence[Piece]) -> list[Piece]:
        """As people write: another case, no accents, slips."""
        rng, changed = self.rng, list(pieces)
        style = rng.choices(("as is", "lower", "upper", "title", "names lower"), (0.64, 0.17, 0.06, 0.03, 0.10))[0]
        if style == "names lower":
            changed = [Piece(p.text.lower(), p.kind) if p.kind in ("name", "place") else p for p in changed]
        elif style != "as is":
            changed = [_cased(piece, style) for piece in changed]
        if rng.random() < 0.3:  # noqa: PLR2004
            changed = [Piece(plain(piece.text), piece.kind) for piece in changed]
        if rng.random() < 0.15:  # noqa: PLR2004
            changed = [self.strange(piece) for piece in changed]
        if rng.random() < 0.12:  # noqa: PLR2004
            changed = [_slipped(rng, piece) if rng.random() < 0.3 else piece for piece in changed]  # noqa: PLR2004
        if rng.random() < 0.35:  # noqa: PLR2004
            changed.append(Piece(rng.choice((".", ".", "!", "?", " ", "...", ","))))
        return changed

    def strange(self, piece: Piece) -> Piece:
        """Some words replaced by any others: what stands around a name is not always what one expects."""
        if piece.kind:
            return piece
        return Piece(_WORD.sub(lambda word: self.other(word[0]), piece.text))

    def other(self, word: str) -> str:
        """The word, or once in three times another."""
        return _text(self, "w") if self.rng.random() < 0.35 else word  # noqa: PLR2004


def _cased(piece: Piece, style: str) -> Piece:
    if piece.kind in ("email", "url", "passport", "plate", "account", "id"):
        return piece
    text = {"lower": piece.text.lower, "upper": piece.text.upper, "title": piece.text.title}[style]()
    return Piece(text, piece.kind)


def _slipped(rng: random.Random, piece: Piece) -> Piece:
    """One sign left out, doubled, or swapped with the next; numbers stay."""
    text = piece.text
    if len(text) < 5 or piece.kind not in ("", "name", "place"):  # noqa: PLR2004
        return piece
    at = rng.randrange(1, len(text) - 2)
    if not text[at : at + 2].isalpha():
        return piece
    ways = (
        text[:at] + text[at + 1 :],
        text[: at + 1] + text[at:],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )
    return Piece(rng.choice(ways), piece.kind)


def _labelled(pieces: Sequence[Piece]) -> Labelled:
    spans, at = [], 0
    for piece in pieces:
        if piece.kind:
            spans.append((at, at + len(piece.text), piece.kind))
        at += len(piece.text)
    return Labelled("".join(piece.text for piece in pieces), tuple(spans))


@cache
def _shapes(language: str, held_back: bool) -> Mapping[str, Sequence[Line]]:
    """Lines by section. Shapes of numbers are on both sides: nothing that finds numbers learns from them."""
    sections = _sections(f"sentences_{language}.txt", "# ")
    return {
        section: [_line(line) for line in (lines if section == "contact" else _side(lines, held_back))]
        for section, lines in sections.items()
    }


@cache
def _words(language: str, held_back: bool) -> Mapping[str, Sequence[Line]]:
    """Lines by slot. What stands for itself is on both sides; what is a shape is on one."""
    sections = _sections(f"words_{language}.txt", "= ")
    words = {
        slot: [_line(line) for line in (_side(lines, held_back) if slot in ("problem", "act") else lines)]
        for slot, lines in sections.items()
        if slot not in ("w", "tn")
    }
    words["w"] = [(word,) for word in _everyday(language)]
    words["tn"] = [(word,) for line in sections.get("tn", ()) for word in line.split()]
    jobs = provided("job.en_US" if language == "en" else "job.es_ES").jobs
    words["job"] = [(job.split(",")[0].lower(),) for job in jobs]
    return words


def _everyday(language: str) -> list[str]:
    """Everyday words: those of the shapes' own lists, and of Faker's."""
    own = " ".join(_sections(f"words_{language}.txt", "= ")["w"]).split()
    lorem = provided(f"lorem.{'en_US' if language == 'en' else 'es_ES'}").word_list
    return sorted({*own, *(word for word in lorem if len(word) > 1)})


def _sections(file: str, mark: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (LISTS / file).read_text(encoding="utf-8").splitlines():
        if line.startswith(mark):
            found[line.removeprefix(mark)] = lines = []
        elif line:
            lines.append(line)
    return found


def _side(lines: Sequence[str], held_back: bool) -> list[str]:
    """The lines of one side: those with the lowest hashes are held back."""
    ranked = sorted(lines, key=lambda line: hashlib.sha256(line.encode()).digest())
    many = round(len(lines) / _HELD)
    chosen = set(ranked[:many] if held_back else ranked[many:])
    return [line for line in lines if line in chosen]


def _line(text: str) -> Line:
    parts: list[Part] = []
    at = 0
    for match in _PART.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
        if match[1] is not None:
            parts.append(tuple(_line(choice) for choice in match[1].split("|")))
        else:
            parts.append(_slot(match[2]))
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def _slot(name: str) -> Part:
    made = {"p": _person, "h": _family, "l": _place, "street": _street, "n": _small, "money": _money, "time": _time,
            "ref": _reference, "firm": _firm}.get(name)  # fmt: skip
    if made:
        return made
    if name in MAKERS:
        kind, make = MAKERS[name]
        return lambda maker: Piece(make(maker.rng, maker.language), kind)
    word = name.lower()
    case = str.title if name.istitle() else str.upper if name.isupper() else None
    return lambda maker: _word(maker, word, case)


def _word(maker: Maker, slot: str, case: Callable[[str], str] | None) -> Piece:
    line = maker.rng.choice(maker.words[slot])
    if case is None:
        return line  # type: ignore[return-value]  # a shape within a shape: `filled` goes on with it
    return Piece(case("".join(piece.text for piece in maker.filled(line))))


def _person(maker: Maker) -> Piece:
    return Piece(person(maker.rng, maker.names, maker.language), "name")


def _family(maker: Maker) -> Piece:
    return Piece(family_name(maker.rng, maker.names, maker.language), "name")


def _place(maker: Maker) -> Piece:
    return Piece(place(maker.rng, maker.names, maker.language), "place")


def _street(maker: Maker) -> Piece:
    rng = maker.rng
    name = _text(maker, "street1")
    if maker.language == "es":
        corner = f"{name} {_text(maker, 'street2')} {_text(maker, 'street1')}"
        return Piece(
            rng.choice((f"{name} {rng.randint(10, 9999)}", f"{name} {rng.randint(10, 9999)}", corner, name)), "place"
        )
    street = f"{name} {_text(maker, 'street2')}"
    return Piece(
        rng.choice((street, f"{rng.randint(1, 999)} {street}", f"Plot {rng.randint(1, 99999)}", street)), "place"
    )


def _firm(maker: Maker) -> Piece:
    first = _text(maker, "firm1") if maker.rng.random() < 0.7 else invented(maker.rng, maker.language)  # noqa: PLR2004
    parts = [first, _text(maker, "firm2")]
    if maker.rng.random() < 0.3:  # noqa: PLR2004
        parts.append(_text(maker, "firm3"))
    return Piece(" ".join(parts))


def _text(maker: Maker, slot: str) -> str:
    return "".join(piece.text for piece in maker.filled(maker.rng.choice(maker.words[slot])))


def _small(maker: Maker) -> Piece:
    return Piece(str(maker.rng.randint(1, 99)))


def _money(maker: Maker) -> Piece:
    n = maker.rng.randint(2, 4999)
    forms = (
        (f"P{n}", f"P {n}.{n % 90 + 10}", f"BWP {n}")
        if maker.language == "en"
        else (f"${n}", f"$ {n}", f"{n} pesos", f"U$S {n}")
    )
    return Piece(maker.rng.choice(forms))


def _time(maker: Maker) -> Piece:
    hour, minute = maker.rng.randint(0, 23), maker.rng.choice((0, 15, 30, 40, 55))
    return Piece(
        maker.rng.choice((f"{hour}:{minute:02}", f"{hour:02}:{minute:02}", f"{hour}h", f"{hour:02}h{minute:02}"))
    )


def _reference(maker: Maker) -> Piece:
    n = maker.rng.randint(10, 99_999)
    return Piece(maker.rng.choice((f"#{n}", f"TCK-{n}", f"{n}", f"INV{n}", f"C/{n}")))
