"""What a feed promises about people beyond its columns' treatments: rotation, leaks, recall, what may single out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from acequia.agreement.closed import Closed, ColumnName, once

Kind = Literal[
    "name", "phone", "email", "national_id", "tax_id", "passport", "plate", "card", "account", "ip", "url", "date",
    "id", "number",
]  # fmt: skip
"""What personal data can be of, in one word: what a column holds, what a text was scrubbed of, what a scan found."""

Rotation = Literal["none", "month", "quarter", "year"]
Percent = Annotated[float, Field(ge=0, le=100)]

TARGETS: Mapping[Kind, float] = {"phone": 99, "email": 99, "national_id": 99, "name": 75}


class Budget(Closed):
    """What all releases with differential privacy together may tell about one contributor."""

    epsilon: Annotated[float, Field(gt=0, le=1000)] = Field(description="The sum of all epsilons.", examples=[12])
    delta: Annotated[float, Field(ge=0, lt=0.1)] = Field(
        default=0, description="The sum of all deltas.", examples=[1e-5]
    )
    per: Literal["month", "quarter", "year", "ever"] = Field(
        default="ever",
        description="For which time of the data: with `year` each year of periods has a budget of its own.",
        examples=["year"],
    )


class Privacy(Closed):
    """What holds for the whole feed. Every key has a default, and each default is the strict one."""

    rotate: Rotation = Field(
        default="none",
        description="When pseudonyms change. With `month`, one person has another pseudonym in each month, and nobody "
        "can follow anyone from one month to the next; a table can then span no more than a month.",
        examples=["quarter"],
    )
    leaks_at_most_pct: Percent = Field(
        default=0,
        description="How many values of a text column that is kept may look like a telephone number, an e-mail address "
        "or a document, in percent of the rows that have one. More than that refuses the delivery.",
        examples=[0.01],
    )
    names_at_most_pct: Percent = Field(
        default=5,
        description="The same for names of people, which are harder to tell from those of places and firms.",
        examples=[1],
    )
    recall_at_least_pct: dict[Kind, Percent] = Field(
        default=dict(TARGETS),
        description="How much personal data must be found, in percent of what was there, by kind. Free text in a "
        "language in which less is found is dropped whole; and when planted people are found less often, nothing is "
        "published.",
        examples=[{"phone": 99.5, "name": 85}],
    )
    quasi_identifiers: tuple[ColumnName, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=12,
        description="The columns, by their names after the gate, by which a row could be told from others: the report "
        "on k-anonymity looks at these. By default every column that is neither a number nor a pseudonym.",
        examples=[["district", "age_band"]],
    )
    sensitive: tuple[ColumnName, ...] = Field(
        default=(),
        max_length=12,
        description="The columns, by their names after the gate, that nobody should learn of a person: the report says "
        "how many different values (l-diversity) each group of like rows has.",
        examples=[["kind"]],
    )

    budget: Budget | None = Field(
        default=None,
        description="The privacy budget of the feed's contributors, which tables with `differential_privacy` draw on. "
        "A release that would go beyond it is refused.",
        examples=[{"epsilon": 12, "delta": 1e-5, "per": "year"}],
    )

    @field_validator("quasi_identifiers", "sensitive")
    @classmethod
    def _once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return names if names is None else once(names)
