"""What can happen to a column at the gate. Each treatment is a word, or a mapping of one key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from acequia.agreement.closed import Closed, ColumnName, Name

Unit = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]


class Pseudonym(Closed):
    """A code in the form of what it stands for: digits stay digits, a whole number stays one."""

    pseudonym: Literal["same_format"] = Field(
        description="A whole number becomes another whole number; a text of digits one of as many digits, written the "
        "same way. For columns whose type must stay; `pseudonym` alone is the stronger choice.",
        examples=["same_format"],
    )


class TruncateTo(Closed):
    """A time, cut to the start of its hour, day or longer unit."""

    truncate_to: Unit = Field(description="What is kept of a time: its start of that unit.", examples=["hour"])


class PartOf(Closed):
    """A time, reduced to one part: hour of the day (0..23), ISO weekday (1 Monday .. 7 Sunday), month (1..12), year."""

    part: Literal["hour", "weekday", "month", "year"] = Field(
        description="The part that is kept.", examples=["weekday"]
    )


class SecondsSince(Closed):
    """A time, replaced by the seconds since another column's time (which may itself be dropped)."""

    seconds_since: ColumnName = Field(
        description="The arriving timestamp column from which the seconds are counted.", examples=["pickup_at"]
    )


class Band(Closed):
    """A number, replaced by its band: edges [0, 18, 65] give `<0`, `0..18`, `18..65`, `65+` (lower edge included)."""

    band: tuple[float, ...] = Field(
        min_length=1, max_length=200, description="The edges, in ascending order.", examples=[[0, 18, 65]]
    )

    @field_validator("band")
    @classmethod
    def _ascending(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if list(edges) != sorted(set(edges)):
            raise ValueError("must be numbers in ascending order, each once")
        return edges


class LookupIn(Closed):
    """A reference table, and the column to take from it."""

    table: Name = Field(description="config/reference/<table>.csv.", examples=["uruguay_departments"])
    value: ColumnName = Field(description="The column of that table that takes the code's place.", examples=["region"])


def _which_lookup(value: Any) -> str | None:
    if isinstance(value, str):
        return "name"
    return "in" if isinstance(value, dict | LookupIn) else None


class Lookup(Closed):
    """A code, replaced by what config/reference/<table>.csv says of it; an unknown code becomes `_U` (SDMX: unknown).

    `lookup: cell_to_district` takes the table's second column; `{table: …, value: …}` another one. The first column is
    always the key.
    """

    lookup: Annotated[
        Annotated[Name, Tag("name")] | Annotated[LookupIn, Tag("in")],
        Discriminator(
            _which_lookup,
            custom_error_type="lookup_unknown",
            custom_error_message="must be the name of a reference table, or {table: …, value: …}",
        ),
    ] = Field(description="The reference table, by name, or with the column to take.", examples=["cell_to_district"])

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

    round_to: Annotated[float, Field(gt=0)] = Field(description="The multiple.", examples=[0.5])


class TopCode(Closed):
    """A number, no greater than this: larger values become it."""

    top_code: float = Field(description="The greatest value that is kept.", examples=[150000])


class FirstCharacters(Closed):
    """A text, cut to its first characters (a post code, a product class)."""

    first: Annotated[int, Field(ge=1, le=64)] = Field(description="How many characters are kept.", examples=[2])


_BY_KEY: dict[str, type[Closed]] = {
    "pseudonym": Pseudonym,
    "truncate_to": TruncateTo,
    "part": PartOf,
    "seconds_since": SecondsSince,
    "band": Band,
    "lookup": Lookup,
    "round_to": RoundTo,
    "top_code": TopCode,
    "first": FirstCharacters,
}
WORDS = {
    "drop": "Deleted at the gate. Only the encrypted raw file has it.",
    "keep": "Kept as it is.",
    "pseudonym": "Replaced by a code of 32 characters: the same value gives the same code within the feed, and the "
    "code says nothing without the secret key. Null stays null.",
    "scrub_text": "Free text: names, telephone numbers, identity numbers, addresses and the like are replaced by marks "
    "such as `<PHONE>`. A text of more than 2,000 characters is taken out whole.",
}
CHOICES = tuple(dict.fromkeys((*WORDS, *_BY_KEY)))


def _which(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    for key, model in _BY_KEY.items():
        if isinstance(value, model) or (isinstance(value, dict) and key in value):
            return key
    return None


Treatment = Annotated[
    Annotated[Literal["drop", "keep", "pseudonym", "scrub_text"], Tag("word")]
    | Annotated[Pseudonym, Tag("pseudonym")]
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
        custom_error_type="choice_unknown",
        custom_error_message=f"must be one of {', '.join(CHOICES)}",
    ),
]
