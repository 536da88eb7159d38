"""The invoices released in any way, without landing and validation: protected rows straight from the source files.

And the naive, independent check: for two releases of one table by country, the customers behind the difference of each
cell that both show, worked out in pandas from the source rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from acequia import comparisons
from acequia.aggregate.cells import aggregate
from acequia.agreement.model import Feed
from acequia.disclose import control
from acequia.flow import Cells, Count, DeliveryId, Protected
from acequia.period import Period
from tests.aggregate.made_feeds import a_feed

THRESHOLD = 10
CONTINENTS = {
    "United Kingdom": "Britain and Ireland", "EIRE": "Britain and Ireland", "Channel Islands": "Britain and Ireland",
    "Australia": "Overseas", "Japan": "Overseas", "USA": "Overseas", "Canada": "Overseas", "Singapore": "Overseas",
    "Brazil": "Overseas", "Bahrain": "Overseas", "Hong Kong": "Overseas", "Israel": "Overseas", "RSA": "Overseas",
    "Lebanon": "Overseas", "Saudi Arabia": "Overseas", "United Arab Emirates": "Overseas", "Unspecified": "Overseas",
}  # fmt: skip
COLUMNS: dict[str, Any] = {
    "Day": {"type": "string", "treat": "keep", "as": "day"},
    "CustomerID": {"type": "string", "treat": "pseudonym", "as": "customer"},
    "Country": {"type": "string", "treat": {"lookup": {"table": "countries", "value": "country"}}, "as": "country"},
    "Quantity": {"type": "integer", "treat": "keep", "as": "quantity"},
    "UnitPrice": {"type": "number", "treat": "keep", "as": "unit_price"},
}
TABLE: dict[str, Any] = {
    "by": ("country",),
    "measures": {
        "customers_count": {"count_distinct": "customer"},
        "lines_count": {"count": "rows"},
        "revenue_gbp_sum": {"sum": "quantity * unit_price"},
    },
    "protect": {"contributor": "customer", "min_contributors": THRESHOLD},
}


def invoices(files: Path, first: str, last: str, *, by_product: bool = False) -> pd.DataFrame:
    """Lines of identified customers, sold and not returned, between two days; `country` is the group of products (the
    first two signs of the stock code) where these are asked for.
    """
    parts = []
    for path in sorted(files.glob("*.csv")):
        if first <= path.stem <= last:
            rows = pd.read_csv(path, dtype={"CustomerID": str, "InvoiceNo": str, "StockCode": str})
            parts.append(rows.assign(day=path.stem))
    rows = pd.concat(parts)
    rows = rows[rows.CustomerID.notna() & (rows.Quantity > 0) & (rows.UnitPrice > 0)]
    if by_product:
        rows = rows.assign(Country=rows.StockCode.str[:2].str.upper())
    names = {"CustomerID": "customer", "Country": "country", "Quantity": "quantity", "UnitPrice": "unit_price"}
    return rows.rename(columns=names)[["day", *names.values()]].reset_index(drop=True)


@dataclass
class Office:
    """Releases tables of the invoices one after another; what is out stays public."""

    folder: Path
    rows: pd.DataFrame
    tables: dict[str, dict[str, Any]]
    protected: bool = True
    known: list[comparisons.Known] = field(default_factory=list)

    def __post_init__(self) -> None:
        reference = self.folder / "reference"
        reference.mkdir(parents=True)
        countries = sorted(self.rows.country.unique())
        lines = [f"{country},{country},{CONTINENTS.get(country, 'Europe')}" for country in countries]
        (reference / "countries.csv").write_text("\n".join(["name,country,continent", *lines]) + "\n")
        self.feed: Feed = a_feed(columns=COLUMNS, tables=self.tables)
        for day, part in self.rows.groupby("day"):
            self._put(str(day), 1, part)

    def _put(self, day: str, version: int, rows: pd.DataFrame) -> DeliveryId:
        delivery = DeliveryId(partner="retail", feed="invoices", period=day, version=version)
        path = self.folder / delivery.folder / "protected.parquet"
        path.parent.mkdir(parents=True)
        rows.to_parquet(path, index=False)
        count = Count(rows_in=len(rows), rows_out=len(rows))
        Protected(delivery=delivery, path=str(path), sha256="0" * 64, columns={}, count=count).save(
            path.with_suffix(".json")
        )
        return delivery

    def correct(self, day: str, rows: pd.DataFrame) -> DeliveryId:
        """Another version of a day."""
        return self._put(day, 2, rows)

    def release(self, name: str, window: str, deliveries: Sequence[DeliveryId]) -> pd.DataFrame:
        """Make a release as the pipeline does, and keep it public."""
        table, number = self.feed.tables[name], len(self.known)
        out = self.folder / f"{number}" / f"cells.{name}.{window}.parquet"
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        parts = tuple(Protected.load(self.folder / part.folder / "protected.json") for part in deliveries)
        out.parent.mkdir()
        cells = aggregate(
            name, table, self.feed, parts, Period.parse(window), provisional=False,
            reference=self.folder / "reference", memory_limit="1GB", scratch=scratch, out=out,
        )  # fmt: skip
        links = comparisons.linked(self._work(), cells, self.known) if self.protected else None
        last = max((k for k in self.known if k.record.table == name), key=lambda one: one.seq, default=None)
        told = control.disclose(
            cells, table, out=out.with_name("disclosed.parquet"), links=links, before=last.withheld if last else ()
        )
        self.known.append(self._record(cells, told, number))
        rows = pq.read_table(told.path).to_pandas()
        return rows.assign(release=number)

    def _record(self, cells: Cells, told: Any, number: int) -> comparisons.Known:
        table = self.feed.tables[cells.table]
        path = comparisons.record_path(cells, table)
        path.with_suffix(".parquet").write_bytes(Path(cells.path).read_bytes())
        record = comparisons.Record(
            table=cells.table, period=cells.period, spec=table.model_dump_json(exclude_unset=True),
            deliveries=cells.deliveries, cells=cells.sha256, pattern=dict(told.pattern), contents=("",),
            reasons=tuple(pq.read_table(told.path).column("withheld_because").to_pylist()),
        )  # fmt: skip
        return comparisons.Known(record, path, number)

    def _work(self) -> Any:
        @contextmanager
        def scratch() -> Any:
            folder = self.folder / "scratch"
            folder.mkdir(exist_ok=True)
            yield folder

        settings = SimpleNamespace(reference=self.folder / "reference", memory_limit="1GB", workspace=self.folder)
        return SimpleNamespace(
            feed=self.feed, settings=settings, scratch=scratch, partner="retail", feed_name="invoices",
            folder=lambda delivery: self.folder / delivery.folder,
        )  # fmt: skip

    def days(self) -> list[DeliveryId]:
        """Every day's first version, in order."""
        days = sorted(self.rows.day.unique())
        return [DeliveryId(partner="retail", feed="invoices", period=day, version=1) for day in days]


def shown(release: pd.DataFrame) -> dict[str, int]:
    """The customers of each country that a release shows."""
    seen = release[release.cell_status == "published"]
    return dict(zip(seen.country, seen.customers_count, strict=True))


def disclosive(
    one: pd.DataFrame, other: pd.DataFrame, between: pd.DataFrame, above: dict[str, Sequence[str]] | None = None
) -> list[str]:
    """The cells that both releases show and whose difference rests on 1 to 9 customers, of `between` (the rows that are
    in one of them alone), or is 1 to 9 in the number of customers.
    """
    first, second, found = shown(one), shown(other), []
    for country in sorted(first.keys() & second.keys()):
        rows = between[between.country.isin((above or {}).get(country, [country]))]
        few = (rows.customer.nunique(), abs(int(first[country] - second[country])))
        if any(0 < number < THRESHOLD for number in few):
            found.append(country)
    return found
