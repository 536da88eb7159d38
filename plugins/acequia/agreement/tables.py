"""The curated tables of a feed: what one row is, its measures, its protection."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from acequia.agreement.closed import Closed, ColumnName, Misfit, Name, Text, once, refuse, unknown
from acequia.agreement.protectable import protection_misfits
from acequia.agreement.protection import Dominance, NoProtection, PPercent, Protection, which_protection

RESERVED = frozenset({"period", "delivery", "contributors_count", "cell_status", "withheld_because", "provisional"})


def as_expression(value: Any) -> Any:
    """A bare number is an expression too."""
    return str(value) if type(value) in (int, float) else value


Expression = Annotated[
    str, Field(min_length=1, max_length=1000), BeforeValidator(as_expression, json_schema_input_type=str | int | float)
]


class _Measure(Closed):
    @property
    def key(self) -> str:
        """The key that says what it is: `count`, `sum`, …."""
        return next(iter(_MEASURES.keys() & type(self).model_fields))

    where: Expression | None = Field(
        default=None, description="Which rows count for this measure.", examples=["status = 'failed'"]
    )
    describe: Text | None = Field(default=None, description="What the number says.", examples=["space-mean speed"])
    unit: Text | None = Field(default=None, description="The unit of the number.", examples=["km/h"])


class CountRows(_Measure):
    """How many rows: `{count: rows}`."""

    count: Literal["rows"] = Field(description="How many rows there are.", examples=["rows"])


class CountDistinct(_Measure):
    """How many different values of a column; computed, never summed."""

    count_distinct: ColumnName = Field(
        description="The column whose different values are counted; null is none.", examples=["msisdn"]
    )


class Sum(_Measure):
    """The total of a column or an expression such as `quantity * unit_price`. Exact to nine decimals (twelve where the
    numbers lie below 8192).
    """

    sum: Expression = Field(description="What is added up.", examples=["quantity * price_uyu"])


class Mean(_Measure):
    """Sum divided by the number of rows with a value."""

    mean: Expression = Field(description="What is averaged.", examples=["fare_bwp"])


class Median(_Measure):
    """The middle value."""

    median: Expression = Field(description="What the middle value is taken of.", examples=["pay_bwp"])


class RatioParts(Closed):
    """Numerator and denominator: each is summed first."""

    of: Expression = Field(description="The numerator, summed.", examples=["distance_km"])
    to: Expression = Field(description="The denominator, summed.", examples=["duration_s / 3600.0"])


class Ratio(_Measure):
    """Sum of `of` divided by sum of `to` (a space-mean speed: distance over time). Missing where the divisor is 0."""

    ratio: RatioParts = Field(
        description="One sum divided by another.", examples=[{"of": "distance_km", "to": "duration_s / 3600.0"}]
    )


_MEASURES = {"count": CountRows, "count_distinct": CountDistinct, "sum": Sum, "mean": Mean, "median": Median,
             "ratio": Ratio}  # fmt: skip


_UNPROTECTED = ("max", "maximum", "min", "minimum", "first", "last", "mode", "percentile", "quantile", "range")
"""Measures that show what one contributor gave: no rule makes them safe."""


def protectable(value: Any) -> Any:
    """Refuse a measure that no rule can protect, as what it is."""
    if isinstance(value, dict) and not _MEASURES.keys() & value.keys():
        said = "is one contributor's own number, which no rule can protect: choose a measure that all contributors make"
        refuse(Misfit((key,), said, tuple(_MEASURES)) for key in value if str(key).lower() in _UNPROTECTED)
    return value


def _which(value: Any) -> str | None:
    for key, model in _MEASURES.items():
        if isinstance(value, model) or (isinstance(value, dict) and key in value):
            return key
    return None


Measure = Annotated[
    Annotated[CountRows, Tag("count")]
    | Annotated[CountDistinct, Tag("count_distinct")]
    | Annotated[Sum, Tag("sum")]
    | Annotated[Mean, Tag("mean")]
    | Annotated[Median, Tag("median")]
    | Annotated[Ratio, Tag("ratio")],
    Discriminator(
        _which,
        custom_error_type="choice_unknown",
        custom_error_message=f"must be one of {', '.join(_MEASURES)}",
    ),
    BeforeValidator(protectable),
]


class Table(Closed):
    """One curated table: `<partner>.<name>` in the lake."""

    describe: Text = Field(description="What one row is.", examples=["One row per district and hour."])
    by: tuple[ColumnName, ...] = Field(
        max_length=12,
        description="The columns, by their names after the gate, whose values make a cell; [] for one cell a period.",
        examples=[["district", "started_hour"]],
    )
    where: Expression | None = Field(
        default=None, description="Which protected rows count for the table.", examples=["status = 'completed'"]
    )
    hierarchy: dict[ColumnName, tuple[ColumnName, ...]] = Field(
        default_factory=dict,
        description="Wider levels that are published too, from the widest to the column itself. A level is a column of "
        "the lookup's reference table, or the grand total.",
        examples=[{"district": ["country", "district"]}],
    )
    measures: dict[Name, Measure] = Field(
        min_length=1,
        max_length=100,
        description="The table's numbers, by name.",
        examples=[{"events_count": {"count": "rows"}}],
    )
    protect: Annotated[
        Annotated[Protection, Tag("some")] | Annotated[NoProtection, Tag("none")], Discriminator(which_protection)
    ] = Field(
        description="What keeps a cell from singling anyone out. There is no default.",
        examples=[{"contributor": "msisdn", "min_contributors": 15}],
    )
    over: Literal["delivery", "week", "month", "quarter", "year"] = Field(
        default="delivery",
        description="The window of one release: a delivery, or a longer period of deliveries.",
        examples=["month"],
    )
    release: Literal["when_complete", "each_delivery"] = Field(
        default="when_complete",
        description="A longer window is released once it is complete, or provisionally with each delivery.",
        examples=["each_delivery"],
    )
    cells: Literal["observed", "all"] = Field(
        default="observed",
        description="Only cells with rows, or every combination that reference tables, `one_of` and the period allow.",
        examples=["all"],
    )
    recipients: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Who may read the table, out of `terms.recipients`; by default all of them.",
        examples=[["ministry_of_transport"]],
    )

    @field_validator("by", "recipients")
    @classmethod
    def _once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return names if names is None else once(names)

    @field_validator("by")
    @classmethod
    def _free(cls, by: tuple[str, ...]) -> tuple[str, ...]:
        refuse(_reserved(column, n) for n, column in enumerate(by) if column.lower() in RESERVED)
        return by

    @field_validator("hierarchy")
    @classmethod
    def _levels(cls, hierarchy: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, tuple[str, ...]]:
        by = info.data.get("by")
        strangers = [column for column in hierarchy if by is not None and column not in by]
        misfits = [unknown(column, "a column of `by`", by or (), column) for column in strangers]
        for column, levels in hierarchy.items():
            if column in strangers:
                continue
            if len(levels) < 2 or levels[-1] != column or len(set(levels)) != len(levels):
                misfits.append(Misfit((column,), f"must list its levels from the widest to {column} itself"))
        refuse(misfits)
        return hierarchy

    @field_validator("measures")
    @classmethod
    def _named_apart(cls, measures: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        by = {column.lower() for column in info.data.get("by") or ()}
        taken = (Misfit((name,), "is the name of a column in `by` too") for name in measures if name in by)
        refuse([*(_reserved(name, name) for name in measures if name in RESERVED), *taken])
        return measures

    def looked_at(self, rule: Dominance | PPercent | None) -> tuple[str, ...]:
        """The measures that a rule of concentration looks at: those it names, else every sum and row count."""
        by_default = (name for name, measure in self.measures.items() if isinstance(measure, CountRows | Sum))
        return () if rule is None else rule.of or tuple(by_default)

    @field_validator("protect")
    @classmethod
    def _of_measures(cls, protect: Protection | NoProtection, info: ValidationInfo) -> Protection | NoProtection:
        measures = info.data.get("measures")
        if isinstance(protect, Protection) and measures:
            refuse(protection_misfits(protect, info.data.get("by") or (), measures))
        return protect


def _reserved(name: str, *place: str | int) -> Misfit:
    return Misfit(place, f"{name} is a column that every table has: choose another name")
