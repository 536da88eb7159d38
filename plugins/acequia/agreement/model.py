"""The agreement as a whole: terms, feeds, and what must hold between their parts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from acequia.agreement.columns import Column, ColumnName, Rows, SecondsSince
from acequia.agreement.delivery import Closed, Delivery, Name, Text
from acequia.agreement.tables import Protection, Table
from acequia.errors import AcequiaError
from acequia.period import Period

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Contacts(Closed):
    """Who is told. Addresses of offices, not of people."""

    partner: Email
    steward: Email
    dpo: Email


class Terms(Closed):
    """The terms that a lawyer would look for. Both days are inside; periods outside them are refused."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$")]
    legal_basis: Text
    purposes: tuple[Name, ...] = Field(min_length=1)
    signed_on: date
    starts_on: date | None = None
    expires_on: date
    raw_kept_days: Annotated[int, Field(ge=0, le=3650)]
    protected_kept_days: Annotated[int, Field(ge=0, le=36500)]
    contacts: Contacts
    recipients: tuple[Name, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Terms:
        if not (self.starts_on or self.signed_on) <= self.expires_on:
            raise ValueError("expires_on lies before the agreement starts")
        return self


class Feed(Closed):
    """One recurring stream of extracts."""

    describe: Text | None = None
    delivery: Delivery
    columns: dict[ColumnName, Column] = Field(min_length=1, max_length=2000)
    rows: Rows = Rows()
    transform: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")] | None = None
    tables: dict[Name, Table] = Field(min_length=1, max_length=200)

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
        problems = [*self._column_problems(), *self._table_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _column_problems(self) -> list[str]:
        problems, seen = [], set()
        for key, column in self.columns.items():
            name = protected_name(key, column)
            if column.treat != "drop" and name in seen:
                problems.append(f"columns.{key}: a second column is named {name}; give it another `as`")
            seen |= {name} if column.treat != "drop" else set()
            if column.from_ is not None and column.from_ not in self.arriving:
                problems.append(f"columns.{key}.from: {column.from_} is not a column that arrives")
            if isinstance(column.treat, SecondsSince):
                other = self.arriving.get(column.treat.seconds_since)
                if other is None or other.type != "timestamp":
                    problems.append(f"columns.{key}.treat.seconds_since: no timestamp column of that name arrives")
        if self.rows.period_column is not None:
            at = self.arriving.get(self.rows.period_column)
            if at is None or at.type not in ("timestamp", "date"):
                problems.append("rows.period_column: no timestamp or date column of that name arrives")
        return problems

    def _table_problems(self) -> list[str]:
        problems = []
        for name, table in self.tables.items():
            if table.over != "delivery" and _LENGTH[table.over] <= _LENGTH[self.delivery.period]:
                problems.append(f"tables.{name}.over: must be longer than the feed's period")
            if self.transform is None:
                protected = set(self.kept)
                problems += [f"tables.{name}.by: {column} is not a kept column" for column in table.by
                             if column not in protected]  # fmt: skip
                if isinstance(table.protect, Protection) and table.protect.contributor not in protected | {"rows"}:
                    problems.append(
                        f"tables.{name}.protect.contributor: {table.protect.contributor} is not a kept column"
                    )
        return problems


_LENGTH = {"delivery": 0, "day": 1, "week": 2, "month": 3, "quarter": 4, "year": 5}


class Agreement(Closed):
    """The data sharing agreement with one partner."""

    partner: Name
    name: Text
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    language: Literal["en", "es"] = "en"
    terms: Terms
    feeds: dict[Name, Feed] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _agrees(self) -> Agreement:
        owner: dict[str, str] = {}
        for feed_name, feed in self.feeds.items():
            for table_name, table in feed.tables.items():
                if table_name in owner:
                    raise ValueError(
                        f"feeds.{feed_name}.tables.{table_name}: {owner[table_name]} has a table of that name"
                    )
                owner[table_name] = feed_name
                strangers = set(table.recipients or ()) - set(self.terms.recipients)
                if strangers:
                    raise ValueError(
                        f"feeds.{feed_name}.tables.{table_name}.recipients: {', '.join(sorted(strangers))} is not in "
                        "terms.recipients"
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
        if period.start < (terms.starts_on or terms.signed_on):
            raise AcequiaError(
                "period_outside_agreement", f"the agreement starts on {terms.starts_on or terms.signed_on}", where=where
            )


def protected_name(key: str, column: Column) -> str:
    """The name that a column has after the gate."""
    return column.as_ or key
