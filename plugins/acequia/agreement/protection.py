"""How a table's cells are protected: the rules, what is withheld besides, and the other ways: rounding and noise.

The terms are those of the Handbook on Statistical Disclosure Control (Hundepool and others).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from acequia.agreement.closed import Closed, ColumnName, Misfit, Name, Text, refuse
from acequia.agreement.noise import no_p_table

Measures = Annotated[tuple[Name, ...], Field(min_length=1)] | None


class Dominance(Closed):
    """(n, k) rule of the Handbook on Statistical Disclosure Control: withheld where the n largest contributors hold
    more than k percent of a total.
    """

    n: Annotated[int, Field(ge=1, le=10)] = Field(description="How many of the largest contributors.", examples=[1])
    k_pct: Annotated[float, Field(gt=0, le=100)] = Field(
        description="The share of the total, in percent, that they may hold.", examples=[50]
    )
    of: Measures = Field(
        default=None,
        description="The measures that it looks at; by default every sum and row count. A mean can be named too: it is "
        "judged by the sum behind it.",
        examples=[["turnover_uyu_sum"]],
    )


class PPercent(Closed):
    """p% rule, or (p, q) rule: withheld where the second largest contributor could work out the largest contribution to
    within p percent of it, knowing every other one to within q percent before.
    """

    p_pct: Annotated[float, Field(gt=0, le=100)] = Field(
        description="How closely the largest contribution may be known, in percent of it.", examples=[10]
    )
    q_pct: Annotated[float, Field(gt=0, le=100)] = Field(
        default=100,
        description="How closely everybody knows the contributions of others before, in percent; 100 is the p% rule.",
        examples=[50],
    )
    of: Measures = Field(
        default=None,
        description="The measures that it looks at; by default every sum and row count. A mean can be named too: it is "
        "judged by the sum behind it.",
        examples=[["turnover_uyu_sum"]],
    )

    @field_validator("q_pct")
    @classmethod
    def _not_below_p(cls, known: float, info: ValidationInfo) -> float:
        if known < info.data.get("p_pct", 0):
            refuse([Misfit((), "must be at least `p_pct`: what all know so closely before cannot be kept from them")])
        return known


class Unit(Closed):
    """Others who stand behind the same cells, such as the companies of a pooled table beside their customers."""

    contributor: ColumnName = Field(
        description="The column that tells one of them from another: a company, a holding, a partner.",
        examples=["operator"],
    )
    min_contributors: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Cells of fewer of them are withheld.", examples=[3]
    )
    dominance: Dominance | None = Field(
        default=None,
        description="Cells in which few of them hold most of a total are withheld.",
        examples=[{"n": 1, "k_pct": 75}],
    )
    p_percent: PPercent | None = Field(
        default=None,
        description="Cells from which one of them could work out another's contribution are withheld.",
        examples=[{"p_pct": 10}],
    )


class Secondary(Closed):
    """Which further cells are withheld, so that no withheld one can be worked out from what is published."""

    cost: Literal["cells", "contributors", "values"] = Field(
        default="cells",
        description="What is kept as small as it can be: how many cells are withheld besides, how many contributors "
        "stand behind them, or how much of the first sum (or count).",
        examples=["values"],
    )
    totals_cost: Annotated[float, Field(ge=1, le=1_000_000)] = Field(
        default=1, description="How many times as dear each wider level is than the one below it.", examples=[10]
    )
    keep_open: dict[ColumnName, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Important cells, by column of `by` and value: withheld besides only where nothing else helps.",
        examples=[{"district": ["Gaborone"]}],
    )
    range_pct: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=30,
        description="Of a cell with too few contributors, by how many percent up and down each sum must stay unknown.",
        examples=[50],
    )


class CellKey(Closed):
    """Cell-key perturbation: counts get a little noise, the same for the same group in every table, for ever."""

    noise_at_most: Annotated[int, Field(ge=1, le=100)] = Field(
        description="The largest change of a count, up or down; of a count of rows, in units of the contributor with "
        "the most.",
        examples=[5],
    )
    variance: Annotated[float, Field(gt=0, le=1000)] = Field(
        description="The variance of the changes; their mean is zero.", examples=[2]
    )
    never: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0,
        validate_default=True,
        description="Counts from 1 to this are never published: they become 0 or something larger.",
        examples=[2],
    )

    @field_validator("never")
    @classmethod
    def _possible(cls, never: int, info: ValidationInfo) -> int:
        noise, variance = info.data.get("noise_at_most"), info.data.get("variance")
        if noise is not None and variance is not None and (wrong := no_p_table(noise, variance, never)):
            refuse([Misfit((), wrong)])
        return never


class DifferentialPrivacy(Closed):
    """Noise with a proven bound on what a release tells about one contributor, whatever else is known."""

    epsilon: Annotated[float, Field(gt=0, le=100)] = Field(
        description="What one release costs of the feed's budget.", examples=[1.0]
    )
    delta: Annotated[float, Field(ge=0, lt=0.1)] = Field(
        default=0,
        description="The chance with which a release may tell more; needed where the cells are not known before.",
        examples=[1e-7],
    )
    cells_at_most: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="To how many cells of a release one contributor counts at most; further ones are left out.",
        examples=[10],
    )
    rows_at_most: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1,
        description="How many rows of one contributor count in one cell at most.",
        examples=[5],
    )
    bounds: dict[Name, tuple[float, float]] = Field(
        default_factory=dict,
        description="The least and the most that one contributor adds to a cell, for each measure that is a sum.",
        examples=[{"amount_uyu_sum": [0, 50000]}],
    )


class Protection(Closed):
    """What keeps a cell from singling anyone out."""

    contributor: ColumnName = Field(
        description="The column that tells one person or company from another (nobody is counted for a null), or "
        "`rows` where every row is another one. Companies are grouped by holding first: give the holding's column.",
        examples=["msisdn"],
    )
    min_contributors: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Cells of fewer contributors are withheld.", examples=[15]
    )
    dominance: Dominance | None = Field(
        default=None,
        description="Cells in which few contributors hold most of a total are withheld.",
        examples=[{"n": 1, "k_pct": 50}],
    )
    p_percent: PPercent | None = Field(
        default=None,
        description="Cells from which one contributor could work out another's contribution are withheld.",
        examples=[{"p_pct": 10}],
    )
    also: Annotated[tuple[Unit, ...], Field(max_length=3)] = Field(
        default=(),
        description="Others who stand behind the same cells, each with rules of their own: the partners of a pooled "
        "table, the companies whose customers are counted.",
        examples=[[{"contributor": "operator", "min_contributors": 3}]],
    )
    round_to: Annotated[int, Field(ge=2, le=1_000_000)] | None = Field(
        default=None, description="Counts are rounded to multiples of this.", examples=[5]
    )
    rounding: Literal["conventional", "controlled"] = Field(
        default="conventional",
        description="Each count to the nearest multiple, or all of a table together, so that they still add up.",
        examples=["controlled"],
    )
    zeros: Literal["publish", "withhold"] = Field(
        default="publish",
        description="Whether a cell that nobody is in is published as zero (with `cells: all`).",
        examples=["withhold"],
    )
    secondary: Secondary = Field(
        default_factory=Secondary,
        description="How further cells are chosen that are withheld so that no withheld one can be worked out.",
        examples=[{"cost": "values", "totals_cost": 10}],
    )
    cell_key: CellKey | None = Field(
        default=None,
        description="Counts get noise that is always the same for the same group, in place of withholding cells.",
        examples=[{"noise_at_most": 5, "variance": 2, "never": 2}],
    )
    differential_privacy: DifferentialPrivacy | None = Field(
        default=None,
        description="Counts and sums get noise with a proven bound, paid for from the feed's `privacy.budget`, in "
        "place of withholding cells.",
        examples=[{"epsilon": 1.0, "delta": 1e-7, "cells_at_most": 10}],
    )

    @field_validator("differential_privacy")
    @classmethod
    def _one_noise(cls, chosen: DifferentialPrivacy | None, info: ValidationInfo) -> DifferentialPrivacy | None:
        if chosen is not None:
            keys = ("cell_key", "round_to", "dominance", "p_percent", "also")
            other = [key for key in keys if info.data.get(key)]
            refuse(Misfit((), f"cannot be together with {key}: its noise stands in for it") for key in other)
        return chosen

    @field_validator("cell_key")
    @classmethod
    def _counts_alone(cls, chosen: CellKey | None, info: ValidationInfo) -> CellKey | None:
        if chosen is not None and info.data.get("round_to") is not None:
            refuse([Misfit((), "cannot be together with round_to: noise is added to exact counts")])
        if chosen is not None:
            other = [key for key in ("dominance", "p_percent", "also") if info.data.get(key)]
            refuse(
                Misfit((), f"cannot be together with {key}: no cell is withheld, its noise stands in") for key in other
            )
        return chosen

    @field_validator("rounding")
    @classmethod
    def _to_something(cls, rounding: str, info: ValidationInfo) -> str:
        if rounding == "controlled" and "round_to" in info.data and info.data["round_to"] is None:
            refuse([Misfit((), "rounds to nothing: say to multiples of what with `round_to`")])
        return rounding


class NoProtection(Closed):
    """No protection, with the reason that the steward answers for (data that is public already)."""

    none_because: Text = Field(
        description="Why the table needs no protection.", examples=["a register that is open by law"]
    )


def which_protection(value: Any) -> str:
    """Which of the two is meant."""
    # a slip such as `none_becuase` must be told as what it is, not as a missing contributor
    none = isinstance(value, NoProtection) or (isinstance(value, dict) and any(str(key)[:4] == "none" for key in value))
    return "none" if none else "some"
