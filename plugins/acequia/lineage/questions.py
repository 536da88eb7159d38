"""Where does a table come from? Asked of the tables beside the ledger, by one recursive query on either database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import CTE, Connection, RowMapping, and_, literal, or_, select

from acequia.flow import DeliveryId
from acequia.ledger.database import open_database, reading
from acequia.lineage import models
from acequia.lineage.names import NAMESPACE
from acequia.period import Period
from acequia.settings import Settings

_DEPTH = 20
_SHORT = 8  # characters of a run's id that tell it from others; events.jsonl has the whole


@dataclass(frozen=True)
class Behind:
    """One delivery behind one period of a table: under which agreement it was read, and which checks it passed.

    `runs` gives the run of each step, `failed_checks` what did not pass (a table that is published has none).
    """

    table: str
    period: str
    snapshot: str
    published_at: str
    delivery: str
    agreement_version: str
    agreement_sha256: str
    checks_passed: int
    checks_failed: int
    failed_checks: tuple[str, ...]
    runs: Mapping[str, str]

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return {
            "period": self.period,
            "delivery": self.delivery,
            "agreement": self.agreement_version,
            "checks_passed": self.checks_passed,
            "checks_failed": self.checks_failed,
            "published_at": self.published_at,
            "snapshot": self.snapshot,
            "runs": ", ".join(f"{step} {run[:_SHORT]}" for step, run in self.runs.items()),
        }

    def as_dict(self) -> dict[str, Any]:
        """For programs: everything."""
        return asdict(self)


@dataclass(frozen=True)
class Way:
    """One way from a column that arrived to a column of a table, with what was done to it on the way."""

    column: str
    how: str
    from_column: str
    treatment: str
    arrived_as: str
    masked: bool

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def upstream(
    settings: Settings, table: str, *, period: str | None = None, snapshot: int | str | None = None
) -> list[Behind]:
    """The deliveries behind a table such as `pula_mobile.trips_by_day`, one row per period and delivery, in that order.

    Args:
        settings: Where the database is.
        table: Partner and table.
        period: Only this period.
        snapshot: As it was then; by default what is published now.
    """
    with reading(open_database(settings)) as connection:
        roots = _publications(connection, table, period, None if snapshot is None else str(snapshot))
        runs = _runs_behind(connection, list(roots))
        checks = _checks(connection, {run["run_id"] for found in runs.values() for run in found})
    rows = [row for root, told in roots.items() for row in _behind(table, told, root, runs[root], checks)]
    return sorted(rows, key=lambda row: (Period.parse(row.period), _order(row.delivery)))


def columns(settings: Settings, table: str) -> list[Way]:
    """How each column of a table came from columns that arrived, as of its newest publication."""
    with reading(open_database(settings)) as connection:
        roots = _publications(connection, table, None, None)
        if not roots:
            return []
        newest = max(roots, key=lambda root: roots[root]["seen"])
        protects = [run["run_id"] for run in _runs_behind(connection, [newest])[newest] if run["step"] == "protect"]
        measured = _ways(connection, [newest])
        treated = defaultdict(list)
        for way in _ways(connection, protects[-1:]):
            treated[way["out_column"]].append(way)
    return [
        Way(
            column=way["out_column"],
            how=way["description"] or way["kind"],
            from_column=way["in_column"],
            treatment=gate["description"] or gate["kind"],
            arrived_as=gate["in_column"],
            masked=way["masking"] or gate["masking"],
        )
        for way in measured
        for gate in treated.get(way["in_column"], ())
    ]


def _publications(
    connection: Connection, table: str, period: str | None, snapshot: str | None
) -> dict[str, RowMapping]:
    """The publishing runs asked for: of each period the newest, unless a snapshot is named."""
    run, io = models.run, models.io
    wanted = (
        select(run.c.run_id, run.c.period, run.c.seen, run.c.ended_at, io.c.version)
        .join(io, and_(io.c.run_id == run.c.run_id, io.c.direction == "out"))
        .where(io.c.dataset == f"{NAMESPACE}|{table}", run.c.state == "COMPLETE")
        .order_by(run.c.seen)
    )
    if period is not None:
        wanted = wanted.where(run.c.period == period)
    if snapshot is not None:
        wanted = wanted.where(io.c.version == snapshot)
    newest = {row["period"]: row for row in connection.execute(wanted).mappings()}
    return {row["run_id"]: row for row in newest.values()}


def _runs_behind(connection: Connection, roots: Sequence[str]) -> dict[str, list[RowMapping]]:
    """The runs that made, or judged, anything that the given runs were made of."""
    up, run, io = _upstream(roots), models.run, models.io
    touched = or_(io.c.direction == "out", run.c.step == "validate")
    wanted = (
        select(up.c.root, run.c.run_id, run.c.step, run.c.delivery, run.c.seen, run.c.agreement_version)
        .add_columns(run.c.agreement_sha256)
        .join(io, and_(io.c.dataset == up.c.dataset, io.c.version == up.c.version))
        .join(run, and_(run.c.run_id == io.c.run_id, run.c.state == "COMPLETE", touched))
        .distinct()
        .order_by(run.c.seen)
    )
    found: dict[str, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(wanted).mappings():
        found[row["root"]].append(row)
    return found


def _upstream(roots: Sequence[str]) -> CTE:
    """Every dataset version that the runs were made of, as far back as it goes."""
    io, run = models.io, models.run
    read, wrote = io.alias("read"), io.alias("wrote")
    up = (
        select(io.c.run_id.label("root"), io.c.dataset, io.c.version, literal(1).label("depth"))
        .where(io.c.run_id.in_(roots), io.c.direction == "in")
        .cte("up", recursive=True)
    )
    step = (
        select(up.c.root, read.c.dataset, read.c.version, (up.c.depth + 1).label("depth"))
        .join(
            wrote,
            and_(wrote.c.dataset == up.c.dataset, wrote.c.version == up.c.version, wrote.c.direction == "out"),
        )
        .join(run, and_(run.c.run_id == wrote.c.run_id, run.c.state == "COMPLETE"))
        .join(read, and_(read.c.run_id == wrote.c.run_id, read.c.direction == "in"))
        .where(up.c.depth < _DEPTH)
    )
    return up.union(step)


def _checks(connection: Connection, runs: set[str]) -> dict[str, list[tuple[str, bool]]]:
    check = models.check.c
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    ordered = sorted(runs)
    for start in range(0, len(ordered), 1000):
        wanted = select(check.run_id, check.assertion, check.column_name, check.passed)
        part = wanted.where(check.run_id.in_(ordered[start : start + 1000])).order_by(check.run_id, check.number)
        for row in connection.execute(part):
            name = f"{row.column_name}: {row.assertion}" if row.column_name else row.assertion
            found[row.run_id].append((name, row.passed))
    return found


def _behind(
    table: str,
    told: RowMapping,
    root: str,
    runs: Sequence[RowMapping],
    checks: Mapping[str, list[tuple[str, bool]]],
) -> list[Behind]:
    by_delivery: dict[str, list[RowMapping]] = defaultdict(list)
    for run in runs:
        by_delivery[run["delivery"]].append(run)
    rows = []
    for delivery, own in by_delivery.items():
        verdicts = [verdict for run in own for verdict in checks.get(run["run_id"], ())]
        failed = tuple(name for name, passed in verdicts if not passed)
        read = next((run for run in reversed(own) if run["step"] == "protect"), own[-1])
        rows.append(
            Behind(
                table=table,
                period=told["period"],
                snapshot=told["version"],
                published_at=told["ended_at"],
                delivery=delivery,
                agreement_version=read["agreement_version"],
                agreement_sha256=read["agreement_sha256"],
                checks_passed=len(verdicts) - len(failed),
                checks_failed=len(failed),
                failed_checks=failed,
                runs={run["step"]: run["run_id"] for run in own} | {"publish": root},
            )
        )
    return rows


def _ways(connection: Connection, runs: Sequence[str]) -> list[RowMapping]:
    column = models.column
    wanted = select(column).where(column.c.run_id.in_(runs), column.c.out_column.is_not(None))
    return list(connection.execute(wanted.order_by(column.c.number)).mappings())


def _order(delivery: str) -> tuple[Any, ...]:
    found = DeliveryId.parse(delivery)
    return found.partner, found.feed, found.of_period(), found.version
