"""What pydantic found, as problems that a person can act on: place, line, plain words, choices. Never a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from acequia.agreement.closed import COLUMN_NAME, NAME, Misfit, near
from acequia.agreement.model import COUNTRY, EMAIL, TRANSFORM, VERSION
from acequia.agreement.problems import Problem
from acequia.agreement.shape import Shape
from acequia.agreement.treatments import WORDS
from acequia.agreement.written import Written, shown

_PATTERNS = {
    NAME: "must be a plain name: small letters a-z, digits and _, beginning with a letter, at most 63",
    COLUMN_NAME: "must be a column's name: on one line, without double quotes or spaces at its ends",
    VERSION: "must be a version, such as 1.2: letters, digits, dots, _ and -",
    COUNTRY: "must be two capital letters of ISO 3166, such as BW or UY",
    EMAIL: "must be an e-mail address",
    TRANSFORM: "must be module.function of transforms/, such as mobility.active_subscribers",
}
_YES_NO = {"yes", "no", "on", "off", "y", "n", "1", "0"}


@dataclass(frozen=True)
class Spot:
    """A place in the file: the value there, if there is one, and what may stand there.

    `around` is the mapping that the last key belongs to; `alternatives` are those out of which `shape` was taken.
    """

    place: tuple[str | int, ...]
    node: Written | None
    mark: tuple[int, int]
    shape: Shape = Shape()
    around: Shape = Shape()
    alternatives: Shape = Shape()

    @property
    def options(self) -> tuple[str, ...]:
        """The words to choose from."""
        return self.alternatives.options or self.shape.options

    def problem(self, message: str, choices: Iterable[str] = ()) -> Problem:
        """A problem here."""
        place = ".".join(shown(str(part)) for part in self.place)
        return Problem(*self.mark, place, message, tuple(choices))


def diagnose(errors: Iterable[ErrorDetails], root: Written, model: type[BaseModel]) -> list[Problem]:
    """One problem or more for each error; a slip of a required key is told once, as a slip."""
    found, meant = [], set()
    missing: list[Spot] = []
    for error in _told_once(list(errors)):
        spot = find(root, error["loc"], model, of_key=error["type"] == "extra_forbidden")
        if error["type"] == "missing":
            missing.append(spot)
        elif error["type"] == "extra_forbidden":
            guess = near(str(spot.place[-1]), spot.around.keys)
            meant.add((*spot.place[:-1], guess))
            found.append(_slip(spot, guess, spot.around.keys))
        elif "misfits" in error.get("ctx", {}):
            found += [locate(misfit.below(*spot.place), root) for misfit in error["ctx"]["misfits"]]
        else:
            found += _problems(error, spot)
    return found + [_missing(spot) for spot in missing if spot.place not in meant]


def _told_once(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """A list that is too short only since its items are wrong is told by its items."""
    for error in errors:
        loc = error["loc"]
        items = error["type"] == "too_short" and any(
            other["loc"][: len(loc)] == loc and len(other["loc"]) > len(loc) for other in errors
        )
        if not items:
            yield error


def locate(misfit: Misfit, root: Written) -> Problem:
    """A misfit as a problem, at the line of its place or of what is nearest to it."""
    return _spot(root, misfit.place).problem(misfit.message, misfit.choices)


def find(root: Written, loc: tuple[int | str, ...], model: type[BaseModel], *, of_key: bool = False) -> Spot:
    """The spot that pydantic's `loc` means: it names alternatives by tags, which are not written in the file."""
    place: list[str | int] = []
    shape, around, alternatives = Shape(model, model=model), Shape(), Shape()
    if loc and loc[-1] == "[key]":
        loc, of_key = loc[:-1], True
    for part in loc:
        if shape.variants:
            alternatives, shape = shape, shape.at(part)
        else:
            alternatives, around, shape = Shape(), shape, shape.at(part)
            place.append(part)
    spot = _spot(root, tuple(place), of_key=of_key)
    return replace(spot, shape=shape, around=around, alternatives=alternatives)


def _spot(root: Written, place: tuple[str | int, ...], *, of_key: bool = False) -> Spot:
    """Go down as far as the file goes. A scalar is marked itself; what is missing, a list or mapping by its key."""
    node: Written | None = root
    mark = key_mark = root.mark
    for part in place:
        value, below = node.value if node is not None else None, None
        if isinstance(value, dict) and node is not None and str(part) in value:
            below, key_mark = value[str(part)], node.keys[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            below = value[part]
            key_mark = below.mark
        node = below
        mark = key_mark if of_key or below is None or isinstance(below.value, dict | list) else below.mark
    return Spot(place, node, mark)


def _missing(spot: Spot) -> Problem:
    if spot.place and isinstance(spot.place[-1], int):
        return replace(spot, place=spot.place[:-1]).problem("must be a list of two")
    return spot.problem("is missing", spot.shape.options)


def _slip(spot: Spot, guess: str | None, choices: Iterable[str], what: str = "a key here") -> Problem:
    return spot.problem(f"is not {what}" + (f"; did you mean {guess}?" if guess else ""), choices)


def _problems(error: ErrorDetails, spot: Spot) -> Iterator[Problem]:
    kind = error["type"]
    if spot.node is not None and spot.node.value is None:
        yield spot.problem("is empty", spot.options)
    elif kind in ("choice_unknown", "union_tag_not_found", "union_tag_invalid"):
        yield from _unknown_choice(spot)
    elif kind == "literal_error":
        yield _literal(spot)
    elif kind in ("dict_type", "model_type", "model_attributes_type"):
        yield spot.problem("must hold keys with values", spot.shape.keys)
    else:
        say = _SAY.get(kind)
        yield spot.problem(say(error.get("ctx", {}), spot) if say else "is not valid")


def _literal(spot: Spot) -> Problem:
    written = spot.node.text if spot.node else ""
    if written in spot.alternatives.keys:
        return spot.problem(f"needs a value: {{{written}: …}}", spot.options)
    return _slip(spot, near(written, spot.options), spot.options, "one of the choices")


def _unknown_choice(spot: Spot) -> Iterator[Problem]:
    """Alternatives that differ by a key or by `type`, and the file names none of them."""
    by_type = "type" in spot.shape.keys
    options = tuple(spot.shape.variants) if by_type else spot.shape.options
    known = spot.shape.keys if by_type else options
    if spot.node is None or not isinstance(spot.node.value, dict):
        yield spot.problem("must be one of the choices", options)
        return
    told = False
    for key in spot.node.value:
        here = replace(spot, place=(*spot.place, key), mark=spot.node.keys[key])
        if key == "type" and by_type:
            tag = spot.node.value[key]
            told = True
            yield _slip(replace(here, mark=tag.mark), near(tag.text, options), options, "one of the choices")
        elif key in WORDS and not by_type:
            told = True
            yield here.problem("is written as a word here, without a value", options)
        elif key not in spot.shape.keys:
            guess = near(key, dict.fromkeys((*options, *spot.shape.keys)) if not by_type else known)
            told = told or guess == "type" or (not by_type and guess in options)
            yield _slip(here, guess, known)
    if not told:
        missing = replace(spot, place=(*spot.place, "type")) if by_type else spot
        yield missing.problem("is missing" if by_type else "must be one of the choices", options)


def _text_wanted(_: Any, spot: Spot) -> str:
    plain = spot.node is not None and not isinstance(spot.node.value, dict | list)
    return "must be text: put it in quotes" if plain else "must be text"


def _number_wanted(what: str) -> Callable[[Any, Spot], str]:
    def say(_: Any, spot: Spot) -> str:
        written = spot.node.text if spot.node is not None else ""
        digits = written.replace("_", "").replace(",", "").replace(" ", "")
        hint = (
            ", written with digits alone and without quotes"
            if digits.lstrip("+-").replace(".", "", 1).isdigit()
            else ""
        )
        return f"must be {what}{hint}"

    return say


def _bool_wanted(_: Any, spot: Spot) -> str:
    slip = spot.node is not None and spot.node.text.lower() in _YES_NO
    return "must be true or false" + (" (yes, no, on, off are texts here)" if slip else "")


def _list_wanted(_: Any, spot: Spot) -> str:
    return "must be a list, such as [a, b]"


def _few(context: dict[str, Any], _: Spot) -> str:
    return f"must hold at least {context.get('min_length', 1)}"


def _many(context: dict[str, Any], _: Spot) -> str:
    return f"must hold at most {context.get('max_length')}"


def _said(context: dict[str, Any], _: Spot) -> str:
    return str(context.get("error", "is not valid"))


_SAY: dict[str, Callable[[dict[str, Any], Spot], str]] = {
    "value_error": _said,
    "lookup_unknown": lambda *_: "must be the name of a reference table, or {table: …, value: …}",
    "string_type": _text_wanted,
    "string_pattern_mismatch": lambda context, _: _PATTERNS.get(context["pattern"], "is not written as it must be"),
    "string_too_short": lambda context, _: "is empty" if context["min_length"] == 1 else _few(context, _) + " letters",
    "string_too_long": lambda context, _: _many(context, _) + " letters",
    "int_type": _number_wanted("a whole number"),
    "int_from_float": _number_wanted("a whole number"),
    "float_type": _number_wanted("a number"),
    "finite_number": _number_wanted("a number"),
    "bool_type": _bool_wanted,
    "date_type": lambda *_: "must be a day, such as 2026-03-01",
    "tuple_type": _list_wanted,
    "too_short": _few,
    "too_long": _many,
    "greater_than": lambda context, _: f"must be more than {context['gt']}",
    "greater_than_equal": lambda context, _: f"must be at least {context['ge']}",
    "less_than": lambda context, _: f"must be less than {context['lt']}",
    "less_than_equal": lambda context, _: f"must be at most {context['le']}",
}
