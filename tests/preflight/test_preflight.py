"""Preflight by itself: what it says and how, what it leaves behind, what it needs."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from acequia.cli import cli
from acequia.errors import AcequiaError
from acequia.preflight import Asked, preflight
from acequia.preflight.given import GivenFiles, given
from tests.malformed import crooked
from tests.malformed.csv_cases import text, with_value

PROJECT = Path(__file__).resolve().parents[2]
CANARY = "Mpho Canary"


@pytest.fixture
def agreement(tmp_path: Path) -> Path:
    return crooked.config(tmp_path)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, and where nothing may be left."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "2026-11-10.csv").write_text(text())
    return folder / "2026-11-10.csv"


def asked(agreement: Path, *files: Path, **more: object) -> Asked:
    return Asked(files, agreement, **{"feed": "csv", "period": crooked.PERIOD} | more)  # type: ignore[arg-type]


def said(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["preflight", *map(str, arguments)], standalone_mode=False)
    assert found.exception is None or isinstance(found.exception, AcequiaError), found.exception
    return (found.exception.exit_code if found.exception else int(found.return_value or 0)), found.output


def test_a_sound_file_would_be_accepted(agreement: Path, sent: Path, scratch: Path) -> None:
    found = preflight(asked(agreement, sent))
    assert (found.accepted, found.exit_code, found.count and found.count.rows_in) == (True, 0, crooked.ROWS)
    assert [(table.table, table.cells, table.published) for table in found.tables] == [("hours_csv", 24, 0)]
    assert {"look_back", "repetition", "planted_people"} <= set(found.not_judged)
    assert list(scratch.iterdir()) == []


def test_rows_are_told_by_file_row_and_reason_without_a_value(agreement: Path, sent: Path, scratch: Path) -> None:
    second = sent.with_name("2026-11-10.b.csv")
    second.write_text(text().replace("p017,17,", f"p017,{CANARY},").replace("p030,30,", "p030,5000,"))
    code, told = said(sent, second, "--agreement", agreement, "--feed", "csv")
    # Files are numbered by name: `2026-11-10.b.csv` comes first.
    assert code == 0
    assert "1: `n` cannot be read as agreed: row 18 of file 1" in told
    assert "1: `n` is outside the agreed range: row 31 of file 1" in told
    assert CANARY not in told and "5000" not in told
    code, told = said(sent, second, "--agreement", agreement, "--feed", "csv", "--language", "es")
    assert "`n` no puede leerse como se acordó: fila 18 del archivo 1" in told and "se aceptaría" in told


def test_only_the_first_rows_of_a_reason_are_told(agreement: Path, sent: Path) -> None:
    sent.write_text(with_value("x", CANARY))
    code, told = said(sent, "--agreement", agreement, "--feed", "csv")
    assert code == 4 and "rows_invalid" in told and CANARY not in told
    assert "40: `x` cannot be read as agreed: rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 of file 1; and 30 more" in told
    assert "x: 40 of 40 rows; at most 4 agreed" in told
    code, told = said(sent, "--agreement", agreement, "--feed", "csv", "--json")
    found = json.loads(told)
    assert (code, found["accepted"], found["code"], found["exit_code"]) == (4, False, "rows_invalid", 4)
    assert found["reasons"] == [{"rule": "type", "column": "x", "rows": 40, "first": [[1, n] for n in range(1, 11)]}]


def test_columns_that_differ_are_told_by_name(agreement: Path, sent: Path) -> None:
    sent.write_text(text(header=crooked.HEADER.replace("note", "Notes")))
    code, told = said(sent, "--agreement", agreement, "--feed", "csv")
    assert code == 4 and "column_unlisted" in told
    assert "“Notes”, seems to be the agreed `note` under another name" in told


def test_a_missing_header_is_not_told_by_its_values(agreement: Path, sent: Path) -> None:
    sent.write_text(text().split("\n", 1)[1].replace("p000", CANARY))
    code, told = said(sent, "--agreement", agreement, "--feed", "csv")
    assert code == 4 and CANARY not in told and "the names of the columns are missing" in told


def test_feed_and_period_are_told_by_names(agreement: Path, sent: Path) -> None:
    with pytest.raises(AcequiaError, match="--feed"):
        preflight(Asked((sent,), agreement))
    assert preflight(Asked((sent,), agreement, "csv")).period == crooked.PERIOD
    other = sent.rename(sent.with_name("extract.csv"))
    with pytest.raises(AcequiaError, match="--period"):
        preflight(Asked((other,), agreement, "csv"))
    found = preflight(asked(agreement, other))
    assert (found.code, found.exit_code) == ("delivery_missing", 5)
    pula = PROJECT / "config" / "partners" / "kgale_rides.yaml"
    with pytest.raises(AcequiaError, match="trips, driver_hours"):
        preflight(Asked((other,), pula))


def test_the_manifest_is_judged_when_asked_for(agreement: Path, sent: Path) -> None:
    agreement.write_text(
        agreement.read_text().replace("settle_seconds: 0", "settle_seconds: 0\n      manifest: required")
    )
    found = preflight(asked(agreement, sent))
    assert found.accepted and "manifest" in found.not_judged
    assert preflight(asked(agreement, sent, manifest=True)).code == "manifest_missing"
    manifest = sent.with_name("manifest.json")
    listed = {"name": sent.name, "bytes": sent.stat().st_size, "sha256": "0" * 64}
    manifest.write_text(json.dumps({"files": [listed], "period": crooked.PERIOD}))
    assert preflight(asked(agreement, sent, manifest=True)).code == "checksum_differs"
    assert preflight(asked(agreement, sent, manifest)).code == "checksum_differs"
    import hashlib

    listed["sha256"] = hashlib.sha256(sent.read_bytes()).hexdigest()
    manifest.write_text(json.dumps({"files": [listed], "period": crooked.PERIOD}))
    found = preflight(asked(agreement, sent, manifest=True, period=None))
    assert found.accepted and "manifest" not in found.not_judged


def test_periods_outside_the_agreement_are_told(agreement: Path, sent: Path) -> None:
    sent = sent.rename(sent.with_name("2031-01-01.csv"))
    found = preflight(asked(agreement, sent, period="2031-01-01"))
    assert (found.code, found.exit_code) == ("agreement_expired", 3)


def test_files_come_before_their_encryption(agreement: Path, sent: Path) -> None:
    agreement.write_text(
        agreement.read_text().replace("settle_seconds: 0", "settle_seconds: 0\n      encryption: required")
    )
    found = preflight(asked(agreement, sent))
    assert found.accepted and "encryption" in found.not_judged
    with pytest.raises(AcequiaError, match="before"):
        preflight(asked(agreement, sent.rename(sent.with_name("2026-11-10.csv.age"))))


def test_the_offices_own_checks_are_judged_where_they_are_given(agreement: Path, sent: Path, tmp_path: Path) -> None:
    own = tmp_path / "own" / crooked.PARTNER / "csv"
    own.mkdir(parents=True)
    (own / "never_many.sql").write_text("-- No row at all.\nSELECT count(*) FROM rows")
    found = preflight(asked(agreement, sent, expectations=tmp_path / "own"))
    assert found.code == "checks_failed"
    (agreement.parent.parent / "expectations").rmdir()
    found = preflight(asked(agreement, sent))
    assert found.accepted and "written_checks" in found.not_judged


def test_nothing_reaches_the_network_or_lies_anywhere_afterwards(
    agreement: Path, sent: Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("preflight opened a socket")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert preflight(asked(agreement, sent)).accepted
    (sent.parent / "2026-11-10.csv").write_bytes(gzip.compress(text().encode())[:-9])
    assert preflight(asked(agreement, sent)).code == "file_truncated"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_somebody_else_is_not_written_to(agreement: Path, sent: Path, scratch: Path) -> None:
    (scratch / f"acequia-preflight-{os.getuid()}").mkdir(mode=0o755)
    with pytest.raises(AcequiaError, match="private"):
        preflight(asked(agreement, sent))


def test_what_a_killed_preflight_left_goes_with_the_next(agreement: Path, sent: Path, scratch: Path) -> None:
    left = scratch / f"acequia-preflight-{os.getuid()}" / "tmp-killed"
    left.mkdir(parents=True, mode=0o700)
    left.parent.chmod(0o700)
    (left / ".lock").write_text("")
    (left / "file-1").write_text(CANARY)
    assert preflight(asked(agreement, sent)).accepted
    assert list(scratch.iterdir()) == []


HEAVY = ("airflow", "pyiceberg", "asyncssh", "alembic", "hvac", "ministack",
         "openlineage", "faker", "acequia.ledger", "acequia.lineage", "acequia.publish", "acequia.orchestrate",
         "acequia.pipeline", "acequia.opening", "acequia.simulate")  # fmt: skip


def test_no_ledger_store_or_server_is_even_imported(agreement: Path, sent: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from acequia.preflight import Asked, preflight; "
        f"found = preflight(Asked((Path({str(sent)!r}),), Path({str(agreement)!r}), 'csv', {crooked.PERIOD!r})); "
        f"print(found.code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'plugins'}{os.pathsep}{PROJECT}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split("\n")[0] == "None []", done.stdout


def test_files_of_a_pattern_with_folders_keep_them_apart(tmp_path: Path) -> None:
    terms = crooked.feed(crooked.config(tmp_path), "csv").delivery
    source = terms.source.model_copy(update={"path": "shops/*/{period}.csv"})
    terms = terms.model_copy(update={"source": source})
    files = []
    for shop in ("a", "b"):
        path = tmp_path / "shops" / shop / f"{crooked.PERIOD}.csv"
        path.parent.mkdir(parents=True)
        path.write_text(text())
        files.append(path)
    from acequia.period import Period

    found = given(files, terms, Period.parse(crooked.PERIOD))
    assert isinstance(found, GivenFiles)
    assert [file.kept_as for file in found.listing().files] == [f"{shop}__{crooked.PERIOD}.csv" for shop in "ab"]


@pytest.mark.parametrize(("ending", "said"), [
    (".age", "is encrypted with age"), (".sig", "is a detached signature"), (".ASC", "is a detached signature"),
    (".minisig", "is a detached signature"),
])  # fmt: skip
def test_what_cannot_be_judged_is_named_for_what_it_is(agreement: Path, sent: Path, ending: str, said: str) -> None:
    other = sent.with_name(sent.name + ending)
    other.write_bytes(b"x")
    with pytest.raises(AcequiaError, match=said) as stopped:
        preflight(replace(asked(agreement, sent), files=(sent, other)))
    assert stopped.value.code == "usage" and stopped.value.what_to_do.endswith((".", "--manifest."))
