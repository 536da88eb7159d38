"""The columns of a feed, and what happens to each at the gate. There is no default treatment."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from acequia.agreement.closed import Closed, ColumnName, Misfit, Name, Text, as_day, as_moment, differs, refuse
from acequia.agreement.privacy import Kind
from acequia.agreement.treatments import (
    CHOICES,
    WORDS,
    Band,
    FirstCharacters,
    Lookup,
    LookupIn,
    PartOf,
    Pseudonym,
    RoundTo,
    SecondsSince,
    TopCode,
    Treatment,
    TruncateTo,
    Unit,
)

ColumnType = Literal["string", "integer", "number", "timestamp", "date", "boolean"]


TIMES, NUMBERS = ("timestamp", "date"), ("integer", "number")
FITS: dict[str, tuple[str, ...]] = {
    "pseudonym": ("string", "integer"),
    "scrub_text": ("string",),
    "truncate_to": TIMES,
    "part": TIMES,
    "seconds_since": ("timestamp",),
    "band": NUMBERS,
    "lookup": ("string", "integer"),
    "round_to": NUMBERS,
    "top_code": NUMBERS,
    "first": ("string",),
}
_OF_ARRIVING = ("required", "nullable", "between", "one_of", "matches", "parse")
# What both strptime and DuckDB understand, one letter after % or %-.
_STRPTIME = re.compile(r"(?:[^%]|%%|%-?[dmHIMSjy]|%[aAbBYpfgnzZ])+")


class Column(Closed):
    """One column that arrives, or with `from` one more made from it."""

    type: ColumnType = Field(
        description="What its values are. integer accepts integral floats such as 17850.0; timestamp is a local time "
        "of the feed's time zone (values with an offset are converted); boolean is true/false, 1/0, yes/no, t/f, y/n.",
        examples=["timestamp"],
    )
    treat: Treatment = Field(
        description="What happens to it at the gate, before anything else sees it. There is no default.",
        examples=["pseudonym"],
    )
    as_: Name | None = Field(
        default=None, alias="as", description="Its name after the gate; by default its own.", examples=["started_hour"]
    )
    from_: ColumnName | None = Field(
        default=None,
        alias="from",
        description="Makes one more column out of this arriving one, of the same type.",
        examples=["sender_department"],
    )
    required: bool = Field(
        default=True,
        description="The column must arrive, and must not be null. With false it may be absent, and null.",
        examples=[False],
    )
    nullable: bool | None = Field(
        default=None, description="Whether it may be null, where that differs from `required`.", examples=[True]
    )
    between: tuple[Any, Any] | None = Field(
        default=None,
        description="Lowest and highest value, both allowed, as they arrive; null leaves an end open. Rows outside are "
        "set aside.",
        examples=[[0, 86400]],
    )
    one_of: Annotated[tuple[Any, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None,
        description="The values that may arrive. Other rows are set aside.",
        examples=[["call", "sms", "data"]],
    )
    matches: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None,
        description="A regular expression (RE2) that the whole text must match. Other rows are set aside.",
        examples=[r"\d{8}"],
    )
    parse: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = Field(
        default=None,
        description="How times are written in text files (strptime), if not as 2026-03-01 06:30:00.",
        examples=["%d/%m/%Y %H:%M"],
    )
    describe: Text | None = Field(
        default=None, description="What the column says.", examples=["Length of the call in seconds."]
    )
    unit: Text | None = Field(default=None, description="The unit of its numbers.", examples=["UYU"])
    holds: Kind | None = Field(
        default=None,
        description="What its values are, where they tell of a person. Pseudonyms are made of the usual form: "
        "telephone numbers as `+26771123456` by the agreement's country, documents without their dots, e-mail in small "
        "letters; so two ways of writing one number are one person.",
        examples=["phone"],
    )
    keep_because: Text | None = Field(
        default=None,
        description="Why a column that looks personal is kept as it is. Without a reason it cannot be kept.",
        examples=["a product's code names nobody"],
    )
    may_hold: Annotated[tuple[Kind, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="What the scan of a kept text column may find in it, since it only looks like it; `keep_because` "
        "says why.",
        examples=[["national_id"]],
    )

    @property
    def treatment(self) -> str:
        """The treatment's name."""
        return self.treat if isinstance(self.treat, str) else next(iter(type(self.treat).model_fields))

    @property
    def may_be_null(self) -> bool:
        """Null values are allowed in a column that is not required, or where `nullable` says so."""
        return (not self.required) if self.nullable is None else self.nullable

    @field_validator("treat")
    @classmethod
    def _treatment_fits(cls, treat: Any, info: ValidationInfo) -> Any:
        name = treat if isinstance(treat, str) else next(iter(type(treat).model_fields))
        fits, kind = FITS.get(name), info.data.get("type")
        if fits and kind and kind not in fits:
            raise ValueError(f"{name} is for columns of type {' or '.join(fits)}; this one is {kind}")
        return treat

    @field_validator("between")
    @classmethod
    def _two_ends(cls, bounds: tuple[Any, Any] | None, info: ValidationInfo) -> tuple[Any, Any] | None:
        kind = info.data.get("type")
        if bounds is None or kind is None:
            return bounds
        if kind not in (*NUMBERS, *TIMES):
            raise ValueError("is for columns of numbers and times")
        low, high = (None if end is None else of_type(kind, end) for end in bounds)
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise ValueError("must be [lowest, highest]; null leaves one end open")
        return low, high

    @field_validator("one_of")
    @classmethod
    def _of_the_type(cls, values: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[Any, ...] | None:
        kind = info.data.get("type")
        if values is None or kind is None:
            return values
        typed = tuple(of_type(kind, value) for value in values)
        if len(set(typed)) < len(typed):
            raise ValueError("names a value twice")
        return typed

    @field_validator("matches")
    @classmethod
    def _is_pattern(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is not None and info.data.get("type", "string") != "string":
            raise ValueError("is for columns of type string")
        if pattern is not None and not is_re2(pattern):
            raise ValueError("is no regular expression of RE2 (which has no look-around and no back-references)")
        return pattern

    @field_validator("parse")
    @classmethod
    def _is_time_format(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        if pattern is not None and info.data.get("type", "date") not in TIMES:
            raise ValueError("is for columns of type timestamp or date")
        if pattern is not None and ("%" not in pattern or not _STRPTIME.fullmatch(pattern)):
            raise ValueError("must be a time format, such as %d/%m/%Y %H:%M")
        return pattern

    @model_validator(mode="after")
    def _made_columns_have_no_rules(self) -> Column:
        misfits = []
        if self.from_ is not None:
            given = [key for key in _OF_ARRIVING if differs(self, key)]
            misfits += [Misfit((key,), f"belongs to {self.from_}, the column that arrives") for key in given]
            if self.treat == "drop":
                misfits.append(Misfit(("treat",), "is drop: then nothing need be made from another column"))
        elif self.treat == "drop" and self.as_ is not None:
            misfits.append(Misfit(("as",), "is of no use: the column is dropped"))
        if self.may_hold is not None and self.keep_because is None:
            misfits.append(Misfit(("may_hold",), "needs `keep_because`: who reads the agreement must learn why"))
        refuse(misfits)
        return self


class Rows(Closed):
    """Which rows are set aside before anything else, and how many may be."""

    duplicates: Literal["keep", "set_aside"] = Field(
        default="keep",
        description="Whether a row that repeats an earlier one in every column is set aside.",
        examples=["set_aside"],
    )
    period_column: ColumnName | None = Field(
        default=None,
        description="The arriving time column that must lie inside the delivery's period; other rows are set aside.",
        examples=["started_at"],
    )
    set_aside_at_most_pct: Annotated[float, Field(ge=0, le=100)] = Field(
        default=0.0,
        description="How many rows may break a rule before the whole delivery is refused, in percent of those that "
        "arrived. Repeated rows do not count.",
        examples=[2],
    )


def of_type(kind: str, value: Any) -> Any:
    """A value of the agreement as one of the column's type: a day as `date`, a local time as `datetime`."""
    if kind == "date":
        value = as_day(value)
    elif kind == "timestamp":
        value = as_moment(value)
        value = datetime(value.year, value.month, value.day) if type(value) is date else value  # noqa: DTZ001
    elif kind == "string" and type(value) is int:
        value = str(value)
    elif kind == "integer" and type(value) is float and value.is_integer():
        value = int(value)
    if type(value) not in _PYTHON[kind]:
        raise ValueError(_WANTED[kind])
    return value


_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "timestamp": (datetime,),
    "date": (date,),
    "boolean": (bool,),
}
_WANTED = {
    "string": "holds what is not text: put it in quotes",
    "integer": "must hold whole numbers, since the column is one",
    "number": "must hold numbers, since the column is one",
    "timestamp": "must hold local times, such as 2026-03-01 06:30:00",
    "date": "must hold days, such as 2026-03-01",
    "boolean": "must hold true or false",
}


@cache
def is_re2(pattern: str) -> bool:
    """Whether the engine can match texts with it. The engine is asked, since Python's own dialect is another one."""
    import duckdb

    try:
        with duckdb.connect(":memory:", config={"threads": 1, "autoload_known_extensions": "false"}) as connection:
            connection.execute("SELECT regexp_full_match('', ?)", [pattern]).fetchall()
    except duckdb.Error:
        return False
    return True


__all__ = ["CHOICES", "FITS", "NUMBERS", "TIMES", "WORDS", "Band", "Column", "ColumnName", "ColumnType",
           "FirstCharacters", "Lookup", "LookupIn", "PartOf", "Pseudonym", "RoundTo", "Rows", "SecondsSince", "TopCode",
           "Treatment", "TruncateTo", "Unit", "is_re2", "of_type"]  # fmt: skip
