"""`acequia scan` and `acequia canary` as they are typed."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from acequia.cli import cli
from acequia.errors import AcequiaError
from tests.pipeline.world import DAY, World, make_world

ROWS = [
    {
        "subscriber": f"+2677112{n:04d}",
        "holder name": f"Kagiso Mobokwanelo{'abcdefghij'[n % 10]}",
        "kind": "call" if n % 3 else "sms",
        "amount": n * 7,
        "made_at": f"2026-11-10 06:{n % 60:02d}:00",
        "note": f"call 71 123 4{n % 50 + 10} back" if n % 4 == 0 else "nothing to be said here",
    }
    for n in range(60)
]


def as_csv(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)


def as_csv_gz(path: Path) -> None:
    plain = path.with_name("plain")
    as_csv(plain)
    path.write_bytes(gzip.compress(plain.read_bytes()))


def as_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def as_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(ROWS), path)


def as_xlsx(path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(list(ROWS[0]))
    for row in ROWS:
        book.active.append(list(row.values()))
    book.save(path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "csv": as_csv, "csv.gz": as_csv_gz, "jsonl": as_jsonl, "parquet": as_parquet, "xlsx": as_xlsx
}  # fmt: skip


def typed(home: Path, *words: str) -> Result:
    return CliRunner().invoke(
        cli, words, env={"ACEQUIA_HOME": str(home / "home"), "ACEQUIA_CONFIG": str(home / "config")}
    )


@pytest.mark.parametrize("ending", WRITERS)
def test_scan_reads_every_format_and_says_no_value(tmp_path: Path, ending: str) -> None:
    sample = tmp_path / f"sample.{ending}"
    WRITERS[ending](sample)
    found = typed(tmp_path, "scan", str(sample), "--country", "bw", "--json")
    assert found.exit_code == 0, found.output
    columns: dict[str, Any] = {row["column"]: row for row in json.loads(found.stdout)}
    told = {name: (row["type"], row["holds"], row["proposed"]) for name, row in columns.items()}
    assert told == {
        "subscriber": ("string", "phone", "pseudonym"),
        "holder name": ("string", "name", "drop"),
        "kind": ("string", None, "keep"),
        "amount": ("integer", None, "keep"),
        "made_at": ("timestamp", None, "{truncate_to: hour}"),
        "note": ("string", None, "scrub_text"),
    }
    assert columns["subscriber"]["looks_like"] == {"phone": 100.0}
    assert columns["note"]["looks_like"]["phone"] == 25
    shown = typed(tmp_path, "scan", str(sample))
    assert "71123" not in shown.output + found.output
    assert "Mobokwanelo" not in shown.output + found.output
    assert not any((tmp_path / "home" / "workspace" / ".plain").iterdir())


def test_scan_takes_whole_numbers_for_documents_together(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("msisdn,row\n" + "".join(f"{71_000_003 + n * 977},{n}\n" for n in range(60)))
    found = json.loads(typed(tmp_path, "scan", str(sample), "--json").stdout)
    assert [(row["holds"], row["proposed"]) for row in found] == [("phone", "pseudonym"), (None, "keep")]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", b"a"), ("a.csv", b"\xff\xfe\x00\x01"), ("a.parquet", b"71123456"), ("a.xlsx", b"71123456"),
     ("a.jsonl", b"{71123456")],
)  # fmt: skip
def test_scan_refuses_what_it_cannot_read(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    stopped = typed(tmp_path, "scan", str(tmp_path / name)).exception
    assert isinstance(stopped, AcequiaError)
    assert stopped.code == "usage"
    assert "71123456" not in str(stopped)


def test_scan_reads_a_file_as_a_feed_agreed_it(delivered: World) -> None:
    home = delivered.settings.home.parent
    (sent,) = (delivered.settings.home / "inbox" / "ceibo_pay").rglob(f"{DAY}.jsonl")
    shown = typed(home, "scan", str(sent), "--agreement", "ceibo_pay", "transactions", "--json")
    found = {row["column"]: (row["holds"], row["proposed"]) for row in json.loads(shown.stdout)}
    assert found["sender_phone"] == ("phone", "drop")
    assert found["sender_document"] == ("national_id", "pseudonym")
    assert found["made_at"] == (None, "{truncate_to: day}")
    other = typed(home, "scan", str(sent), "--agreement", "pula_mobile", "events").exception
    assert isinstance(other, AcequiaError)


def test_a_draft_proposes_and_still_drops(tmp_path: Path) -> None:
    sample = tmp_path / "sample.xlsx"
    as_xlsx(sample)
    (tmp_path / "config" / "partners").mkdir(parents=True)
    assert typed(tmp_path, "new-partner", "some_partner", "--sample", str(sample)).exit_code == 0
    text = (tmp_path / "config" / "partners" / "some_partner.yaml").read_text()
    lines = [line for line in text.splitlines() if "treat:" in line]
    assert all("treat: drop" in line for line in lines)
    assert any("holds: phone" in line and line.endswith("# pseudonym: tells people apart by phone") for line in lines)
    assert "format: xlsx" in text
    assert "71123" not in text


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("world"))
    world.deliver("ceibo_pay", "transactions", DAY)
    world.run("ceibo_pay", "transactions", DAY)
    return world


def canary(world: World, *words: str) -> Result:
    return typed(world.settings.home.parent, "canary", *words)


def test_canary_says_who_comes_through(delivered: World) -> None:
    shown = canary(delivered, "ceibo_pay", "transactions")
    assert shown.exit_code == 0, shown.output
    assert "sender_document" in shown.output
    found = json.loads(canary(delivered, "ceibo_pay", "transactions", DAY, "--json").stdout)
    assert found["delivery"] == f"ceibo_pay.transactions.{DAY}.v1"
    assert found["recall"]["phone"] >= 99
    listed = json.loads(canary(delivered, "--list", "--json").stdout)
    assert [one["made_by"] for one in listed] == [found["made_by"]]
    assert json.loads(canary(delivered, "pula_mobile", "--list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [((), "usage"), (("ceibo_pay",), "usage"), (("ceibo_pay", "nothing"), "unknown_name"),
     (("ceibo_pay", "transactions", "2026-11-09"), "unknown_name"), (("pula_mobile", "events"), "unknown_name")],
)  # fmt: skip
def test_canary_says_what_is_missing(delivered: World, words: tuple[str, ...], code: str) -> None:
    stopped = canary(delivered, *words).exception
    assert isinstance(stopped, AcequiaError)
    assert stopped.code == code
