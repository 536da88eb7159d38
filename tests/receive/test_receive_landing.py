"""Landing keeps bytes encrypted, once, whole, in a folder and in S3 alike."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.receive.buckets import s3_client
from acequia.receive.connections import Connection
from acequia.receive.landing import Landing

KEY = "pula/events/2026-11-21/0123456789abcdef/events.csv.gz.age"


@pytest.fixture(params=["folder", "s3"])
def landing(request, home, keys) -> Landing:
    if request.param == "folder":
        return Landing(str(home / "landing"), keys)
    bucket, connection = request.getfixturevalue("s3_bucket")
    return Landing(f"s3://{bucket}/raw", keys, connection)


def test_what_was_put_is_fetched(landing, tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"a,b\n" * 100_000)
    assert landing.list() == ()
    assert not landing.exists(KEY)
    landing.put(KEY, plain)
    landing.fetch(KEY, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == plain.read_bytes()
    assert landing.exists(KEY)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["again", "plain"]


def test_what_is_kept_never_changes(landing, tmp_path):
    for content in (b"first", b"second"):
        (tmp_path / "plain").write_bytes(content)
        landing.put(KEY, tmp_path / "plain")
    landing.fetch(KEY, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == b"first"


def test_deleting_and_listing(landing, tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    keys = [f"pula/events/2026-11-2{day}/abc/{name}.age" for day in (1, 2) for name in ("a", "_set_aside.parquet")]
    for key in keys:
        landing.put(key, tmp_path / "plain")
    assert landing.list() == tuple(sorted(keys))
    assert landing.list("pula/events/2026-11-22/abc/") == tuple(sorted(keys[2:]))
    for key in [*keys[2:], keys[3]]:
        landing.delete(key)
    assert landing.list() == tuple(sorted(keys[:2]))
    with pytest.raises(AcequiaError, match="landing_missing"):
        landing.fetch(keys[2], tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/.hidden", "a\\b", "a\nb", "a/" * 600])
def test_keys_do_not_climb(landing, tmp_path, key):
    (tmp_path / "plain").write_bytes(b"x")
    for act in (
        lambda: landing.put(key, tmp_path / "plain"),
        lambda: landing.fetch(key, tmp_path / "again"),
        lambda: landing.exists(key),
        lambda: landing.delete(key),
    ):
        with pytest.raises(AcequiaError, match="path_escapes"):
            act()


def test_another_installation_cannot_open_it(landing, tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    landing.put(KEY, tmp_path / "plain")
    other = Landing(landing.root, FileKeyStore(tmp_path / "other"), landing.connection)
    with pytest.raises(AcequiaError, match="key_missing"):
        other.fetch(KEY, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_tampering_is_noticed(home, keys, tmp_path):
    landing = Landing(str(home / "landing"), keys)
    (tmp_path / "plain").write_bytes(b"x" * 1000)
    landing.put(KEY, tmp_path / "plain")
    stored = home / "landing" / KEY
    content = bytearray(stored.read_bytes())
    content[-20] ^= 1
    for broken in (bytes(content), bytes(content[:-30]), b""):
        stored.write_bytes(broken)
        with pytest.raises(AcequiaError, match="key_missing"):
            landing.fetch(KEY, tmp_path / "again")


def test_two_that_put_at_once_store_it_once(home, keys, tmp_path):
    landing = Landing(str(home / "landing"), keys)
    errors = []

    def put(number: int) -> None:
        try:
            (tmp_path / str(number)).write_bytes(b"same")
            landing.put(KEY, tmp_path / str(number))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert landing.list() == (KEY,)
    assert not list((home / "landing").rglob(".incoming-*"))


def test_only_we_may_look_into_the_folder(home, keys, tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    Landing(str(home / "landing"), keys).put(KEY, tmp_path / "plain")
    assert (home / "landing" / KEY).stat().st_mode & 0o077 == 0
    assert (home / "landing" / KEY).parent.stat().st_mode & 0o077 == 0


def test_a_bucket_that_keeps_versions_keeps_none_of_a_deleted_file(s3_bucket, keys, tmp_path):
    bucket, connection = s3_bucket
    client = s3_client(connection)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    landing = Landing(f"s3://{bucket}", keys, connection)
    (tmp_path / "plain").write_bytes(b"x")
    for _ in range(2):
        landing.put(KEY, tmp_path / "plain")
        client.put_object(Bucket=bucket, Key=KEY, Body=b"an older way")
        landing.delete(KEY)
        found = client.list_object_versions(Bucket=bucket)
        assert not found.get("Versions")
        assert not found.get("DeleteMarkers")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"secret_key": "guessed"}, "store_denied"), ({"endpoint_url": "http://127.0.0.1:1"}, "store_unreachable")],
)
def test_a_store_that_does_not_let_us_in(s3_bucket, keys, tmp_path, change, code):
    bucket, connection = s3_bucket
    landing = Landing(f"s3://{bucket}", keys, connection.model_copy(update=change))
    (tmp_path / "plain").write_bytes(b"x")
    with pytest.raises(AcequiaError, match=code):
        landing.put(KEY, tmp_path / "plain")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200_000), name=st.from_regex(r"\A\w[\w .,+=@()~-]{0,40}\w\Z"))
def test_any_bytes_under_any_plain_name_come_back(home, keys, tmp_path, content, name):
    landing = Landing(str(home / "any"), keys)
    key = f"a/{name}.age"
    landing.delete(key)
    (tmp_path / "plain").write_bytes(content)
    landing.put(key, tmp_path / "plain")
    landing.fetch(key, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_texts_of_the_key_store_are_made_once(keys):
    assert keys.text("landing", lambda: "first") == keys.text("landing", lambda: "second") == "first"
    assert len(keys.secret("pseudonyms")) == 32


def test_the_environment_of_s3_clients_is_used_without_a_connection(monkeypatch, s3_bucket, keys, tmp_path):
    bucket, connection = s3_bucket
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", connection.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", connection.secret_key)
    landing = Landing(f"s3://{bucket}", keys, Connection(endpoint_url=connection.endpoint_url))
    (tmp_path / "plain").write_bytes(b"x")
    landing.put(KEY, tmp_path / "plain")
    assert landing.list() == (KEY,)
