"""What every part of an agreement shares: closed and frozen models, names, texts, days; how parts are found unfit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

NAME = r"^[a-z][a-z0-9_]{0,62}$"
_EDGE, _INSIDE = r'[^\s\x00-\x1f\x7f-\x9f"]', r'[^\x00-\x1f\x7f-\x9f"]'
COLUMN_NAME = f"^{_EDGE}({_INSIDE}*{_EDGE})?$"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?", re.ASCII)

Name = Annotated[str, StringConstraints(pattern=NAME)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=COLUMN_NAME)]


class Closed(BaseModel):
    """Unknown keys are errors; a value never changes once read; types are taken as written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def differs(model: Closed, name: str) -> bool:
    """Whether a field says something else than its default."""
    return bool(getattr(model, name) != type(model).model_fields[name].default)


def as_day(value: Any) -> Any:
    """A day is written 2026-03-01, with or without quotes; what is no text is left as it is."""
    if not isinstance(value, str):
        return value
    try:
        if not _DAY.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a day, such as 2026-03-01") from None


def as_moment(value: Any) -> Any:
    """A local time is written 2026-03-01 06:30:00; a day alone is its midnight; what is no text is left as it is."""
    if not isinstance(value, str):
        return value
    try:
        if not _MOMENT.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value)  # noqa: DTZ007 - local times of the feed's zone have no offset
    except ValueError:
        raise ValueError("must be a local time without an offset, such as 2026-03-01 06:30:00") from None


Day = Annotated[date, BeforeValidator(as_day)]


@dataclass(frozen=True)
class Misfit:
    """Two parts of an agreement that do not fit: where, below the value being judged, what is wrong, what would fit."""

    place: tuple[str | int, ...]
    message: str
    choices: tuple[str, ...] = ()

    def below(self, *above: str | int) -> Misfit:
        """The same, seen from further up."""
        return Misfit((*above, *self.place), self.message, self.choices)

    def __str__(self) -> str:
        """As one part of a sentence."""
        place = ".".join(map(str, self.place))
        return f"{place}: {self.message}" if place else self.message


def refuse(misfits: Iterable[Misfit]) -> None:
    """Raise all of them as one validation error, if there are any."""
    found = tuple(misfits)
    if found:
        raise PydanticCustomError("misfit", "{said}", {"said": "; ".join(map(str, found)), "misfits": found})


def twice(values: Iterable[str]) -> tuple[str, ...]:
    """The values that come more than once, letters' case aside, in order."""
    seen: dict[str, int] = {}
    for value in values:
        seen[value.casefold()] = seen.get(value.casefold(), 0) + 1
    return tuple(value for value, times in seen.items() if times > 1)


def once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list that names something twice."""
    if repeated := twice(values):
        raise ValueError(f"names {', '.join(repeated)} twice")
    return values


def near(given: str, choices: Iterable[str]) -> str | None:
    """The choice that a slip of the pen may have meant."""
    by_small = {choice.casefold(): choice for choice in choices}
    found = get_close_matches(given.casefold(), by_small, n=1, cutoff=0.6 if len(given) > 3 else 0.5)
    return by_small[found[0]] if found else None


def unknown(given: str, what: str, choices: Iterable[str], *place: str | int) -> Misfit:
    """`given` is not `what`; propose what may have been meant."""
    known = tuple(choices)
    meant = near(given, known)
    return Misfit(place, f"{given} is not {what}" + (f"; did you mean {meant}?" if meant else ""), known)
