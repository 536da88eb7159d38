"""The curated tables of a feed: what one row is, its measures, its protection."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from acequia.agreement.delivery import Closed, Name, Text

Expression = Annotated[str, Field(min_length=1, max_length=1000)]


class _Measure(Closed):
    where: Expression | None = None
    describe: Text | None = None
    unit: Text | None = None


class CountRows(_Measure):
    """How many rows: `{count: rows}`."""

    count: Literal["rows"]


class CountDistinct(_Measure):
    """How many different values of a column; computed, never summed."""

    count_distinct: Name


class Sum(_Measure):
    """The total of a column or an expression such as `quantity * unit_price`. Exact to nine decimals."""

    sum: Expression


class Mean(_Measure):
    """Sum divided by the number of rows with a value."""

    mean: Expression


class Median(_Measure):
    """The middle value."""

    median: Expression


class RatioParts(Closed):
    """Numerator and denominator: each is summed first."""

    of: Expression
    to: Expression


class Ratio(_Measure):
    """Sum of `of` divided by sum of `to` (a space-mean speed: distance over time). Missing where the divisor is 0."""

    ratio: RatioParts


_MEASURES = {"count": CountRows, "count_distinct": CountDistinct, "sum": Sum, "mean": Mean, "median": Median,
             "ratio": Ratio}  # fmt: skip


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
        custom_error_type="measure_unknown",
        custom_error_message=f"Input should be one of {', '.join(_MEASURES)}",
    ),
]


class Dominance(Closed):
    """(n, k) rule of the Handbook on Statistical Disclosure Control: withheld where the n largest contributors hold
    more than k percent of a total. `of` names the measures it looks at; by default every sum and row count."""

    n: Annotated[int, Field(ge=1, le=10)]
    k_pct: Annotated[float, Field(gt=0, le=100)]
    of: tuple[Name, ...] | None = Field(default=None)


class Protection(Closed):
    """What keeps a cell from singling anyone out. `contributor` is the column that tells one person or company from
    another (nobody is counted for a null), or `rows` where every row is another one."""

    contributor: Name
    min_contributors: Annotated[int, Field(ge=1, le=1_000_000)]
    dominance: Dominance | None = None
    round_to: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    zeros: Literal["publish", "withhold"] = "publish"


class NoProtection(Closed):
    """No protection, with the reason that the steward answers for (data that is public already)."""

    none_because: Text


def _protection(value: Any) -> str:
    return (
        "none" if isinstance(value, NoProtection) or (isinstance(value, dict) and "none_because" in value) else "some"
    )


class Table(Closed):
    """One curated table: `<partner>.<name>` in the lake."""

    describe: Text
    by: tuple[Name, ...] = Field(max_length=12)
    where: Expression | None = None
    hierarchy: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    measures: dict[Name, Measure] = Field(min_length=1, max_length=100)
    protect: Annotated[
        Annotated[Protection, Tag("some")] | Annotated[NoProtection, Tag("none")], Discriminator(_protection)
    ]
    over: Literal["delivery", "week", "month", "quarter", "year"] = "delivery"
    release: Literal["when_complete", "each_delivery"] = "when_complete"
    cells: Literal["observed", "all"] = "observed"
    recipients: tuple[Name, ...] | None = Field(default=None)

    @field_validator("by")
    @classmethod
    def _once(cls, by: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(by)) != len(by):
            raise ValueError("names a column twice")
        return by

    @model_validator(mode="after")
    def _fits(self) -> Table:
        clash = (set(self.by) & set(self.measures)) | ((set(self.by) | set(self.measures)) & RESERVED)
        if clash:
            raise ValueError(f"{', '.join(sorted(clash))}: taken twice, or reserved ({', '.join(sorted(RESERVED))})")
        for column, levels in self.hierarchy.items():
            if column not in self.by:
                raise ValueError(f"hierarchy.{column} is not in `by`")
            if len(levels) < 2 or levels[-1] != column or len(set(levels)) != len(levels):
                raise ValueError(f"hierarchy.{column} lists its levels from the widest to `{column}` itself")
        if isinstance(self.protect, Protection) and self.protect.dominance and self.protect.dominance.of:
            unknown = [name for name in self.protect.dominance.of if name not in self.measures]
            if unknown:
                raise ValueError(f"protect.dominance.of names {', '.join(unknown)}, which is no measure")
        return self


RESERVED = frozenset({"period", "delivery", "contributors_count", "cell_status", "withheld_because", "provisional"})
