"""A feed with every type and rule, and deliveries of it as the gate would hand them over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from acequia.agreement.model import Feed
from acequia.flow import Count, DeliveryId, Protected, RuleOutcome, Validated
from acequia.validate.arbiter import judge
from acequia.validate.suite import compiled
from acequia.validate.verdict import validate

FEED = """
delivery:
  source: {type: folder, path: "{period}/*.csv"}
  format: csv
  schedule: "0 6 * * *"
  timezone: Africa/Gaborone
  period: day
  due_within_hours: 30
  rows_between: [1, 1000]
columns:
  who:        {type: string,    treat: pseudonym}
  imei:       {type: string,    treat: drop}
  started_at: {type: timestamp, treat: {truncate_to: hour}, as: started_hour}
  ended_at:   {type: timestamp, treat: {seconds_since: started_at}, as: lasted_s}
  hour:       {type: timestamp, treat: {part: hour}, from: started_at}
  cell_id:    {type: string,    treat: {lookup: cell_to_district}, as: district}
  duration_s: {type: integer,   treat: keep, between: [0, 86400]}
  price:      {type: number,    treat: {round_to: 5}}
  spent:      {type: number,    treat: {top_code: 1000}, between: [0, null]}
  age:        {type: integer,   treat: {band: [0, 18, 65]}, required: false}
  postcode:   {type: string,    treat: {first: 2}}
  kind:       {type: string,    treat: keep, one_of: [call, sms, data]}
  code:       {type: string,    treat: keep, matches: "[A-Z]{2}[0-9]+", required: false}
  day:        {type: date,      treat: keep, between: ["2026-11-01", "2026-11-30"]}
  at:         {type: timestamp, treat: keep, between: ["2026-11-16 00:00:00", null]}
  roaming:    {type: boolean,   treat: keep}
  note:       {type: string,    treat: scrub_text}
rows: {set_aside_at_most_pct: 0}
tables:
  by_kind:
    describe: One row per kind.
    by: [kind]
    measures: {events_count: {count: rows}}
    protect: {contributor: who, min_contributors: 5}
"""

SMALL = """
delivery:
  source: {type: folder, path: "{period}/*.csv"}
  format: csv
  schedule: "0 6 * * *"
  timezone: Africa/Gaborone
  period: day
  due_within_hours: 30
  rows_between: [0, 1000000]
columns:
  duration_s: {type: integer, treat: keep, between: [0, 86400]}
  kind:       {type: string,  treat: keep, one_of: [call, sms, data]}
rows: {set_aside_at_most_pct: 0}
tables:
  by_kind:
    describe: One row per kind.
    by: [kind]
    measures: {events_count: {count: rows}}
    protect: {none_because: made up for a test}
"""

ROW = {
    "who": "'0123456789abcdef0123456789abcdef'",
    "started_hour": "TIMESTAMP '2026-11-16 08:00:00'",
    "lasted_s": "90::BIGINT",
    "hour": "8::BIGINT",
    "district": "'_U'",
    "duration_s": "90::BIGINT",
    "price": "5.0::DOUBLE",
    "spent": "10.5::DOUBLE",
    "age": "'18..65'",
    "postcode": "'11'",
    "kind": "'call'",
    "code": "'AB12'",
    "day": "DATE '2026-11-16'",
    "at": "TIMESTAMP '2026-11-16 08:12:13'",
    "roaming": "true",
    "note": "'called about <PHONE>'",
}


def tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: tuples(item) for key, item in value.items()}
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def feed_of(text: str = FEED, **changes: Any) -> Feed:
    """The feed, with dotted places replaced, such as `rows__set_aside_at_most_pct=1`."""
    said = yaml.safe_load(text)
    for place, value in changes.items():
        *path, last = place.split("__")
        part = said
        for step in path:
            part = part[step]
        part[last] = value
    return Feed.model_validate(tuples(said))


@dataclass
class Deliveries:
    """Writes protected deliveries and lets them be judged."""

    home: Path
    expectations: Path

    def protected(
        self,
        rows: int = 10,
        aside: dict[str, int] | None = None,
        rules: tuple[tuple[str, str, int], ...] = (),
        sql: str = "",
        version: int = 1,
        **cells: str,
    ) -> Protected:
        """`rows` equal rows, of which the last one has `cells` in it; or the rows of `sql`."""
        path = self.home / "workspace" / f"v{version}" / "protected.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        usual = ", ".join(f"{value} AS {name}" for name, value in ROW.items())
        last = ", ".join(f"{value} AS {name}" for name, value in {**ROW, **cells}.items())
        query = sql or (
            f"SELECT {usual} FROM range({max(rows - 1, 0)}) UNION ALL BY NAME SELECT {last} FROM range({min(rows, 1)})"
        )
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
            described = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
            held = connection.execute(f"SELECT count(*) FROM '{path}'").fetchone()
        assert held is not None
        aside = aside or {}
        return Protected(
            delivery=DeliveryId(partner="pula_mobile", feed="events", period="2026-11-16", version=version),
            path=str(path),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            columns={name: kind for name, kind, *_ in described},
            count=Count(rows_in=held[0] + sum(aside.values()), rows_out=held[0], set_aside=aside),
            rules=tuple(RuleOutcome(column=column, rule=rule, rows_failing=n) for column, rule, n in rules),
        )

    def judge(self, feed: Feed | None = None, protected: Protected | None = None, **made: Any) -> Validated:
        return validate(
            protected or self.protected(**made),
            feed or feed_of(),
            expectations=self.expectations,
            docs=self.home / "data_docs",
            memory_limit="1GB",
        )


def about(column: str, **cells: str) -> list[tuple[str, int | None]]:
    """The compiled checks about one column that fail on two rows, of which the second one has `cells` in it."""
    expected = [one for one in compiled(feed_of()) if one.column == column]
    rows = [", ".join(f"{value} AS {name}" for name, value in row.items()) for row in (ROW, {**ROW, **cells})]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE rows AS SELECT {rows[0]} UNION ALL BY NAME SELECT {rows[1]}")
        verdicts = judge(connection, "rows", expected)
    return [(verdict.expected.name, verdict.rows_failing) for verdict in verdicts if not verdict.passed]
