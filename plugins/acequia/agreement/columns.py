"""The columns of a feed, and what happens to each at the gate. There is no default treatment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from acequia.agreement.delivery import Closed, Name, Text

ColumnType = Literal["string", "integer", "number", "timestamp", "date", "boolean"]
Unit = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f\"]+$")]


class TruncateTo(Closed):
    """A time, cut to the start of its hour, day, …"""

    truncate_to: Unit


class PartOf(Closed):
    """A time, reduced to one part: hour of the day (0..23), ISO weekday (1..7), month (1..12)."""

    part: Literal["hour", "weekday", "month", "year"]


class SecondsSince(Closed):
    """A time, replaced by the seconds since another column's time (which may itself be dropped)."""

    seconds_since: ColumnName


class Band(Closed):
    """A number, replaced by its band: edges [0, 18, 65] give `<0`, `0..18`, `18..65`, `65+` (lower edge included)."""

    band: tuple[float, ...] = Field(min_length=1, max_length=200)

    @field_validator("band")
    @classmethod
    def _ascending(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if list(edges) != sorted(set(edges)):
            raise ValueError("must be numbers in ascending order, each once")
        return edges


class LookupIn(Closed):
    """A key of a reference table, and the column to take from it."""

    table: Name
    value: Name


class Lookup(Closed):
    """A code, replaced by what config/reference/<table>.csv says of it; an unknown code becomes `_U` (SDMX: unknown).

    `lookup: cell_to_district` takes the table's second column; `{table: …, value: …}` another one. The first column is
    always the key.
    """

    lookup: Name | LookupIn

    @property
    def table(self) -> str:
        """The reference table."""
        return self.lookup if isinstance(self.lookup, str) else self.lookup.table

    @property
    def value(self) -> str | None:
        """The column to take; None for the second one."""
        return None if isinstance(self.lookup, str) else self.lookup.value


class RoundTo(Closed):
    """A number, rounded to a multiple."""

    round_to: Annotated[float, Field(gt=0)]


class TopCode(Closed):
    """A number, no greater than this: larger values become it."""

    top_code: float


class FirstCharacters(Closed):
    """A text, cut to its first characters (a post code, a product class)."""

    first: Annotated[int, Field(ge=1, le=64)]


_BY_KEY: dict[str, type[Closed]] = {
    "truncate_to": TruncateTo,
    "part": PartOf,
    "seconds_since": SecondsSince,
    "band": Band,
    "lookup": Lookup,
    "round_to": RoundTo,
    "top_code": TopCode,
    "first": FirstCharacters,
}
WORDS = ("drop", "keep", "pseudonym", "scrub_text")
CHOICES = ", ".join((*WORDS, *_BY_KEY))


def _which(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    for key, model in _BY_KEY.items():
        if isinstance(value, model) or (isinstance(value, dict) and key in value):
            return key
    return None


Treatment = Annotated[
    Annotated[Literal["drop", "keep", "pseudonym", "scrub_text"], Tag("word")]
    | Annotated[TruncateTo, Tag("truncate_to")]
    | Annotated[PartOf, Tag("part")]
    | Annotated[SecondsSince, Tag("seconds_since")]
    | Annotated[Band, Tag("band")]
    | Annotated[Lookup, Tag("lookup")]
    | Annotated[RoundTo, Tag("round_to")]
    | Annotated[TopCode, Tag("top_code")]
    | Annotated[FirstCharacters, Tag("first")],
    Discriminator(
        _which,
        custom_error_type="treatment_unknown",
        custom_error_message=f"Input should be one of {CHOICES}",
    ),
]

_TIMES, _NUMBERS = ("timestamp", "date"), ("integer", "number")
_FITS: dict[str, tuple[str, ...]] = {
    "truncate_to": _TIMES,
    "part": _TIMES,
    "seconds_since": ("timestamp",),
    "band": _NUMBERS,
    "round_to": _NUMBERS,
    "top_code": _NUMBERS,
    "first": ("string",),
    "scrub_text": ("string",),
}


class Column(Closed):
    """One column that arrives, or with `from` one more made from it."""

    type: ColumnType
    treat: Treatment
    as_: Name | None = Field(default=None, alias="as")
    from_: ColumnName | None = Field(default=None, alias="from")
    required: bool = True
    nullable: bool | None = None
    between: tuple[Any, Any] | None = Field(default=None)
    one_of: tuple[Any, ...] | None = Field(default=None)
    matches: Annotated[str, StringConstraints(max_length=500)] | None = None
    parse: Annotated[str, StringConstraints(max_length=60)] | None = None
    describe: Text | None = None
    unit: Text | None = None
    keep_because: Text | None = None

    @property
    def treatment(self) -> str:
        """The treatment's name."""
        return self.treat if isinstance(self.treat, str) else next(iter(type(self.treat).model_fields))

    @property
    def may_be_null(self) -> bool:
        """Null values are allowed in a column that is not required, or where `nullable` says so."""
        return (not self.required) if self.nullable is None else self.nullable

    @field_validator("between")
    @classmethod
    def _two_ends(cls, bounds: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
        if bounds is not None and None not in bounds and not bounds[0] <= bounds[1]:
            raise ValueError("must be [lowest, highest]; null leaves an end open")
        return bounds

    @model_validator(mode="after")
    def _fits(self) -> Column:
        fits = _FITS.get(self.treatment)
        if fits and self.type not in fits:
            raise ValueError(f"`{self.treatment}` is for columns of type {' or '.join(fits)}")
        if self.matches is not None and self.type != "string":
            raise ValueError("`matches` is for columns of type string")
        if self.parse is not None and self.type not in _TIMES:
            raise ValueError("`parse` is for columns of type timestamp or date")
        if self.between is not None and self.type in ("string", "boolean"):
            raise ValueError("`between` is for numbers and times")
        return self


class Rows(Closed):
    """Which rows are set aside before anything else, and how many may be."""

    duplicates: Literal["keep", "set_aside"] = "keep"
    period_column: ColumnName | None = None
    set_aside_at_most_pct: Annotated[float, Field(ge=0, le=100)] = 0.0
