"""Where a partner's files are: six kinds of source, and paths that name the period."""

from __future__ import annotations

import re
import string
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from acequia.agreement.closed import Closed, Name
from acequia.period import Period

_ANY_PERIOD = Period.parse("2026-11-16")


class PathTemplate:
    """Paths may hold `{period}`, and `{start}`, `{end}`, `{last}` with a date format such as `{start:%Y%m%d}`."""

    @staticmethod
    def check(template: str) -> str:
        """Refuse other placeholders, and paths that climb."""
        try:
            parts = list(string.Formatter().parse(template))
        except ValueError:
            raise ValueError("has a brace that is not closed") from None
        for _, name, form, conversion in parts:
            if name is not None and not _is_placeholder(name, form or "", conversion):
                raise ValueError("may hold only {period}, {start}, {end} and {last}, such as {start:%Y%m%d}")
        if "\\" in template or not template.isprintable():
            raise ValueError("is written with '/' and letters that can be seen")
        if ".." in PathTemplate.fill(template, _ANY_PERIOD).split("/"):
            raise ValueError("may not climb with '..'")
        if template.endswith("/"):
            raise ValueError("names files, so it may not end with '/'")
        return template

    @staticmethod
    def fill(template: str, period: Period) -> str:
        """The path for one period: `end` is the day after the last, `last` the last day inside."""
        return template.format(period=period.label, start=period.start, end=period.end, last=period.last_day)


def _is_placeholder(name: str, form: str, conversion: str | None) -> bool:
    if name == "period":
        return not form and not conversion
    plain = re.fullmatch(r"(%[YymdjVGu]|[\w/-])*", form, re.ASCII)
    return name in ("start", "end", "last") and not conversion and plain is not None


_PATH = Field(
    min_length=1,
    max_length=1000,
    description="Where the files of one period are. `{period}` is its label; `{start:%Y%m%d}`, `{end}` (the day after) "
    "and `{last}` are days; `*` stands for any part of a name.",
    examples=["outbox/events/{period}/*.csv.gz"],
)
_CONNECTION = Field(
    description="The connection (server, user, key), defined outside the agreement: connections.yaml, or Airflow.",
    examples=["pula_mobile_sftp"],
)


class _PathSource(Closed):
    path: str = _PATH

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        return PathTemplate.check(path)


class FolderSource(_PathSource):
    """Files in a folder of this machine: below ACEQUIA_HOME/inbox/<partner>, or below a connection's `path`."""

    type: Literal["folder"] = Field(description="Files in a folder of this machine.", examples=["folder"])
    connection: Name | None = Field(
        default=None,
        description="A connection whose `path` is the folder; by default ACEQUIA_HOME/inbox/<partner>.",
        examples=["pula_mobile_folder"],
    )

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        if path.startswith(("/", "~")):
            raise ValueError("starts inside the partner's folder, so it may not begin with '/' or '~'")
        return path


class UploadSource(Closed):
    """Files that the partner uploads to this installation (`acequia intake serve`), with a token of its own."""

    type: Literal["upload"] = Field(description="Files that the partner uploads here.", examples=["upload"])
    names: Annotated[str, StringConstraints(pattern=r"^[^/\\\s{}]{1,200}$")] = Field(
        default="*", description="Which file names are data; `*` stands for any part.", examples=["*.csv.gz"]
    )

    @property
    def path(self) -> str:
        """Where they lie below the feed's own folder of uploads."""
        return "{period}/" + self.names


class S3Source(_PathSource):
    """Objects of a bucket; `path` is the key, with `*` wildcards."""

    type: Literal["s3"] = Field(description="Objects of a bucket.", examples=["s3"])
    connection: Name = _CONNECTION
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]{1,62}$")] = Field(
        description="The bucket's name.", examples=["rambla-outbox"]
    )


class SftpSource(_PathSource):
    """Files on the partner's SFTP server, with `*` wildcards."""

    type: Literal["sftp"] = Field(description="Files on the partner's SFTP server.", examples=["sftp"])
    connection: Name = _CONNECTION


class HttpsSource(_PathSource):
    """Files of an HTTPS server: one path without wildcard, or with a manifest the files that it lists."""

    type: Literal["https"] = Field(description="Files of an HTTPS server.", examples=["https"])
    connection: Name = _CONNECTION


class SqlSource(Closed):
    """Rows of a database. The query names the period by `:period_start` and `:period_end` (the day after the last)."""

    type: Literal["sql"] = Field(description="Rows of a database.", examples=["sql"])
    connection: Name = _CONNECTION
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)] = Field(
        description="One SELECT of the agreed columns, for the period from `:period_start` up to, not including, "
        "`:period_end`.",
        examples=["SELECT trip_id, fare FROM trips WHERE day >= :period_start AND day < :period_end"],
    )

    @field_validator("query")
    @classmethod
    def _names_the_period(cls, query: str) -> str:
        if not re.match(r"(?i)(select|with)\b", query) or ";" in query.rstrip("; \n"):
            raise ValueError("must be one SELECT")
        if ":period_start" not in query or ":period_end" not in query:
            raise ValueError("must select the period by :period_start and :period_end")
        return query


Source = Annotated[
    FolderSource | UploadSource | S3Source | SftpSource | HttpsSource | SqlSource, Field(discriminator="type")
]
