"""Rows that were set aside go out, come back corrected, and count as if they had been sent right at once."""

from __future__ import annotations

import csv
import gzip
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acequia import returned
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Protected, Raw
from acequia.ledger.receipts import verify_receipt
from acequia.opening import landing_of, ledger_of, open_work
from acequia.upkeep import keep
from tests.pipeline.world import DAY, World, make_world

# partner, feed, period, the column whose values are out of range, and a right one
FEEDS = {
    "jsonl": ("ceibo_pay", "transactions", DAY, "amount_uyu", "250.0"),
    "csv": ("pula_mobile", "events", DAY, "duration_s", "60"),
    "parquet": ("rambla_market", "scanner", "2026-W46", "quantity", "2.0"),
}
Rows = list[dict[str, str]]


def give(world: World, out: Path, partner: str, feed: str, period: str) -> returned.Given:
    return returned.hand_out(open_work(world.settings, partner, feed, period), out, who="me")


def replay(world: World, file: Path, partner: str, feed: str, period: str) -> DeliveryId:
    return returned.replay(open_work(world.settings, partner, feed, period), file).delivery


def edit(file: Path, change: Callable[[Rows], Rows], *, delimiter: str = ",") -> None:
    """As a spreadsheet does it: quotes only where they are needed."""
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        rows, names = change(list(reader)), list(reader.fieldnames or [])
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.DictWriter(opened, names, delimiter=delimiter, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def setting(column: str, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row | {column: value} for row in rows]


def files(world: World, partner: str) -> list[Path]:
    found = [path for path in (world.settings.home / "inbox" / partner).rglob("*") if path.is_file()]
    return sorted(path for path in found if "manifest" not in path.name)


def send_right(world: World, kind: str, partner: str, wrong: Rows, column: str, value: str) -> None:
    """Correct the source's own files, as if the partner had never been wrong."""
    for number, path in enumerate(files(world, partner), start=1):
        at = [int(row["_row"]) - 1 for row in wrong if int(row["_file"]) == number]
        if kind == "parquet":
            table = pq.read_table(path)
            place = table.column_names.index(column)
            values = table[column].to_pylist()
            for row in at:
                values[row] = type(values[row])(float(value))
            right = pa.chunked_array([pa.array(values, table.schema.field(column).type)])
            pq.write_table(table.set_column(place, table.schema.field(column), right), path)
        elif kind == "jsonl":
            lines = path.read_text().splitlines()
            for row in at:
                lines[row] = json.dumps(json.loads(lines[row]) | {column: float(value)})
            path.write_text("\n".join(lines) + "\n")
        else:
            rows = list(csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
            for row in at:
                rows[row + 1][rows[0].index(column)] = value
            made = io.StringIO()
            csv.writer(made, lineterminator="\n").writerows(rows)
            path.write_bytes(gzip.compress(made.getvalue().encode()))
    for manifest in (world.settings.home / "inbox" / partner).rglob("*manifest*"):
        manifest.unlink()


def loosen(world: World, partner: str) -> None:
    """Manifests are taken away by `send_right`, and any number of rows may be set aside."""
    path = world.settings.partners / f"{partner}.yaml"
    text = path.read_text().replace("manifest: required", "manifest: optional")
    path.write_text(text)


def protected_rows(world: World, delivery: DeliveryId) -> pa.Table:
    folder = world.settings.workspace / delivery.folder
    return pq.read_table(Protected.load(folder / "protected.json").path)


@pytest.mark.parametrize("kind", FEEDS)
def test_corrected_rows_count_as_if_they_had_been_sent_right(
    world: World, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    partner, feed, period, column, value = FEEDS[kind]
    calm = make_world(tmp_path_factory.mktemp("calm"))
    for one in (world, calm):
        loosen(one, partner)
        one.deliver(partner, feed, period, rows=3000)
    first = world.run(partner, feed, period).delivery
    out = tmp_path / "aside.csv"
    given = give(world, out, partner, feed, period)
    assert given.by_reason == {f"range:{column}": given.rows} and given.rows > 3
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with out.open(encoding="utf-8", newline="") as opened:
        wrong = list(csv.DictReader(opened))
    (told,) = [e.said for e in ledger_of(world.settings).history(first) if e.kind == "set_aside_given"]
    assert told == {"who": "me", "rows": given.rows, "by_reason": given.by_reason}
    edit(out, setting(column, value), delimiter=";")
    second = replay(world, out, partner, feed, period)
    send_right(calm, kind, partner, wrong, column, value)
    (calm.settings.home / "keys").mkdir(parents=True, exist_ok=True)
    for key in (world.settings.home / "keys").glob("pseudonym*"):
        (calm.settings.home / "keys" / key.name).write_bytes(key.read_bytes())
    right = calm.run(partner, feed, period).delivery
    assert (second.version, right.version) == (2, 1)
    assert protected_rows(world, second).equals(protected_rows(calm, right))
    assert world.tables() == calm.tables()
    rows = ledger_of(world.settings).deliveries()
    assert [(row.status, row.rows_in, row.rows_set_aside) for row in rows] == [
        ("corrected", rows[0].rows_in, given.rows), ("published", rows[0].rows_in, 0),
    ]  # fmt: skip
    said = [e.said for e in ledger_of(world.settings).history(second) if e.kind == "accepted"][-1]["differences"]
    assert (said["added"], said["removed"], said["changed"]) == (given.rows, 0, 0)
    assert ledger_of(world.settings).verify() == []


PLACE = FEEDS["jsonl"][:3]


@pytest.fixture
def out(world: World, tmp_path: Path) -> Path:
    """What was handed out of a delivery with rows set aside."""
    world.deliver(*PLACE, rows=2000)
    world.run(*PLACE)
    give(world, tmp_path / "aside.csv", *PLACE)
    return tmp_path / "aside.csv"


def test_what_stays_wrong_or_is_left_out_stays_set_aside_and_can_come_later(world: World, out: Path) -> None:
    before = ledger_of(world.settings).deliveries()[0]
    aside = int(before.rows_set_aside or 0)

    def some(rows: Rows) -> Rows:
        return [rows[0] | {"amount_uyu": "250"}, rows[1] | {"amount_uyu": "lots"}, *rows[3:]]

    edit(out, some)
    second = replay(world, out, *PLACE)
    row = ledger_of(world.settings).deliveries()[1]
    assert (row.rows_in, row.rows_set_aside) == (before.rows_in, aside - 1)
    assert row.set_aside == {"range:amount_uyu": aside - 2, "type:amount_uyu": 1}
    again = out.with_name("again.parquet")
    assert give(world, again, *PLACE).rows == aside - 1
    table = pq.read_table(again)
    assert "lots" in table["amount_uyu"].to_pylist()
    place = table.column_names.index("amount_uyu")
    pq.write_table(table.set_column(place, "amount_uyu", pa.array(["77"] * table.num_rows)), again)
    third = replay(world, again, *PLACE)
    assert (second.version, third.version) == (2, 3)
    assert ledger_of(world.settings).deliveries()[2].rows_set_aside == 0
    assert len(Raw.load(world.settings.workspace / third.folder / "raw.json").corrections) == 2


def test_the_same_file_again_and_the_same_delivery_again_are_no_news(world: World, out: Path) -> None:
    edit(out, setting("amount_uyu", "250"))
    second = replay(world, out, *PLACE)
    length = ledger_of(world.settings).length()
    assert returned.replay(open_work(world.settings, *PLACE), out).repeated
    assert world.run(*PLACE).repeated  # the files that still lie at the source do not undo it
    assert ledger_of(world.settings).length() == length
    assert ledger_of(world.settings).state(second).status == "published"
    receipts = sorted((world.settings.home / "receipts" / second.folder).iterdir())
    keys = world.settings.home / "keys" / "receipts.jwks.json"
    assert [verify_receipt(path, keys).claims["version"] for path in receipts] == [2] * len(receipts)


def spoil(rows: Rows, **values: str) -> Rows:
    return [rows[0] | {"amount_uyu": "250"} | values, *rows[1:]]


BAD: dict[str, Callable[[Rows], Rows]] = {
    "no value was corrected": lambda rows: rows,
    "1 row(s) were not set aside": lambda rows: spoil(rows, _row="999999"),
    "1 number(s) of a row stand twice": lambda rows: [*spoil(rows), rows[0]],
    "1 row(s) hold no number": lambda rows: spoil(rows, _row=""),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_corrections_are_refused_before_anything_is_written(world: World, out: Path, what: str) -> None:
    edit(out, BAD[what])
    refused_without_a_trace(world, out, what)


def test_other_columns_are_refused(world: World, out: Path) -> None:
    text = out.read_text()
    out.write_text(text.replace('"fee_uyu"', '"fee"', 1))
    refused_without_a_trace(world, out, "its columns are not those")
    out.write_text("nothing of the kind\n")
    refused_without_a_trace(world, out, "its columns are not those")
    out.write_text(text[:-40] + '"unfinished')
    refused_without_a_trace(world, out, "cannot be read to its end")
    out.write_bytes(b"\xff\xfe\x00a")
    refused_without_a_trace(world, out, "is not UTF-8")
    out.write_bytes(b"PAR1 and nothing else")
    refused_without_a_trace(world, out, "cannot be read to its end")


def refused_without_a_trace(world: World, file: Path, what: str) -> None:
    before = ledger_of(world.settings).length(), world.landed()
    with pytest.raises(AcequiaError) as error:
        replay(world, file, *PLACE)
    assert (error.value.code, error.value.exit_code) == ("correction_invalid", 4)
    assert what in error.value.what
    assert (ledger_of(world.settings).length(), world.landed()) == before


def test_raw_bytes_go_on_their_day_and_then_nothing_is_handed_out(world: World, out: Path, tmp_path: Path) -> None:
    from datetime import date, timedelta

    edit(out, setting("amount_uyu", "250"))
    replay(world, out, *PLACE)
    keep(world.settings, today=date.today() + timedelta(days=8))  # noqa: DTZ011
    assert landing_of(world.settings).list("") == ()
    assert all(row.raw_deleted_at for row in ledger_of(world.settings).deliveries())
    assert ledger_of(world.settings).verify() == []
    edit(out, setting("amount_uyu", "300"))
    with pytest.raises(AcequiaError) as error:
        replay(world, out, *PLACE)
    assert error.value.code in ("landing_missing", "usage")


def test_what_cannot_be_handed_out_is_said(world: World, out: Path, tmp_path: Path) -> None:
    work = open_work(world.settings, *PLACE)
    for target, code in ((out, "usage"), (tmp_path / "a.xlsx", "usage")):
        with pytest.raises(AcequiaError) as error:
            returned.hand_out(work, target, who="me")
        assert error.value.code == code
    with pytest.raises(AcequiaError) as error:
        give(world, tmp_path / "b.csv", PLACE[0], PLACE[1], "2026-11-11")
    assert error.value.code == "unknown_name"
