"""How and when a partner delivers: source, format, schedule, period, manifest."""

from __future__ import annotations

import string
from datetime import date, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from acequia.period import Period, PeriodKind

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Closed(BaseModel):
    """Unknown keys are errors; a value never changes once read; types are taken as written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PathTemplate:
    """Paths may hold `{period}`, and `{start}`, `{end}`, `{last}` with a date format such as `{start:%Y%m%d}`."""

    @staticmethod
    def check(template: str) -> str:
        """Refuse other placeholders, and paths that climb."""
        try:
            parts = list(string.Formatter().parse(template))
        except ValueError:
            raise ValueError("has a brace that is not closed") from None
        for _, name, _, conversion in parts:
            if name is not None and (name not in ("period", "start", "end", "last") or conversion):
                raise ValueError("may hold only {period}, {start}, {end} and {last}, such as {start:%Y%m%d}")
        if ".." in template.replace("\\", "/").split("/"):
            raise ValueError("may not climb with '..'")
        if "\\" in template or "\0" in template:
            raise ValueError("is written with '/'")
        return template

    @staticmethod
    def fill(template: str, period: Period) -> str:
        """The path for one period: `end` is the day after the last, `last` the last day inside."""
        return template.format(period=period.label, start=period.start, end=period.end, last=period.last_day)


Path_ = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class _PathSource(Closed):
    path: Path_

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        return PathTemplate.check(path)


class FolderSource(_PathSource):
    """Files in a folder of this machine: below ACEQUIA_HOME/inbox/<partner>, or below a connection's `path`."""

    type: Literal["folder"]
    connection: Name | None = None


class S3Source(_PathSource):
    """Objects of a bucket; `path` is the key, with `*` wildcards."""

    type: Literal["s3"]
    connection: Name
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]{1,62}$")]


class SftpSource(_PathSource):
    """Files on the partner's SFTP server, with `*` wildcards."""

    type: Literal["sftp"]
    connection: Name


class HttpsSource(_PathSource):
    """Files of an HTTPS server: one path without wildcard, or with a manifest the files that it lists."""

    type: Literal["https"]
    connection: Name


class SqlSource(Closed):
    """Rows of a database. The query names the period by `:period_start` and `:period_end` (the day after the last)."""

    type: Literal["sql"]
    connection: Name
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]

    @field_validator("query")
    @classmethod
    def _names_the_period(cls, query: str) -> str:
        if ":period_start" not in query or ":period_end" not in query:
            raise ValueError("must select the period by :period_start and :period_end")
        return query


Source = Annotated[FolderSource | S3Source | SftpSource | HttpsSource | SqlSource, Field(discriminator="type")]


class FormatOptions(Closed):
    """How files are written; each has the usual default."""

    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    quote: Annotated[str, StringConstraints(min_length=1, max_length=1)] = '"'
    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] = "utf-8"
    header: bool = True
    null_values: tuple[str, ...] = Field(default=("",))
    decimal_comma: bool = False
    sheet: str | None = None

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            return "".encode(encoding) and encoding or encoding
        except LookupError:
            raise ValueError("is no encoding that Python knows, such as utf-8 or latin-1") from None


class Delivery(Closed):
    """When a delivery is due, where it is found, how it is written."""

    source: Source
    format: Literal["csv", "parquet", "jsonl", "xlsx"]
    options: FormatOptions = FormatOptions()
    schedule: str
    timezone: str
    period: PeriodKind
    due_within_hours: Annotated[int, Field(ge=1, le=24 * 366)]
    calendar: Name | None = None
    weekdays: tuple[Weekday, ...] = Field(default=WEEKDAYS)
    manifest: Literal["required", "optional", "none"] = "none"
    rows_between: tuple[int, int] = Field(default=(1, 1_000_000_000))
    bytes_at_most: Annotated[int, Field(ge=1)] = 20 * 2**30
    settle_seconds: Annotated[int, Field(ge=0, le=3600)] = 2

    @field_validator("schedule")
    @classmethod
    def _five_fields(cls, schedule: str) -> str:
        if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
            raise ValueError('must be a cron schedule of five fields, such as "0 6 * * *"')
        return schedule

    @field_validator("timezone")
    @classmethod
    def _zone(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            raise ValueError("is no time zone, such as Africa/Gaborone or America/Montevideo")
        return timezone

    @field_validator("rows_between")
    @classmethod
    def _ordered(cls, bounds: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= bounds[0] <= bounds[1]:
            raise ValueError("must be two numbers, the smaller first, none below 0")
        return bounds

    @model_validator(mode="after")
    def _fits(self) -> Delivery:
        if self.source.type == "sql":
            if self.format != "parquet" or self.manifest != "none":
                raise ValueError("a sql source has `format: parquet` (what is extracted) and `manifest: none`")
        elif self.source.type == "https" and "*" in self.source.path and self.manifest != "required":
            raise ValueError("an https source cannot be listed: give one path, or `manifest: required`")
        if self.period != "day" and self.weekdays != WEEKDAYS:
            raise ValueError("`weekdays` is for daily feeds")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin."""
        return ZoneInfo(self.timezone)

    def is_due(self, period: Period, holidays: frozenset[date] = frozenset()) -> bool:
        """Whether a delivery is expected for this period: its weekday is agreed, and it is not all holidays."""
        days = [period.start + timedelta(days=n) for n in range((period.end - period.start).days)]
        return any(WEEKDAYS[day.weekday()] in self.weekdays and day not in holidays for day in days)
