"""The small pure parts: connections, manifests, names, days off."""

from __future__ import annotations

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.agreement.calendar import due_at, expected, holidays
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.receive.connections import Connection, resolver
from acequia.receive.manifest import compare, parse
from acequia.receive.names import Pattern, is_plain, is_unfinished
from tests.receive.partners import terms

SHA = "ab" * 32


# Connections


def test_the_environment_goes_before_the_file(settings):
    settings.home.mkdir()
    file = settings.home / "connections.yaml"
    file.write_text("pula_sftp: {host: from-file, port: 22}\nother: {path: /srv}\n")
    file.chmod(0o600)
    connect = resolver(settings, {"ACEQUIA_CONNECTION_PULA_SFTP": '{"host": "from-environment"}'})
    assert connect("pula_sftp").host == "from-environment"
    assert connect("other").path == "/srv"
    with pytest.raises(AcequiaError, match=r"connection_unknown.*ACEQUIA_CONNECTION_ABSENT.*connections\.yaml"):
        connect("absent")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(settings, mode):
    settings.home.mkdir()
    (settings.home / "connections.yaml").write_text("a: {host: h}\n")
    (settings.home / "connections.yaml").chmod(mode)
    with pytest.raises(AcequiaError, match="chmod 600"):
        resolver(settings, {})("a")


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "a: 5", "a: {hots: h}", "a: {port: 700000}"])
def test_a_file_of_something_else_is_refused(settings, text):
    settings.home.mkdir()
    (settings.home / "connections.yaml").write_text(text)
    (settings.home / "connections.yaml").chmod(0o600)
    with pytest.raises(AcequiaError, match="connection_invalid"):
        resolver(settings, {})("a")


def test_secrets_are_in_no_message(settings):
    secret = "hunter2-hunter2"
    names = ("password", "private_key", "token", "access_key", "secret_key", "url")
    assert secret not in repr(Connection(**dict.fromkeys(names, secret)))
    for value in (json.dumps({"password": secret, "prot": 22}), json.dumps({"password": [secret]}), f'"{secret}'):
        with pytest.raises(AcequiaError) as raised:
            resolver(settings, {"ACEQUIA_CONNECTION_A": value})("a")
        assert secret not in str(raised.value)
    connection = Connection(host="h", password=secret)
    assert Connection.model_validate_json(connection.as_json()) == connection


# Manifests


def manifest(**more) -> dict:
    return {"files": [{"name": "a.csv", "bytes": 3, "sha256": SHA}], **more}


def test_a_manifest_may_be_written_in_capitals_and_with_a_mark():
    raw = json.dumps({"files": [{"name": "a.csv", "bytes": 3, "sha256": SHA.upper(), "rows": 1}]})
    found = parse(b"\xef\xbb\xbf" + raw.encode())
    compare(found, {"a.csv": (3, SHA)})
    assert found.files[0].rows == 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"files": []},
        [],
        manifest(maria=1),
        manifest(period=20261121),
        {"files": [{"name": "a.csv", "bytes": 3}]},
        {"files": [{"name": "a.csv", "bytes": -1, "sha256": SHA}]},
        {"files": [{"name": "a.csv", "bytes": "3", "sha256": SHA}]},
        {"files": [{"name": "a.csv", "bytes": 3, "sha256": "abc"}]},
        {"files": [{"name": "a.csv", "bytes": 3, "sha256": SHA, "maria": 1}]},
        {"files": [{"name": "a.csv", "bytes": 3, "sha256": SHA}] * 2},
        {"files": [{"name": f"{n}", "bytes": 3, "sha256": SHA} for n in range(10_001)]},
    ],
)
def test_manifests_that_are_refused(said):
    with pytest.raises(AcequiaError) as raised:
        parse(json.dumps(said).encode())
    assert raised.value.code == "manifest_invalid"
    assert "maria" not in str(raised.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b'{"files": NaN}',
        b'{"files": 1, "files": 2}',
        b"[" * 100_000,
        b'{"files":[{"name":"a","name":"a"}]}',
    ],
)
def test_bytes_that_are_no_manifest(raw):
    with pytest.raises(AcequiaError, match="manifest_invalid"):
        parse(raw)


@pytest.mark.parametrize(
    "name", ["../a.csv", "/etc/passwd", "a/b.csv", "..", ".a", "a\\b", "a\x00b", "", " a", "a" * 151]
)
def test_names_in_a_manifest_are_plain(name):
    with pytest.raises(AcequiaError, match="name_escapes"):
        parse(json.dumps({"files": [{"name": name, "bytes": 3, "sha256": SHA}]}).encode())


@given(st.binary(max_size=2000))
def test_no_bytes_break_the_reading_of_a_manifest(raw):
    with pytest.raises(AcequiaError):
        parse(raw)


# Names


@given(st.text())
def test_a_plain_name_stays_where_it_is_put(name):
    if is_plain(name):
        assert "/" not in name
        assert name not in (".", "..")
        assert not name.startswith(".")
        assert len(name.encode()) <= 150


@pytest.mark.parametrize("name", ["events 2026-11-21 (1).csv.gz", "año.csv", "a:b.csv", "_part-1.parquet"])
def test_ordinary_names_are_plain(name):
    assert is_plain(name)
    assert not is_unfinished(name)


def test_a_pattern_by_segments():
    pattern = Pattern.of("out/{start:%Y/%m}/v*/{period}.csv", Period.parse("2026-11-21"))
    assert (pattern.fixed, pattern.varying, pattern.name) == (("out", "2026", "11"), ("v*",), "2026-11-21.csv")
    assert [len(part.fixed) for part in pattern.shorter()] == [3, 2, 1, 0, 0]
    assert not pattern.is_exact


# Days


def test_days_off(tmp_path):
    (tmp_path / "holidays_botswana.csv").write_text("date,name\n2026-09-30,Botswana Day\n2026-12-25,Christmas\n")
    assert holidays(tmp_path, "botswana") == {date(2026, 9, 30), date(2026, 12, 25)}
    assert holidays(tmp_path, None) == frozenset()
    (tmp_path / "holidays_other.csv").write_text("day\n2026-09-30\n")
    for name in ("other", "absent"):
        with pytest.raises(AcequiaError, match="reference_missing"):
            holidays(tmp_path, name)


def test_when_it_is_due():
    agreed = terms({"type": "folder", "path": "x"}, timezone="America/Montevideo", due_within_hours=30)
    due = due_at(agreed, Period.parse("2026-11-21"))
    assert due == datetime(2026, 11, 23, 6, tzinfo=ZoneInfo("America/Montevideo"))
    spring = terms({"type": "folder", "path": "x"}, timezone="Europe/Madrid", due_within_hours=24)
    assert due_at(spring, Period.parse("2026-03-28")) == datetime(2026, 3, 30, 1, tzinfo=ZoneInfo("Europe/Madrid"))


def test_which_periods_are_expected():
    agreed = terms({"type": "folder", "path": "x"}, weekdays=("monday", "tuesday"))
    found = expected(agreed, date(2026, 11, 16), date(2026, 11, 24), frozenset([date(2026, 11, 17)]))
    assert [period.label for period in found] == ["2026-11-16", "2026-11-23", "2026-11-24"]
    monthly = terms({"type": "folder", "path": "x"}, period="month")
    assert [period.label for period in expected(monthly, date(2026, 10, 31), date(2026, 12, 30))] == [
        "2026-10",
        "2026-11",
    ]
