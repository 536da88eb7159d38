"""What partner and office promise each other about deliveries: how they are signed, watched, compared, and told of."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from acequia.agreement.closed import Closed, Day, Name

PUBLIC_KEY = r"^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$"

KeyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Person = Literal["partner", "steward", "consumers"]


class SigningKey(Closed):
    """A public key with which the partner signs manifests, and the periods for which it may."""

    public: Annotated[str, StringConstraints(pattern=PUBLIC_KEY)] = Field(
        description="The Ed25519 public key: the one line between BEGIN and END of what `openssl pkey -pubout` writes.",
        examples=["MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="],
    )
    from_: Day = Field(alias="from", description="The first day of the periods that it signs.", examples=["2026-03-01"])
    until: Day | None = Field(
        default=None,
        description="The last day of the periods that it signs; by default that of the agreement. Of keys that overlap "
        "either signs, so that one can follow the other.",
        examples=["2027-03-31"],
    )

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("from_")
        if until is not None and first is not None and until < first:
            raise ValueError(f"lies before its first day, {first}")
        return until


class Notices(Closed):
    """How partner, steward and consumers are told what became of a promise. By e-mail always, to `terms.contacts`."""

    language: Literal["en", "es"] | None = Field(
        default=None, description="The language of notices; by default that of the agreement.", examples=["es"]
    )
    before_due_hours: Annotated[int, Field(ge=0, le=24 * 31)] = Field(
        default=12,
        description="How many hours before a delivery is due the partner is reminded, if nothing came; 0 for never.",
        examples=[24],
    )
    webhooks: dict[Person, Name] = Field(
        default={},
        description="Connections (url, secret) at which the same notices are posted, signed, besides the e-mail.",
        examples=[{"partner": "pula_mobile_webhook"}],
    )


class History(Closed):
    """How a delivery is compared with those that were accepted before it."""

    volume_pct: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=30,
        description="By how many percent its rows may differ from the median of its likes; null for any number.",
        examples=[50],
    )
    deviations: Annotated[float, Field(gt=0, le=100)] | None = Field(
        default=4,
        description="How many standard deviations its rows may lie from the mean of its likes. Both must be passed "
        "before it is told, so that a quiet feed does not cry wolf.",
        examples=[3],
    )
    mix_points: Annotated[float, Field(gt=0, le=100)] | None = Field(
        default=10,
        description="By how many percentage points the share of one agreed value (`one_of`) of a kept column, or of "
        "empty values, may differ from the mean of its likes; null for any share.",
        examples=[5],
    )
    like: Literal["same_weekday", "same_month", "any"] | None = Field(
        default=None,
        description="Which earlier deliveries are its likes: for daily feeds by default those of the same weekday, "
        "holidays with holidays; `same_month` those of the same month of earlier years; else all.",
        examples=["same_weekday"],
    )
    at_least: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=4, description="With fewer likes than this nothing is said.", examples=[8]
    )
    at_most: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=26, description="So many likes are looked at, the latest first.", examples=[52]
    )
    then: Literal["warn", "stop"] = Field(
        default="warn",
        description="What follows: a warning in the receipt and to the steward, or the refusal of the delivery.",
        examples=["stop"],
    )


__all__ = ["History", "Notices", "Person", "SigningKey"]
