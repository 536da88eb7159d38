"""A real daily feed, with all its quirks, against computations of its own in pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from acequia import pipeline
from acequia.errors import AcequiaError
from acequia.opening import lake_of, open_work
from acequia.settings import Settings

pytestmark = pytest.mark.real
UNTIL = "2011-01-05"


@pytest.fixture(scope="module")
def days(retail_files: Path) -> list[Path]:
    return [path for path in sorted(retail_files.glob("*.csv")) if path.stem <= UNTIL]


@pytest.fixture(scope="module")
def invoices(days: list[Path]) -> pd.DataFrame:
    frames = [pd.read_csv(path, dtype={"InvoiceNo": str, "StockCode": str}) for path in days]
    rows = pd.concat(frames, ignore_index=True)
    rows["revenue"] = rows.Quantity * rows.UnitPrice
    rows["day"] = pd.to_datetime(rows.InvoiceDate).dt.normalize()
    return rows


@pytest.fixture(scope="module")
def published(days: list[Path], retail_files: Path, real_settings: Settings) -> Settings:
    for path in days:
        pipeline.run(open_work(real_settings, "online_retail", "invoices", path.stem), retail_files)
    return real_settings


def table(settings: Settings, name: str) -> pd.DataFrame:
    return lake_of(settings).read(f"online_retail.{name}").to_pandas()


def test_all_rows_by_country_and_day(published: Settings, invoices: pd.DataFrame) -> None:
    expected = invoices.groupby(["Country", "day"]).agg(
        revenue_gbp_sum=("revenue", "sum"), rows_count=("revenue", "size"), invoices_count=("InvoiceNo", "nunique")
    )
    found = table(published, "sales_by_country_day")
    found["invoice_day"] = found["invoice_day"].dt.tz_localize(None).astype("datetime64[ns]")
    found = found.set_index(["country", "invoice_day"]).sort_index()
    assert len(found) == len(expected) and set(found.cell_status) == {"published"}
    merged = found.join(expected.rename_axis(["country", "invoice_day"]), how="inner", suffixes=("", "_expected"))
    assert len(merged) == len(expected)
    assert (merged.rows_count == merged.rows_count_expected).all()
    assert (merged.invoices_count == merged.invoices_count_expected).all()
    assert (merged.revenue_gbp_sum - merged.revenue_gbp_sum_expected).abs().max() < 1e-6


def test_valid_customers_only(published: Settings, invoices: pd.DataFrame) -> None:
    valid = invoices[invoices.CustomerID.notna() & (invoices.Quantity > 0) & (invoices.UnitPrice > 0)]
    found = table(published, "valid_sales_by_country_day")
    assert found.rows_count.sum() == len(valid)
    assert found.revenue_gbp_sum.sum() == pytest.approx(valid.revenue.sum(), abs=1e-6)


def test_a_month_is_released_once_it_is_closed(published: Settings, invoices: pd.DataFrame) -> None:
    """December is closed by the first delivery of January, although days of the Christmas week never came."""
    valid = invoices[invoices.CustomerID.notna() & (invoices.Quantity > 0) & (invoices.UnitPrice > 0)]
    december = valid[valid.day < "2011-01-01"]
    expected = december.groupby("Country").agg(customers=("CustomerID", "nunique"), revenue=("revenue", "sum"))
    largest = december.groupby(["Country", "CustomerID"]).revenue.sum().groupby("Country").max()
    found = table(published, "customers_by_country_month").set_index("country")
    assert set(found.period) == {"2010-12"} and not found.provisional.any()
    assert set(found.index) == set(expected.index)
    withheld = (expected.customers < 3) | (largest / expected.revenue > 0.9)
    assert set(found.index[found.cell_status == "withheld"]) == set(expected.index[withheld])
    open_ones = expected.index[~withheld]
    assert (found.customers_count[open_ones].astype(int) == expected.customers[open_ones]).all()
    assert (found.revenue_gbp_sum[open_ones] - expected.revenue[open_ones]).abs().max() < 1e-6
    assert found.loc[found.cell_status == "withheld", ["customers_count", "revenue_gbp_sum"]].isna().all().all()


def test_a_day_without_a_file_is_missing(published: Settings, retail_files: Path) -> None:
    with pytest.raises(AcequiaError) as stopped:
        pipeline.run(open_work(published, "online_retail", "invoices", "2010-12-04"), retail_files)
    assert (stopped.value.code, stopped.value.exit_code) == ("delivery_missing", 5)


def test_running_a_day_again_publishes_nothing(published: Settings, retail_files: Path) -> None:
    outcome = pipeline.run(open_work(published, "online_retail", "invoices", "2010-12-01"), retail_files)
    assert outcome.repeated and not outcome.published
