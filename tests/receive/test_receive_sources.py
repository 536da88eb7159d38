"""What each kind of source does in its own way: logins, certificates, links, files that still grow."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from acequia.demo.servers.child import free_port
from acequia.errors import AcequiaError
from acequia.receive.connections import Connection
from acequia.receive.sealing import Sealing
from tests.receive.partners import Partner, manifest_of, terms

A = b"a,b\n1,2\n"


def code_of(office, agreed, connection=None) -> str:
    with pytest.raises(AcequiaError) as raised:
        office.receive(agreed, connection)
    assert "pula.events 2026-11-21" in str(raised.value)
    return raised.value.code


# Folders


def test_the_folder_of_a_connection(office, tmp_path):
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "2026-11-21.csv").write_bytes(A)
    agreed = terms({"type": "folder", "connection": "share", "path": "{period}.csv"})
    assert office.opened(office.receive(agreed, Connection(path=str(tmp_path / "share")))) == {"2026-11-21.csv": A}
    assert code_of(office, agreed, Connection(path=str(tmp_path / "not-mounted"))) == "source_unreachable"
    assert code_of(office, agreed, Connection()) == "connection_invalid"


@pytest.mark.parametrize("path", ["/etc/passwd", "out/", "../out/1.csv", "out/../../1.csv", "a\\b", "."])
def test_a_path_that_leads_out_is_refused_even_when_the_agreement_lets_it_pass(office, path):
    agreed = terms({"type": "folder", "path": "1.csv"})
    source = agreed.source.model_copy(update={"path": path})
    assert code_of(office, agreed.model_copy(update={"source": source})) == "path_escapes"


@pytest.mark.parametrize("kind", ["folder", "sftp"])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("what", ["file", "folder", "fixed folder"])
def test_links_are_followed_inside_the_folder_only(request, office, tmp_path, kind, inside, what):
    partner: Partner = request.getfixturevalue(f"{kind}_partner")
    partner.put("real/secret.csv", A)
    partner.put("out/x/other.txt", A)
    root = _root_of(request, kind, partner)
    target = root / "real"
    if not inside:
        target = root.parent / f"{root.name}-beside"
        target.mkdir()
        (target / "secret.csv").write_bytes(A)
    link, agreed = {
        "file": (root / "out/2026-11-21.csv", "out/{period}.csv"),
        "folder": (root / "out/2026-11-21", "out/2026-*/secret.csv"),
        "fixed folder": (root / "out/2026-11-21", "out/{period}/secret.csv"),
    }[what]
    link.symlink_to(target / "secret.csv" if what == "file" else target)
    if inside:
        assert list(office.opened(office.receive(partner.terms(agreed), partner.connection)).values()) == [A]
    else:
        assert code_of(office, partner.terms(agreed), partner.connection) == "path_escapes"


def test_links_that_lead_nowhere_and_pipes_are_not_files(office, folder_partner):
    folder_partner.put("out/1.csv", A)
    inbox = office.home / "inbox"
    (inbox / "out/2.csv").symlink_to(inbox / "out/gone.csv")
    os.mkfifo(inbox / "out/3.csv")
    (inbox / "out/4.csv").mkdir()
    assert list(office.opened(office.receive(folder_partner.terms("out/*.csv")))) == ["1.csv"]


@pytest.mark.parametrize("kind", ["folder", "sftp", "https"])
def test_a_file_that_grows_is_not_taken(request, office, kind):
    partner: Partner = request.getfixturevalue(f"{kind}_partner")
    partner.put("2026-11-21.csv", A)
    file = _root_of(request, kind, partner) / "2026-11-21.csv"
    agreed = partner.terms("{period}.csv", settle_seconds=1)
    with _growing(file):
        assert office.look(agreed, partner.connection)
        assert code_of(office, agreed, partner.connection) == "delivery_unfinished"
    arrived = office.receive(agreed, partner.connection)
    assert arrived.refusal is None
    assert office.opened(arrived) == {"2026-11-21.csv": file.read_bytes()}


@pytest.mark.parametrize("kind", ["folder", "sftp", "https"])
def test_nobody_waits_for_what_is_old_or_as_the_manifest_says(request, office, kind):
    partner: Partner = request.getfixturevalue(f"{kind}_partner")
    partner.send("new", {"1.csv": A}, manifest_of({"1.csv": A}))
    partner.send("old", {"1.csv": A})
    os.utime(_root_of(request, kind, partner) / "old" / "1.csv", (time.time() - 90_000,) * 2)
    started = time.monotonic()
    for agreed in (
        partner.terms("new/1.csv", manifest="required", settle_seconds=60),
        partner.terms("old/1.csv", settle_seconds=60),
    ):
        assert office.receive(agreed, partner.connection).refusal is None
    assert time.monotonic() - started < 20


def test_a_file_that_is_added_while_others_are_fetched_is_waited_for(office, folder_partner, monkeypatch):
    folder_partner.put("out/1.csv", A)
    seal = Sealing.seal

    def and_meanwhile(sealing, source, target):
        folder_partner.put("out/2.csv", A)
        seal(sealing, source, target)

    monkeypatch.setattr(Sealing, "seal", and_meanwhile)
    assert code_of(office, folder_partner.terms("out/*.csv")) == "delivery_unfinished"
    monkeypatch.undo()
    assert len(office.receive(folder_partner.terms("out/*.csv")).files) == 2


# A folder given instead of the source


@pytest.mark.parametrize("where", ["outbox/events/2026-11-21", "events/2026-11-21", "2026-11-21", ""])
def test_files_given_by_hand_lie_as_at_the_source_or_with_fewer_folders(office, tmp_path, where):
    (tmp_path / "given" / where).mkdir(parents=True)
    (tmp_path / "given" / where / "1.csv").write_bytes(A)
    if where:
        (tmp_path / "given" / "other-day.csv").write_bytes(b"x")
    agreed = terms({"type": "sftp", "connection": "c", "path": "/outbox/events/{period}/*.csv"}, settle_seconds=60)
    arrived = office.receive(agreed, from_dir=tmp_path / "given")
    assert office.opened(arrived) == {"1.csv": A}


def test_files_given_by_hand_are_complete(office, tmp_path):
    (tmp_path / "1.csv").write_bytes(A)
    agreed = terms({"type": "sftp", "connection": "c", "path": "*.csv"}, manifest="required")
    arrived = office.receive(agreed, from_dir=tmp_path)
    assert arrived.refusal[0] == "manifest_missing"
    assert office.opened(arrived) == {"1.csv": A}
    with pytest.raises(AcequiaError, match="delivery_missing"):
        office.receive(terms({"type": "sftp", "connection": "c", "path": "*.xlsx"}), from_dir=tmp_path)
    with pytest.raises(AcequiaError, match="usage"):
        office.receive(agreed, from_dir=tmp_path / "absent")


def test_a_link_in_a_folder_given_by_hand_may_not_lead_out(office, tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "secret.csv").write_bytes(A)
    (tmp_path / "given" / "1.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(AcequiaError, match="path_escapes"):
        office.receive(terms({"type": "folder", "path": "*.csv"}), from_dir=tmp_path / "given")


# SFTP


def test_sftp_by_key_and_from_the_root(office, sftp_server):
    (sftp_server.folder / "by-key").mkdir()
    (sftp_server.folder / "by-key" / "2026-11-21.csv").write_bytes(A)
    agreed = terms({"type": "sftp", "connection": "c", "path": "/by-key/{period}.csv"})
    assert office.opened(office.receive(agreed, sftp_server.by_key)) == {"2026-11-21.csv": A}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "guessed"}, "source_denied"),
        ({"user": "somebody"}, "source_denied"),
        ({"password": None}, "source_denied"),
        ({"host_key": None}, "connection_invalid"),
        ({"host_key": "ssh-ed25519 nonsense"}, "connection_invalid"),
        ({"private_key": "/nowhere/id_ed25519"}, "connection_invalid"),
        ({"host": None}, "connection_invalid"),
        ({"port": 1}, "source_unreachable"),
    ],
)
def test_sftp_logins_that_fail(office, sftp_partner, change, code):
    sftp_partner.put("1.csv", A)
    agreed = sftp_partner.terms("1.csv")
    assert code_of(office, agreed, sftp_partner.connection.model_copy(update=change)) == code


def test_an_sftp_server_that_is_not_the_one_we_know(office, sftp_partner, tmp_path):
    import asyncssh

    sftp_partner.put("1.csv", A)
    agreed, connection = sftp_partner.terms("1.csv"), sftp_partner.connection
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    assert code_of(office, agreed, connection.model_copy(update={"host_key": other})) == "source_denied"
    known = tmp_path / "known_hosts"
    for key, works in ((connection.host_key, True), (other, False)):
        known.write_text(f"[{connection.host}]:{connection.port} {key}\n")
        by_file = connection.model_copy(update={"host_key": None, "known_hosts": str(known)})
        if works:
            assert office.receive(agreed, by_file).refusal is None
        else:
            assert code_of(office, agreed, by_file) == "source_denied"
    anyone = connection.model_copy(update={"host_key": None, "accept_any_host_key": True})
    assert office.receive(agreed, anyone).refusal is None


# HTTPS


def test_https_files_behind_a_login_and_a_certificate(office, https_partner, tmp_path):
    https_partner.put("2026-11-21.csv", A)
    agreed, connection = https_partner.terms("{period}.csv"), https_partner.connection
    assert code_of(office, agreed, connection.model_copy(update={"token": "guessed"})) == "source_denied"
    assert code_of(office, agreed, connection.model_copy(update={"ca_file": None})) == "source_denied"
    assert code_of(office, agreed, connection.model_copy(update={"ca_file": "/nowhere"})) == "connection_invalid"
    closed = connection.model_copy(update={"base_url": f"https://127.0.0.1:{free_port()}"})
    assert code_of(office, agreed, closed) == "source_unreachable"
    plain = connection.model_copy(update={"base_url": connection.base_url.replace("https", "http")})
    assert code_of(office, agreed, plain) == "connection_invalid"


def test_https_redirects_stay_on_the_server(office, https_partner, https_server):
    https_partner.put("moved/1.csv", A)
    own = "/" + https_partner.connection.base_url.rsplit("/", 1)[1]
    agreed, redirects = https_partner.terms("1.csv"), https_server.redirects
    redirects[f"{own}/1.csv"] = f"{own}/moved/1.csv"
    assert office.opened(office.receive(agreed, https_partner.connection)) == {"1.csv": A}
    redirects[f"{own}/1.csv"] = "https://localhost:1/1.csv"
    assert code_of(office, agreed, https_partner.connection) == "source_denied"
    redirects[f"{own}/1.csv"] = f"{own}/1.csv"
    assert code_of(office, agreed, https_partner.connection) == "source_denied"


def test_https_asks_for_what_the_manifest_names_and_the_agreement_covers(office, https_partner):
    https_partner.send("out", {"1.csv": A, "2.csv": A, "3.txt": A}, manifest_of({"1.csv": A, "2.csv": A, "3.txt": A}))
    arrived = office.receive(https_partner.terms("out/*.csv", manifest="required"), https_partner.connection)
    assert arrived.refusal[0] == "file_not_sent"
    assert sorted(office.opened(arrived)) == ["1.csv", "2.csv"]


def test_https_servers_that_know_no_head(office, https_partner, monkeypatch):
    from acequia.demo.servers import https

    https_partner.put("1.csv", A)
    monkeypatch.setattr(https._Handler, "do_HEAD", lambda handler: handler.send_error(405))
    assert office.opened(office.receive(https_partner.terms("1.csv"), https_partner.connection)) == {"1.csv": A}


def test_what_sources_write_to_the_log_names_no_file(office, https_partner, sftp_partner, caplog):
    caplog.set_level("INFO")
    for partner in (https_partner, sftp_partner):
        partner.put("maria-gonzalez.csv", A)
        office.receive(partner.terms("maria-gonzalez.csv"), partner.connection)
    assert "maria" not in caplog.text
    assert "partner" not in caplog.text


# S3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret_key": "guessed"}, "source_denied"),
        ({"access_key": "AKIAUNKNOWN"}, "source_denied"),
        ({"endpoint_url": "http://127.0.0.1:1"}, "source_unreachable"),
    ],
)
def test_s3_logins_that_fail(office, s3_partner, change, code):
    s3_partner.put("1.csv", A)
    assert code_of(office, s3_partner.terms("1.csv"), s3_partner.connection.model_copy(update=change)) == code


def test_a_bucket_of_somebody_else(office, s3_partner, s3_server):
    s3_server.bucket("somebody-elses")
    agreed = terms({"type": "s3", "connection": "c", "bucket": "somebody-elses", "path": "*.csv"})
    assert code_of(office, agreed, s3_partner.connection) == "source_denied"
    agreed = terms({"type": "s3", "connection": "c", "bucket": "not-there-at-all", "path": "*.csv"})
    assert code_of(office, agreed, s3_server.root) == "source_denied"


# After a failure


RECEIVE_AND_DIE = """
import os, sys
from pathlib import Path
from acequia.receive.landing import Landing
from tests.receive.partners import Office, terms
from acequia.keys import FileKeyStore
class Dying(Landing):
    def store(self, key, sealed, **how):
        if "/2." in key: os.kill(os.getpid(), 9)
        super().store(key, sealed, **how)
home = Path(sys.argv[1])
landing = Dying(str(home / "landing"), FileKeyStore(home / "keys"))
Office(home, landing).receive(terms({"type": "folder", "path": "*.csv"}))
"""


def test_a_killed_run_is_taken_up_again(office, folder_partner):
    files = {f"{n}.csv": hashlib.sha256(bytes([n])).digest() * 100 for n in range(1, 4)}
    folder_partner.send(".", files)
    project = Path(__file__).resolve().parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", RECEIVE_AND_DIE, str(office.home)],
        env={**os.environ, "PYTHONPATH": f"{project}:{project / 'plugins'}"},
    )
    assert killed.returncode == -9
    assert len(office.landing.list()) == 1
    arrived = office.receive(folder_partner.terms("*.csv"))
    assert office.opened(arrived) == files
    *stored, names = office.landing.list()
    assert stored == [file.stored for file in arrived.files] and "/_names." in names


def _root_of(request: pytest.FixtureRequest, kind: str, partner: Partner) -> Path:
    if kind == "folder":
        return request.getfixturevalue("office").home / "inbox"
    if kind == "sftp":
        return request.getfixturevalue("sftp_server").folder / partner.connection.path
    return request.getfixturevalue("https_server").folder / partner.connection.base_url.rsplit("/", 1)[1]


class _growing:
    def __init__(self, file: Path) -> None:
        self.file, self.stop = file, threading.Event()
        self.thread = threading.Thread(target=self._grow)

    def _grow(self) -> None:
        with self.file.open("ab") as file:
            while not self.stop.wait(0.05):
                file.write(b"3,4\n")
                file.flush()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
