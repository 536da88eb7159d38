"""The agreement as a whole: terms, feeds, and what must hold between their parts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from acequia.agreement.closed import Closed, ColumnName, Day, Name, Text, once, refuse
from acequia.agreement.columns import Column, Rows
from acequia.agreement.delivery import Delivery
from acequia.agreement.fits import (
    agreement_misfits,
    column_misfits,
    consumer_misfits,
    privacy_misfits,
    protected_name,
    rotation_misfits,
    rows_misfits,
    signing_misfits,
    table_misfits,
)
from acequia.agreement.privacy import Privacy
from acequia.agreement.promises import KeyId, Notices, SigningKey
from acequia.agreement.tables import Table
from acequia.errors import AcequiaError
from acequia.period import Period

VERSION = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$"
COUNTRY = r"^[A-Z]{2}$"
EMAIL = r"^[^@\s]+@[^@\s]+$"
TRANSFORM = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"

Email = Annotated[str, StringConstraints(pattern=EMAIL, max_length=254)]


class Contacts(Closed):
    """Who is told. Addresses of offices, not of people."""

    partner: Email = Field(description="The partner's data desk.", examples=["data-desk@pula.example"])
    steward: Email = Field(
        description="The steward, who answers for the releases.", examples=["mobility@stats.example"]
    )
    dpo: Email = Field(description="The data protection officer.", examples=["dpo@stats.example"])
    consumers: dict[Name, Email] = Field(
        default={},
        max_length=100,
        description="Who is told at each recipient when tables are published, restated or late.",
        examples=[{"ministry_of_transport": "data@transport.example"}],
    )


class Terms(Closed):
    """The terms that a lawyer would look for. Both days are inside; periods outside them are refused."""

    version: Annotated[str, StringConstraints(pattern=VERSION)] = Field(
        description="The version of the agreement. Change it with every change that was agreed.", examples=["1.2"]
    )
    legal_basis: Text = Field(
        description="The law and the contract on which the data is shared.",
        examples=["Statistics Act s.12; agreement 2026-014"],
    )
    purposes: tuple[Name, ...] = Field(
        min_length=1,
        max_length=100,
        description="What the data may be used for; nothing else.",
        examples=[["official_statistics", "disaster_response"]],
    )
    signed_on: Day = Field(description="The day of the signature.", examples=["2026-03-01"])
    starts_on: Day | None = Field(
        default=None,
        description="The first day that is covered; by default that of the signature.",
        examples=["2026-04-01"],
    )
    effective_from: Day | None = Field(
        default=None,
        description="From which day's periods on this version holds; by default from the first day that is covered. "
        "Versions before it lie in config/partners/<partner>/<version>.yaml, and hold for earlier periods.",
        examples=["2027-01-01"],
    )
    expires_on: Day = Field(
        description="The last day that is covered. Periods after it are refused: nothing is pulled, nothing published.",
        examples=["2028-02-29"],
    )
    raw_kept_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        description="For how many days the raw files are kept, encrypted; then they are deleted.", examples=[14]
    )
    protected_kept_days: Annotated[int, Field(ge=0, le=36500)] = Field(
        description="For how many days protected rows are kept in the restricted workspace; then they are deleted.",
        examples=[400],
    )
    contacts: Contacts = Field(
        description="Who is told. Addresses of offices, not of people.",
        examples=[
            {"partner": "data-desk@pula.example", "steward": "mobility@stats.example", "dpo": "dpo@stats.example"}
        ],
    )
    recipients: tuple[Name, ...] = Field(
        min_length=1,
        max_length=100,
        description="Who may read what is published.",
        examples=[["ministry_of_transport", "statistics_office"]],
    )

    @property
    def holds_from(self) -> date:
        """The first day of the periods on which this version holds."""
        return self.effective_from or self.starts_on or self.signed_on

    @field_validator("purposes", "recipients")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return once(names)

    @field_validator("expires_on")
    @classmethod
    def _in_order(cls, expires_on: date, info: ValidationInfo) -> date:
        first = info.data.get("starts_on") or info.data.get("signed_on")
        if first is not None and first > expires_on:
            raise ValueError(f"lies before the agreement starts, on {first}")
        effective = info.data.get("effective_from")
        if effective is not None and first is not None and not first <= effective <= expires_on:
            raise ValueError("must not lie before effective_from, nor that before the agreement starts")
        return expires_on


class Feed(Closed):
    """One recurring stream of extracts."""

    describe: Text | None = Field(
        default=None, description="What one row is.", examples=["One row per call or message."]
    )
    delivery: Delivery = Field(description="When a delivery is due, where it is found, how it is written.")
    columns: dict[ColumnName, Column] = Field(
        min_length=1,
        max_length=2000,
        description="Every column that arrives, by its name in the file, and those that are made from them. One that "
        "arrives and is not listed refuses the delivery.",
        examples=[{"msisdn": {"type": "string", "treat": "pseudonym"}}],
    )
    rows: Rows = Field(
        default=Rows(),
        description="Which rows are set aside before anything else, and how many may be.",
        examples=[{"duplicates": "set_aside"}],
    )
    privacy: Privacy = Field(
        default=Privacy(),
        description="What the feed promises about people beyond its columns' treatments.",
        examples=[{"rotate": "quarter"}],
    )
    transform: Annotated[str, StringConstraints(pattern=TRANSFORM)] | None = Field(
        default=None,
        description="A statistical transform of transforms/<domain>.py through which the protected rows go.",
        examples=["mobility.active_subscribers"],
    )
    tables: dict[Name, Table] = Field(
        min_length=1, max_length=200, description="The tables that are published from the feed, by name."
    )

    @property
    def arriving(self) -> dict[str, Column]:
        """The columns that a delivery holds, by the name under which they arrive."""
        return {name: column for name, column in self.columns.items() if column.from_ is None}

    @property
    def kept(self) -> dict[str, str]:
        """The columns of protected rows: name there -> key in `columns`."""
        return {protected_name(key, column): key for key, column in self.columns.items() if column.treat != "drop"}

    @model_validator(mode="after")
    def _hangs_together(self) -> Feed:
        refuse(
            [
                *(misfit.below("columns") for misfit in column_misfits(self.columns)),
                *(misfit.below("rows") for misfit in rows_misfits(self.columns, self.rows)),
                *(misfit.below("privacy") for misfit in privacy_misfits(self.columns, self.privacy)),
                *(
                    misfit.below("tables")
                    for misfit in table_misfits(self.tables, self.columns, self.transform, self.delivery.period)
                ),
                *(misfit.below("tables") for misfit in rotation_misfits(self.tables, self.columns, self.privacy)),
            ]
        )
        return self


class Agreement(Closed):
    """The data sharing agreement with one partner."""

    partner: Name = Field(
        description="The partner's id: the name of the file, and of the namespace in the lake.",
        examples=["pula_mobile"],
    )
    name: Text = Field(description="The partner's full name.", examples=["Pula Mobile (Pty) Ltd"])
    country: Annotated[str, StringConstraints(pattern=COUNTRY)] = Field(
        description="The country, as two letters of ISO 3166.", examples=["BW"]
    )
    language: Literal["en", "es"] = Field(
        default="en", description="The language of free text, and of the agreement in plain words.", examples=["es"]
    )
    terms: Terms = Field(description="What a lawyer would look for.")
    signing_keys: dict[KeyId, SigningKey] = Field(
        default={},
        max_length=100,
        description="The public keys with which the partner signs manifests, by the id that a signature names (`kid`).",
        examples=[
            {
                "desk-2026": {
                    "public": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
                    "from": "2026-03-01",
                }
            }
        ],
    )
    notices: Notices = Field(
        default=Notices(), description="How partner, steward and consumers are told.", examples=[{"language": "es"}]
    )
    feeds: dict[Name, Feed] = Field(
        min_length=1, max_length=100, description="The recurring streams of extracts, by name."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Agreement:
        tables = {name: feed.tables for name, feed in self.feeds.items()}
        refuse(
            [
                *agreement_misfits(tables, self.terms.recipients),
                *consumer_misfits(self.terms.contacts.consumers, self.terms.recipients),
                *signing_misfits(
                    {name: feed.delivery.signature for name, feed in self.feeds.items()}, self.signing_keys
                ),
            ]
        )
        return self

    def feed(self, name: str) -> Feed:
        """The feed of that name; `unknown_name` lists the others."""
        if name not in self.feeds:
            raise AcequiaError(
                "unknown_name", f"{self.partner} has no feed of that name; it has {', '.join(self.feeds)}"
            )
        return self.feeds[name]

    def require_in_force(self, period: Period) -> None:
        """Refuse a period that the terms do not cover. The last period's delivery may arrive after the last day."""
        terms, where = self.terms, f"{self.partner} {period}"
        if period.last_day > terms.expires_on:
            raise AcequiaError(
                "agreement_expired", f"the agreement ended on {terms.expires_on}, before this period did", where=where
            )
        if period.start < terms.holds_from:
            raise AcequiaError("period_outside_agreement", f"the agreement starts on {terms.holds_from}", where=where)


__all__ = ["Agreement", "Contacts", "Feed", "Terms", "protected_name"]
