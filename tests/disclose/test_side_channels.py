"""No withheld number is told by anything that a run leaves where others can read it, nor by the order of rows."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from acequia.opening import ledger_of
from acequia.settings import Settings
from tests.disclose import shops

RESTRICTED = ("landing", "workspace", "inbox", "keys")
"""Of ACEQUIA_HOME: where rows and cells are, which nobody reads but the pipeline."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = shops.settings_in(tmp_path_factory.mktemp("side"))
    for day in shops.DAYS[:2]:
        shops.run(made, day)
    return made


def secrets() -> set[str]:
    """Digits of withheld sums: of days, of both days together; whole parts, so that any number of decimals is found."""
    by_day = [shops.hidden_sums(day) for day in shops.DAYS[:2]]
    months = {str(sum(int(float(one[region])) + more for one in by_day)) for region in shops.FEW for more in (0, 1)}
    return {digits for one in by_day for digits in one.values()} | months


def left(settings: Settings) -> list[Path]:
    """Everything that a run left, but for what is restricted."""
    return [
        path
        for path in sorted(settings.home.rglob("*"))
        if path.is_file() and path.relative_to(settings.home).parts[0] not in RESTRICTED
    ]


def test_the_secrets_are_where_they_belong(settings: Settings) -> None:
    """Else the tests below could not fail."""
    cells = list((settings.home / "workspace").rglob("cells.sales_by_region.*.parquet"))
    held = {str(int(total)) for path in cells for total in pq.read_table(path)["amount_uyu_sum"].to_pylist()}
    assert {digits for day in shops.DAYS[:2] for digits in shops.hidden_sums(day).values()} <= held


def test_no_file_holds_a_withheld_number(settings: Settings) -> None:
    """As digits, in text: validation results, data docs, lineage, receipts, certificates, ledger, names of files."""
    places = left(settings)
    kinds = {path.relative_to(settings.home).parts[0] for path in places}
    assert {"lake", "data_docs", "receipts"} <= kinds
    found = []
    for path in places:
        for digits in secrets():
            if digits.encode() in path.read_bytes() or digits in str(path):
                found.append((path.relative_to(settings.home), digits))
    assert found == []


def test_no_file_holds_a_withheld_number_in_binary(settings: Settings) -> None:
    """As a double or a whole number of 64 bits, as Parquet, its statistics and Iceberg's manifests have them."""
    import struct

    wide = []
    for day in shops.DAYS[:2]:
        cents = dict.fromkeys(shops.FEW, 0)
        for _, region, _, amount in shops.sales(day):
            if region in cents:
                cents[region] += int(amount.replace(".", ""))
        wide += [struct.pack("<d", total / 100) for total in cents.values()]
    found = [path.relative_to(settings.home) for path in left(settings) for one in wide if one in path.read_bytes()]
    assert found == []


def test_statistics_of_files_are_those_of_what_is_published(settings: Settings) -> None:
    for path in [one for one in left(settings) if one.suffix == ".parquet"]:
        file = pq.ParquetFile(path)
        for group in range(file.metadata.num_row_groups):
            rows = file.read_row_group(group)
            for place in range(file.metadata.num_columns):
                column = file.metadata.row_group(group).column(place)
                shown = [value for value in rows.column(column.path_in_schema).to_pylist() if value is not None]
                if column.statistics is not None and column.statistics.has_min_max and shown:
                    assert (column.statistics.min, column.statistics.max) == (min(shown), max(shown)), path


def test_rows_are_in_the_order_of_their_keys(settings: Settings) -> None:
    releases = [path for path in left(settings) if path.name == "data.parquet"]
    assert len(releases) == 6
    for path in releases:
        rows = pq.read_table(path)
        keys = [name for name in ("period", "region", "kind") if name in rows.column_names]
        told = list(zip(*(rows[name].to_pylist() for name in keys), strict=True))
        assert told == sorted(told), path


def test_the_lake_keeps_no_withheld_number(settings: Settings) -> None:
    for path in (Path(settings.lake) / "warehouse").rglob("*.parquet"):
        rows = duckdb.sql(f"FROM read_parquet('{path}') WHERE cell_status = 'withheld'").to_arrow_table()  # noqa: S608
        for name in ("sales_count", "amount_uyu_sum", "contributors_count"):
            assert rows[name].null_count == rows.num_rows, path


def test_the_ledger_keeps_counts_of_cells_alone(settings: Settings) -> None:
    ledger = ledger_of(settings)
    deliveries = ledger.accepted(shops.PARTNER, shops.FEED)
    said = "\n".join(str(entry.said) for delivery in deliveries for entry in ledger.history(delivery))
    assert "withheld" in said
    assert not [digits for digits in secrets() if digits in said]


def test_what_is_said_of_a_run_holds_no_number_of_a_cell(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from acequia import pipeline
    from acequia.opening import open_work

    made, said = shops.settings_in(tmp_path), []
    shops.deliver(made, shops.DAYS[0])
    with caplog.at_level("DEBUG"):
        pipeline.run(open_work(made, shops.PARTNER, shops.FEED, shops.DAYS[0], say=said.append))
    everything = "\n".join([*said, *capfd.readouterr(), caplog.text])
    assert "withheld" in everything
    assert not [digits for digits in secrets() if digits in re.sub(r"[,_ ]", "", everything)]
