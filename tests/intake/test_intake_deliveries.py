"""From the upload to the tables: what is pushed goes the way of everything else, whatever is killed in between."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyrage import x25519

from acequia.agreement.load import find
from acequia.deletion import delete_raw
from acequia.errors import AcequiaError
from acequia.intake import partial
from acequia.intake.clearing import clear
from acequia.intake.serve import Binding, desk_of
from acequia.keys import FileKeyStore
from acequia.opening import keys_of, ledger_of, open_work
from acequia.period import Period
from acequia.receive import envelope
from acequia.receive.connections import resolver
from acequia.receive.looking import look_at
from acequia.receive.uploads import Shelf
from acequia.simulate.write import write
from tests.intake.serving import (
    BASE,
    DAY,
    FEED,
    PARTNER,
    STREAM,
    TUS,
    begin,
    go_on,
    server,
    token_of,
    upload,
    upload_world,
)
from tests.receive.partners import manifest_of
from tests.receive.signing import Desk


def made(world, folder, day=DAY, **more):
    """What the partner has to send: data first, the manifest last."""
    agreement = find(world.settings.partners, PARTNER).agreement
    written = write(agreement, FEED, Period.parse(day), out=folder, **{"rows": 800, "seed": 7, **more})
    return {file.name: file.read_bytes() for file in written.files}


def shelf(world, day=DAY) -> Shelf:
    return Shelf.of(world.settings.home / "uploads", PARTNER, FEED, Period.parse(day))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def world(tmp_path):
    return upload_world(tmp_path / "office")


def test_an_uploaded_delivery_is_published_and_its_partner_sees_it(world, tmp_path):
    files = made(world, tmp_path / "partner")
    token = token_of(world)
    with server(world, tmp_path / "server") as running, running.client(token) as client:
        for name, content in files.items():
            assert client.get(BASE).json()["uploads"]["delivered"] == []
            with pytest.raises(AcequiaError, match="delivery_missing"):
                world.run(PARTNER, FEED, DAY)
            upload(client, name, content)
        told = client.get(BASE).json()
        assert len(told["uploads"]["delivered"]) == len(files)
        assert (told["versions"], told["receipts"]) == (0, [])
        outcome = world.run(PARTNER, FEED, DAY)
        assert outcome.published
        told = client.get(BASE).json()
        assert (told["status"], told["stands"], told["versions"]) == ("published", 1, 1)
        assert told["state"] in ("on_time", "late")
        assert len(told["receipts"]) == 3 and all(receipt.count(".") == 2 for receipt in told["receipts"])
    row = ledger_of(world.settings).deliveries()[0]
    assert row.sent_at[:10] == time.strftime("%Y-%m-%d", time.gmtime())
    assert world.run(PARTNER, FEED, DAY).repeated


def test_a_refusal_and_its_correction(world, tmp_path):
    files = made(world, tmp_path / "partner", bad="column_missing")
    token = token_of(world)
    with server(world, tmp_path / "server") as running, running.client(token) as client:
        for name, content in files.items():
            upload(client, name, content)
        with pytest.raises(AcequiaError, match="column_missing"):
            world.run(PARTNER, FEED, DAY)
        told = client.get(BASE).json()
        assert (told["status"], told["code"]) == ("refused", "column_missing")
        assert told["what_to_do"]
        files_again = made(world, tmp_path / "again")
        for name, content in files_again.items():
            upload(client, name, content)
            new = {kept.sha256 for kept in shelf(world).delivered()} == {*map(digest, files_again.values())}
            assert new == (name == "manifest.json"), "a delivery is replaced as a whole"
        assert world.run(PARTNER, FEED, DAY).delivery.version == 2
        told = client.get(BASE).json()
        assert (told["status"], told["versions"]) == ("published", 2)


def test_only_the_manifest_again_counts_with_the_files_of_before(world, tmp_path):
    files = made(world, tmp_path / "partner")
    right = files.pop("manifest.json")
    said = json.loads(right)
    said["files"][0]["sha256"] = "0" * 64
    wrong = json.dumps(said).encode()
    with server(world, tmp_path / "server") as running, running.client(token_of(world)) as client:
        for name, content in files.items():
            upload(client, name, content)
        upload(client, "manifest.json", wrong)
        with pytest.raises(AcequiaError, match="checksum_differs"):
            world.run(PARTNER, FEED, DAY)
        upload(client, "manifest.json", right)
        assert world.run(PARTNER, FEED, DAY).published


def test_without_a_manifest_the_partner_says_when_it_is_all(tmp_path):
    world = upload_world(tmp_path / "office", manifest="none")
    files = {name: content for name, content in made(world, tmp_path / "partner").items() if "manifest" not in name}
    with server(world, tmp_path / "server") as running, running.client(token_of(world)) as client:
        for name, content in files.items():
            upload(client, name, content)
        assert not shelf(world).delivered()
        assert client.post(f"{BASE}/complete").json() == {"complete": True, "new": True}
        assert client.post(f"{BASE}/complete").json() == {"complete": True, "new": False}
        assert world.run(PARTNER, FEED, DAY).published


def test_where_a_manifest_is_agreed_it_says_so(world, tmp_path):
    with server(world, tmp_path / "server") as running, running.client(token_of(world)) as client:
        upload(client, "1.csv.gz", b"x")
        answer = client.post(f"{BASE}/complete")
        assert (answer.status_code, answer.json()["code"]) == (409, "manifest_missing")


def test_encrypted_and_signed(tmp_path):
    desk = Desk.of(5)
    keys = {"desk-1": {"public": desk.public, "from": "2026-03-01"}}
    world = upload_world(
        tmp_path / "office", signature="required", encryption="required", agreement={"signing_keys": keys}
    )
    ours = envelope.recipient(keys_of(world.settings))
    files = {}
    for name, content in made(world, tmp_path / "partner").items():
        if name.endswith(".gz"):
            (tmp_path / "plain").write_bytes(content)
            envelope.seal(tmp_path / "plain", tmp_path / "sent", [ours, str(x25519.Identity.generate().to_public())])
            files[f"{name}.age"] = (tmp_path / "sent").read_bytes()
    about = {"agreement": PARTNER, "feed": FEED, "period": DAY}
    with server(world, tmp_path / "server") as running, running.client(token_of(world)) as client:
        assert begin(client, "plain.csv.gz", 1).json()["code"] == "encryption_missing"
        assert begin(client, "manifest.json", 1).json()["code"] == "signature_missing"
        for name, content in files.items():
            upload(client, name, content)
        upload(client, "manifest.jws", desk.sign(manifest_of(files, **about)))
        (kept, *_) = shelf(world).delivered()
        assert shelf(world).content(kept.upload).read_bytes() == files[kept.name], "encrypted already: kept as it is"
        assert world.run(PARTNER, FEED, DAY).published
    assert ledger_of(world.settings).deliveries()[0].signed_by == "desk-1"


def test_a_server_that_is_killed_in_the_middle_of_a_chunk(world, tmp_path):
    files = made(world, tmp_path / "partner", rows=20_000)
    name, content = max(files.items(), key=lambda item: len(item[1]))
    token = token_of(world)
    generator = random.Random(3)
    where, port = "", 0
    for round_ in range(4):
        with server(world, tmp_path / "server", port) as running:
            port = running.port
            with running.client(token) as client:
                where = where or begin(client, name, len(content)).headers["location"]
                offset = int(client.head(where, headers=TUS).headers["upload-offset"])
                part = content[offset : offset + len(content) // 6]
                assert go_on(client, where, offset, part).status_code == 204
                offset += len(part)
            context = ssl.create_default_context(cafile=str(running.authority))
            raw = socket.create_connection(("127.0.0.1", port))
            with raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as line:
                line.sendall(
                    f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
                    f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\n"
                    f"Content-Length: {len(content) - offset}\r\n\r\n".encode()
                    + content[offset : offset + generator.randrange(1, 10_000)]
                )
                time.sleep(0.1 * round_)
                running.kill()
    with server(world, tmp_path / "server", port) as running, running.client(token) as client:
        told = client.head(where, headers=TUS)
        offset = int(told.headers["upload-offset"])
        assert 0 < offset < len(content)
        assert go_on(client, where, offset, content[offset:]).status_code == 204
        for other, more in files.items():
            if other != name:
                upload(client, other, more)
    assert world.run(PARTNER, FEED, DAY).published


@pytest.mark.parametrize("step", ["settle", "discard", "complete"])
def test_killed_at_the_end_of_an_upload_it_ends_the_same(world, tmp_path, monkeypatch, step):
    """What a kill between two steps leaves: the step after it never ran."""
    desk = desk_of(world.settings)
    place = desk.place(PARTNER, FEED, DAY)
    files = made(world, tmp_path / "partner")

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    target = {
        "settle": ("acequia.intake.finishing.settle", die),
        "discard": ("acequia.intake.partial.Partial.discard", die),
        "complete": ("acequia.receive.uploads.Shelf.complete", die),
    }[step]
    for name, content in files.items():
        started, told = desk.create(place, name, len(content))
        writing = desk.begin_writing(started, 0, None)
        writing.write(content)
        told = writing.end(whole=True)
        with monkeypatch.context() as patched, started.held():
            patched.setattr(*target)
            if step != "complete" or name == "manifest.json":
                with pytest.raises(Killed):
                    desk.finish(place, started, told)
        assert desk.offset(place, started.id) == (len(content), len(content), None)
        assert not started.folder.exists()
    assert len(shelf(world).delivered()) == len(files)
    assert not shelf(world).waiting()
    assert world.run(PARTNER, FEED, DAY).published


def test_uploads_that_are_left_alone_go(world):
    desk = desk_of(world.settings)
    place = desk.place(PARTNER, FEED, DAY)
    started, told = desk.create(place, "1.csv.gz", 10)
    assert partial.expire(desk.uploads, told.expires - 1) == 0
    with started.held():
        assert partial.expire(desk.uploads, told.expires + 1) == 0
    assert partial.expire(desk.uploads, told.expires + 1) == 1
    assert not started.folder.exists()


@pytest.mark.parametrize(
    ("binding", "safe"),
    [
        (Binding(), True),
        (Binding(host="0.0.0.0"), False),
        (Binding(host="0.0.0.0", proxies="10.0.0.1"), True),
        (Binding(certificate="c"), False),
        (Binding(key="k"), False),
        (Binding(host="0.0.0.0", certificate="c", key="k"), True),
    ],
)
def test_tokens_and_files_never_travel_in_clear(binding, safe):
    if safe:
        binding.require_safe()
    else:
        with pytest.raises(AcequiaError, match="usage"):
            binding.require_safe()


def test_what_lies_on_the_shelf_needs_the_intake_key(world, tmp_path):
    desk = desk_of(world.settings)
    place = desk.place(PARTNER, FEED, DAY)
    started, _ = desk.create(place, "1.csv.gz", 3)
    writing = desk.begin_writing(started, 0, None)
    writing.write(b"abc")
    with started.held():
        desk.finish(place, started, writing.end(whole=True))
    (kept,) = shelf(world).waiting()
    content = shelf(world).content(kept.upload)
    with pytest.raises(AcequiaError):
        other = FileKeyStore(tmp_path / "other")
        envelope.recipient(other)
        envelope.unseal(content, tmp_path / "opened", other)
    envelope.unseal(content, tmp_path / "opened", keys_of(world.settings))
    assert (tmp_path / "opened").read_bytes() == b"abc"
    assert oct(content.stat().st_mode & 0o777) == "0o600"


def put(desk, name: str, content: bytes, day: str = DAY) -> None:
    """An upload without the network."""
    place = desk.place(PARTNER, FEED, day)
    started, _ = desk.create(place, name, len(content))
    writing = desk.begin_writing(started, 0, None)
    writing.write(content)
    with started.held():
        desk.finish(place, started, writing.end(whole=True))


def test_uploads_go_with_the_raw_files_of_their_delivery(world, tmp_path):
    desk = desk_of(world.settings)
    for name, content in made(world, tmp_path / "partner").items():
        put(desk, name, content)
    outcome = world.run(PARTNER, FEED, DAY)
    put(desk, "later.csv.gz", b"a correction that is under way")
    assert shelf(world).delivered()
    assert delete_raw(open_work(world.settings, PARTNER, FEED, DAY), outcome.delivery)
    assert not shelf(world).delivered()
    assert [kept.name for kept in shelf(world).waiting()] == ["later.csv.gz"]
    assert len(list((shelf(world).folder / "content").iterdir())) == 1


def test_what_nobody_took_goes_after_its_days(world, tmp_path):
    desk = desk_of(world.settings)
    work = open_work(world.settings, PARTNER, FEED, DAY)
    put(desk, "1.csv.gz", b"never completed")
    kept = work.signed.agreement.terms.raw_kept_days
    today = datetime.now(UTC).date()
    assert clear(work, today + timedelta(days=kept - 1)) == 0
    assert clear(work, today + timedelta(days=kept)) == 1
    for name, content in made(world, tmp_path / "partner").items():
        put(desk, name, content)
    files = len(shelf(world).delivered())
    watched = work.period.last_day + timedelta(days=work.feed.delivery.watched_days)
    assert clear(work, max(watched, today)) == 0
    assert clear(work, max(watched, today + timedelta(days=kept)) + timedelta(days=1)) == files


def test_put_there_again_it_is_a_repetition_and_looked_at_again_it_is_not(world, tmp_path):
    desk = desk_of(world.settings)
    files = made(world, tmp_path / "partner")
    ledger = ledger_of(world.settings)

    def seen():
        (_, found), *_ = look_at(
            desk.place(PARTNER, FEED, DAY).terms,
            partner=PARTNER,
            feed_name=FEED,
            periods=[Period.parse(DAY), Period.parse("2026-11-11")],
            connect=resolver(world.settings),
            inbox=world.settings.home / "inbox" / PARTNER,
        )
        return found

    assert seen() is None
    for again in range(2):
        for name, content in files.items():
            put(desk, name, content)
        assert seen() not in ledger.arrivals(PARTNER, FEED, DAY)
        for _ in range(2):
            world.run(PARTNER, FEED, DAY)
            (row,) = ledger.deliveries()
            assert (row.version, row.repeats) == (1, again)
        assert seen() in ledger.arrivals(PARTNER, FEED, DAY)


@pytest.mark.stack
def test_a_large_upload_is_streamed(world, tmp_path):
    """The server's memory does not grow with the file: what it holds of it is one buffer."""
    size, piece = 512 << 20, os.urandom(1 << 20)
    with server(world, tmp_path / "server") as running, running.client(token_of(world)) as client:
        status = Path(f"/proc/{running.process.pid}/status")

        def peak_mb() -> int:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) >> 10

        upload(client, "small.csv.gz", piece)
        before = peak_mb()
        where = begin(client, "large.csv.gz", size).headers["location"]
        answer = client.patch(
            where,
            content=(piece for _ in range(size >> 20)),
            headers=STREAM | {"Upload-Offset": "0"},
            timeout=250,
        )
        assert answer.status_code == 204
        assert peak_mb() - before < 64
    assert {kept.bytes for kept in shelf(world).waiting()} == {size, 1 << 20}
