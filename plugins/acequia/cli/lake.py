"""Commands about curated tables: tables, query, lineage."""

from __future__ import annotations

import json
from typing import Any

import click

from acequia.cli.show import as_json, settings_now, show


@click.command()
@as_json
def tables(as_json: bool) -> None:
    """List the curated tables."""
    from acequia.opening import lake_of

    rows = [info.as_row() for info in lake_of(settings_now()).tables()]
    if not as_json:
        rows = [row | {"changed_at": row["changed_at"][:16].replace("T", " ")} for row in rows]
    show(rows, as_json=as_json, empty="No table is published yet.", wide=40)


@click.command(short_help="Ask the lake in SQL (DuckDB's dialect).")
@click.argument("sql")
@click.option("--limit", default=1000, show_default=True, help="The most rows to print.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json
def query(sql: str, limit: int, as_csv: bool, as_json: bool) -> None:
    """Ask the lake in SQL (DuckDB's dialect), such as: from ceibo_pay.payments_by_department_kind limit 5."""
    from acequia.opening import lake_of

    answer = lake_of(settings_now()).query(sql, limit=limit)
    if as_csv:
        import sys

        import pyarrow.csv

        pyarrow.csv.write_csv(answer, sys.stdout.buffer)
        return
    show(answer.to_pylist(), as_json=as_json, columns=answer.column_names, empty="No row.")


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
