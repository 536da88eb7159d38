"""How and when a partner delivers: source, format, schedule, period, manifest."""

from __future__ import annotations

import codecs
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from acequia.agreement.closed import Closed, Day, Misfit, Name, Text, differs, near, once, refuse
from acequia.agreement.promises import History
from acequia.agreement.sources import (
    FolderSource,
    HttpsSource,
    PathTemplate,
    S3Source,
    SftpSource,
    Source,
    SqlSource,
    UploadSource,
)
from acequia.period import Period, PeriodKind

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Numbers, their signs, months, days, the last day; not croniter's random and hashed fields, which differ by machine.
_CRON = re.compile(
    r"(?:[\d*/,#\- ]|l|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)+",
    re.ASCII | re.IGNORECASE,
)


class FormatOptions(Closed):
    """How files are written; each has the usual default."""

    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[^\r\n]$")] = Field(
        default=",", description="What stands between two fields of a CSV file.", examples=[";"]
    )
    quote: Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[^\r\n]$")] = Field(
        default='"', description="What stands around fields of a CSV file that hold a delimiter.", examples=["'"]
    )
    encoding: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        default="utf-8", description="The encoding of CSV and JSONL files.", examples=["latin-1"]
    )
    header: bool = Field(
        default=True,
        description="Whether the first line names the columns; without, columns come in the order of the agreement.",
        examples=[False],
    )
    null_values: tuple[str, ...] = Field(
        default=("",), max_length=50, description="The texts that stand for null.", examples=[["", "NA"]]
    )
    decimal_comma: bool = Field(default=False, description="Whether numbers are written 1,5.", examples=[True])
    sheet: Text | None = Field(default=None, description="The sheet of an XLSX file; the first one.", examples=["Data"])

    @field_validator("null_values", mode="before")
    @classmethod
    def _digits(cls, values: Any) -> Any:
        return (
            tuple(str(value) if type(value) is int else value for value in values) if type(values) is tuple else values
        )

    @field_validator("quote")
    @classmethod
    def _differs(cls, quote: str, info: ValidationInfo) -> str:
        if quote == info.data.get("delimiter"):
            raise ValueError("is the delimiter too")
        return quote

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            known = codecs.lookup(encoding)
        except (LookupError, ValueError):
            known = None
        if known is None or not getattr(known, "_is_text_encoding", True) or known.name in _NO_ENCODINGS:
            raise ValueError("is no encoding that Python knows, such as utf-8 or latin-1")
        return encoding


# Python's own ways of writing texts, which no partner's system writes.
_NO_ENCODINGS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7", "charmap"})
_ONLY_FOR: dict[str, tuple[str, ...]] = {
    "delimiter": ("csv",),
    "quote": ("csv",),
    "decimal_comma": ("csv",),
    "header": ("csv", "xlsx"),
    "encoding": ("csv", "jsonl"),
    "sheet": ("xlsx",),
}


class Delivery(Closed):
    """When a delivery is due, where it is found, how it is written."""

    source: Source = Field(
        description="Where the files are.",
        examples=[{"type": "sftp", "connection": "pula_mobile_sftp", "path": "outbox/{period}/*.csv.gz"}],
    )
    format: Literal["csv", "parquet", "jsonl", "xlsx"] = Field(
        description="How the files are written. CSV and JSONL may be compressed (.gz).", examples=["csv"]
    )
    options: FormatOptions = Field(
        default=FormatOptions(),
        description="How exactly, where it differs from the usual.",
        examples=[{"delimiter": ";"}],
    )
    schedule: str = Field(
        max_length=200,
        description="When the delivery of the period that ended last is fetched: a cron schedule of five fields.",
        examples=["0 6 * * *"],
    )
    timezone: str = Field(
        max_length=64,
        description="The time zone of the schedule, and in which days begin.",
        examples=["Africa/Gaborone"],
    )
    period: PeriodKind = Field(description="What one delivery covers. Weeks are ISO weeks.", examples=["day"])
    due_within_hours: Annotated[int, Field(ge=1, le=24 * 366)] = Field(
        description="Until when after the end of the period a delivery is in time.", examples=[30]
    )
    grace_hours: Annotated[int, Field(ge=0, le=24 * 366)] = Field(
        default=24, description="For how many hours after that it is late; then it is missing.", examples=[48]
    )
    watched_days: Annotated[int, Field(ge=1, le=3660)] = Field(
        default=60,
        description="For how many days after the end of its period a delivery is still looked for: a late one, or one "
        "sent again with corrections. Later ones are run by hand.",
        examples=[100],
    )
    calendar: Name | None = Field(
        default=None,
        description="Holidays on which nothing is due: config/reference/holidays_<calendar>.csv.",
        examples=["botswana"],
    )
    nothing_due: tuple[Day, ...] = Field(
        default=(),
        max_length=1000,
        description="More days on which nothing is due, such as those of an agreed stop of the partner's system.",
        examples=[["2026-12-24", "2026-12-31"]],
    )
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1)] = Field(
        default=WEEKDAYS, description="The days on which a daily feed delivers.", examples=[["monday", "friday"]]
    )
    manifest: Literal["required", "optional", "none"] = Field(
        default="none",
        validate_default=True,
        description="Whether the partner sends a list of the files with their SHA-256, uploaded last.",
        examples=["required"],
    )
    signature: Literal["required", "optional", "none"] = Field(
        default="none",
        validate_default=True,
        description="Whether the manifest is signed (`manifest.jws`), with one of the agreement's `signing_keys`.",
        examples=["required"],
    )
    encryption: Literal["required", "optional", "none"] = Field(
        default="none",
        validate_default=True,
        description="Whether the files come encrypted with age (`….age`), to the keys of `acequia keys intake`.",
        examples=["required"],
    )
    rows_between: tuple[int, int] = Field(
        default=(1, 1_000_000_000),
        description="Fewest and most rows of a delivery; one outside is refused.",
        examples=[[1000, 500000000]],
    )
    bytes_at_most: Annotated[int, Field(ge=1)] = Field(
        default=20 * 2**30, description="The largest delivery that is read, in bytes.", examples=[1000000000]
    )
    settle_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        default=2, description="For how many seconds a file must not have grown before it is read.", examples=[60]
    )

    history: History = Field(
        default=History(),
        description="How a delivery is compared with those that were accepted before it.",
        examples=[{"volume_pct": 50, "then": "stop"}],
    )

    @field_validator("schedule")
    @classmethod
    def _five_fields(cls, schedule: str) -> str:
        try:
            if len(schedule.split()) != 5 or not _CRON.fullmatch(schedule):
                raise ValueError
            croniter(schedule, datetime(2026, 1, 1, tzinfo=UTC)).get_next()  # 30 February never comes
        except (ValueError, KeyError):
            raise ValueError('must be a cron schedule of five fields, such as "0 6 * * *"') from None
        return schedule

    @field_validator("timezone")
    @classmethod
    def _zone(cls, timezone: str) -> str:
        if timezone not in zones():
            meant = near(timezone, zones())
            raise ValueError(
                "is no time zone, such as Africa/Gaborone or America/Montevideo"
                + (f"; did you mean {meant}?" if meant else "")
            )
        return timezone

    @field_validator("weekdays")
    @classmethod
    def _once(cls, weekdays: tuple[Weekday, ...], info: ValidationInfo) -> tuple[Weekday, ...]:
        if info.data.get("period", "day") != "day":
            raise ValueError("is for daily feeds")
        return once(weekdays)  # type: ignore[return-value]

    @field_validator("rows_between")
    @classmethod
    def _ordered(cls, bounds: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= bounds[0] <= bounds[1]:
            raise ValueError("must be two numbers, the smaller first, none below 0")
        return bounds

    @field_validator("format")
    @classmethod
    def _of_source(cls, form: str, info: ValidationInfo) -> str:
        if _kind(info) == "sql" and form != "parquet":
            raise ValueError("is parquet for a sql source: so the extract is kept")
        return form

    @field_validator("options")
    @classmethod
    def _of_format(cls, options: FormatOptions, info: ValidationInfo) -> FormatOptions:
        form = info.data.get("format")
        refuse(
            Misfit((option,), f"is for {' and '.join(formats)} files")
            for option, formats in _ONLY_FOR.items()
            if form and form not in formats and differs(options, option)
        )
        return options

    @field_validator("manifest")
    @classmethod
    def _can_be_had(cls, manifest: str, info: ValidationInfo) -> str:
        if _kind(info) == "sql" and manifest != "none":
            raise ValueError("is none for a sql source")
        if _kind(info) == "https" and manifest != "required" and set("*?[") & set(info.data["source"].path):
            raise ValueError("must be required where an https path holds *, since such a server cannot be listed")
        return manifest

    @field_validator("signature")
    @classmethod
    def _of_manifest(cls, signature: str, info: ValidationInfo) -> str:
        if signature != "none" and info.data.get("manifest") == "none":
            raise ValueError("signs the manifest, and none is agreed")
        if signature == "required" and info.data.get("manifest") == "optional":
            raise ValueError("is required, so the manifest must be too")
        return signature

    @field_validator("encryption")
    @classmethod
    def _of_files(cls, encryption: str, info: ValidationInfo) -> str:
        if encryption != "none" and _kind(info) == "sql":
            raise ValueError("is none for a sql source")
        return encryption

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin."""
        return ZoneInfo(self.timezone)

    def is_due(self, period: Period, holidays: frozenset[date] = frozenset()) -> bool:
        """Whether a delivery is expected for this period: its weekday is agreed, and it is not all holidays."""
        days = [period.start + timedelta(days=n) for n in range((period.end - period.start).days)]
        free = self.nothing_due
        return any(WEEKDAYS[day.weekday()] in self.weekdays and day not in free and day not in holidays for day in days)


def _kind(info: ValidationInfo) -> str | None:
    source = info.data.get("source")
    return source.type if source is not None else None


@cache
def zones() -> frozenset[str]:
    """The time zones that there are, without the aliases of this machine's own files."""
    return frozenset(zone for zone in available_timezones() if zone not in ("localtime", "posixrules", "Factory"))


__all__ = ["WEEKDAYS", "Delivery", "FolderSource", "FormatOptions", "HttpsSource", "PathTemplate", "S3Source",
           "SftpSource", "Source", "SqlSource", "UploadSource", "Weekday", "zones"]  # fmt: skip
