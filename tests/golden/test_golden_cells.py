"""Every partner of config/partners has a golden delivery, and the rooms make of it the cells that plain Python makes.

tests/golden/<partner>/<feed>/ holds `<period>.csv` (or .jsonl), at most sixty rows that a person can check, and one
`expected-<table>.csv` for each table. Phones, documents and names in them belong to nobody and could belong to nobody.
To write the expected cells of a new delivery, add its feed to `partners.py` and run
`python -m tests.golden.expected`; then read them.
"""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from acequia.aggregate.cells import aggregate
from acequia.agreement.load import load
from acequia.agreement.model import Agreement
from acequia.disclose.control import disclose
from acequia.flow import DeliveryId, LandedFile, Protected, Raw
from acequia.keys import FileKeyStore
from acequia.period import Period
from acequia.protect.gate import protect
from acequia.receive.landing import Landing
from tests.golden.expected import GOLDEN, computed, delivery_of
from tests.golden.partners import FEEDS

CONFIG = Path(__file__).resolve().parents[2] / "config"
AGREED = [
    (path.stem, feed) for path in sorted((CONFIG / "partners").glob("*.yaml")) for feed in load(path).agreement.feeds
]
TABLES = [
    (partner, feed, table)
    for partner, feed in AGREED
    for table in load(CONFIG / "partners" / f"{partner}.yaml").agreement.feed(feed).tables
]
SET_ASIDE = {
    ("pula_mobile", "events"): {"range:duration_s": 1},
    ("ceibo_pay", "transactions"): {"range:amount_uyu": 1},
    ("rambla_market", "scanner"): {"range:quantity": 1},
    ("kgale_rides", "trips"): {"range:rating": 1},
    ("kgale_rides", "driver_hours"): {"duplicate": 1},
}


def agreement_of(partner: str) -> Agreement:
    return load(CONFIG / "partners" / f"{partner}.yaml").agreement


def expected(partner: str, feed: str, table: str) -> list[dict[str, str]]:
    path = GOLDEN / partner / feed / f"expected-{table}.csv"
    assert path.exists(), f"{partner}.{feed} lacks {path.name}: a table without golden cells"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("partner", "feed"), AGREED)
def test_every_feed_has_a_golden_delivery(partner: str, feed: str) -> None:
    file = delivery_of(partner, feed)
    assert file is not None, f"{partner}.{feed} has no golden delivery in tests/golden/{partner}/{feed}"
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 61
    assert (partner, feed) in FEEDS, f"{partner}.{feed} is not computed a second time in tests/golden/partners.py"


@pytest.mark.parametrize(("partner", "feed", "table"), TABLES)
def test_the_committed_cells_are_those_of_plain_python(partner: str, feed: str, table: str) -> None:
    assert computed(partner, feed, table) == expected(partner, feed, table)


@pytest.mark.parametrize(
    "path", sorted(GOLDEN.rglob("2*.*")), ids=lambda path: f"{path.parent.parent.name}.{path.parent.name}"
)
def test_golden_deliveries_name_nobody(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    phones = re.findall(r"\+\d{8,15}", text)
    # Neither number range is assigned: nobody can be called.
    assert all(phone.startswith(("+2677000", "+59890000")) for phone in phones)
    assert "@" not in text.replace("@example.", "")


@pytest.mark.parametrize(("partner", "feed"), AGREED)
def test_the_rooms_make_the_golden_cells(partner: str, feed: str, tmp_path: Path) -> None:
    agreement = agreement_of(partner)
    made = through_the_gate(agreement, feed, tmp_path)
    assert dict(made.count.set_aside) == SET_ASIDE.get((partner, feed), {})
    for name, table in agreement.feed(feed).tables.items():
        window = made.delivery.of_period() if table.over == "delivery" else made.delivery.of_period().within(table.over)
        folder = tmp_path / name
        folder.mkdir()
        cells = aggregate(
            name, table, agreement.feed(feed), (made,), window, provisional=False, reference=CONFIG / "reference",
            memory_limit="500MB", scratch=folder, out=folder / "cells.parquet",
        )  # fmt: skip
        told = disclose(cells, table, out=folder / "disclosed.parquet")
        assert same(read(told.path, table.by), expected(partner, feed, name)), f"{partner}.{name}"


def through_the_gate(agreement: Agreement, feed: str, folder: Path) -> Protected:
    """The golden delivery in landing, then through the gate."""
    period, name = Period.parse(delivery_of(agreement.partner, feed).stem), agreement.feed(feed)
    file = as_agreed(delivery_of(agreement.partner, feed), agreement, feed, folder)
    landing = Landing(str(folder / "landing"), FileKeyStore(folder / "keys"))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    stored = f"{agreement.partner}/{feed}/{period}/{digest[:16]}/{file.name}.age"
    landing.put(stored, file)
    landed = LandedFile(name=file.name, stored=stored, bytes=file.stat().st_size, sha256=digest)
    delivery = DeliveryId(partner=agreement.partner, feed=feed, period=period.label, version=1)
    scratch = folder / "scratch"
    scratch.mkdir()
    return protect(
        Raw(delivery=delivery, files=(landed,), content_sha256=digest), name, country=agreement.country,
        language=agreement.language, landing=landing, keys=FileKeyStore(folder / "keys"),
        reference=CONFIG / "reference", memory_limit="500MB", scratch=scratch, out=folder / "protected.parquet",
    )  # fmt: skip


def as_agreed(file: Path, agreement: Agreement, feed: str, folder: Path) -> Path:
    """The golden file in the format of the agreement: CSV stands for Parquet, which nobody can read."""
    if agreement.feed(feed).delivery.format != "parquet":
        return file
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from pyarrow import csv as arrow

    columns = agreement.feed(feed).arriving
    types = {"string": "string", "integer": "float64", "number": "float64", "boolean": "bool"}
    convert = arrow.ConvertOptions(
        column_types={name: types.get(column.type, "string") for name, column in columns.items()},
        strings_can_be_null=True,
    )
    table = arrow.read_csv(file, convert_options=convert)
    for place, (name, column) in enumerate(columns.items()):
        if column.type == "timestamp":
            values = table.column(place)
            zoned = pc.any(pc.ends_with(values, "Z")).as_py()
            cast = pc.replace_substring(values, "Z", "").cast("timestamp[us]")
            table = table.set_column(place, name, pc.assume_timezone(cast, "UTC") if zoned else cast)
    target = folder / f"{file.stem}.parquet"
    pq.write_table(table, target)
    return target


def read(path: str, by: tuple[str, ...]) -> list[dict[str, Any]]:
    """The published cells, without what every table has besides, in the order of their keys."""
    import pyarrow.parquet as pq

    rows = pq.read_table(path).drop_columns(["period", "provisional", "delivery"]).to_pylist()
    return sorted(rows, key=lambda row: tuple(str(row[name]) for name in by))


def same(found: list[dict[str, Any]], wanted: list[dict[str, str]]) -> bool:
    """Texts equal, numbers to nine digits; nothing on both sides or on none."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert list(one) == list(other)
        for name, text in other.items():
            value = one[name]
            if value is None or text == "":
                assert value is None and text == "", (other, name, value)
            elif isinstance(value, str):
                assert value == text, (other, name)
            elif isinstance(value, int | float):
                assert value == pytest.approx(float(text), rel=1e-9), (other, name)
            else:
                assert value.isoformat(" ")[: len(text)] == text, (other, name)
    return True
