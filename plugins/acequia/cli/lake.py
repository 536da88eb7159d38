"""Commands about curated tables: tables, query, lineage."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from acequia.cli.show import as_json, settings_now, show

VINTAGE = ("committed_at", "what", "period", "delivery", "agreement", "rows", "snapshot_id")


@click.command(short_help="List the curated tables, or the vintages of one.")
@click.argument("table", required=False)
@click.option("--history", is_flag=True, help="The vintages of TABLE that have not expired, oldest first.")
@as_json
def tables(table: str | None, history: bool, as_json: bool) -> None:
    """List the curated tables, or the vintages of one TABLE: each change with its moment, which `acequia query --as-of`
    takes.
    """
    from acequia.opening import lake_of

    if history != (table is not None):
        raise click.UsageError("a table and --history go together")
    if table is not None:
        vintages = [asdict(vintage) for vintage in lake_of(settings_now()).history(table)]
        told = [
            one
            | {
                "committed_at": one["committed_at"].isoformat(timespec="milliseconds"),
                "snapshot_id": str(one["snapshot_id"]),  # more digits than many readers of JSON keep
            }
            for one in vintages
        ]
        show(told, as_json=as_json, columns=VINTAGE, empty="No vintage is kept.")
        return
    rows = [info.as_row() for info in lake_of(settings_now()).tables()]
    if not as_json:
        rows = [row | {"changed_at": row["changed_at"][:16].replace("T", " ")} for row in rows]
    show(rows, as_json=as_json, empty="No table is published yet.", wide=40)


@click.command(short_help="Ask the lake in SQL (DuckDB's dialect).")
@click.argument("sql")
@click.option("--limit", default=1000, show_default=True, help="The most rows to print.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--as-of", "as_of", help="The tables as they stood at a moment, such as 2026-11-22T12:00:00+00:00.")
@as_json
def query(sql: str, limit: int, as_csv: bool, as_of: str | None, as_json: bool) -> None:
    """Ask the lake in SQL (DuckDB's dialect), such as: from ceibo_pay.payments_by_department_kind limit 5."""
    from acequia.opening import lake_of

    answer = lake_of(settings_now()).query(sql, limit=limit, as_of=_moment(as_of))
    if as_csv:
        import sys

        import pyarrow.csv

        pyarrow.csv.write_csv(answer, sys.stdout.buffer)
        return
    show(answer.to_pylist(), as_json=as_json, columns=answer.column_names, empty="No row.")


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError("--as-of takes a moment such as 2026-11-22T12:00:00+00:00") from None


@click.command(short_help="Say what stands behind a table.")
@click.argument("table")
@click.option("--period", help="Only this period of the table.")
@as_json
def lineage(table: str, period: str | None, as_json: bool) -> None:
    """Say which deliveries, agreement versions, checks and runs stand behind a table."""
    from acequia.lineage.questions import upstream

    rows: list[dict[str, Any]] = [row.as_row() for row in upstream(settings_now(), table, period=period)]
    if as_json:
        click.echo(json.dumps(rows, indent=1, default=str))
        return
    show(rows, as_json=False, empty=f"Nothing is recorded behind {table}.")
