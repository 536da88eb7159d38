"""The tus protocol over TLS, as a partner's program speaks it; and whatever is not as it should be is refused."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import date, timedelta

import pytest

from acequia.intake.desk import OPEN_AT_MOST
from acequia.intake.limits import Limit
from acequia.intake.refusals import Refusal
from acequia.intake.tokens import issue, listed, revoke
from acequia.opening import ledger_of
from acequia.period import Period
from acequia.receive.uploads import Shelf
from tests.intake.serving import BASE, FEED, PARTNER, STREAM, TUS, begin, go_on, named, token_of, upload

DAYS = itertools.count(1)


@pytest.fixture
def base() -> str:
    """A period that no other test uses."""
    return f"/v1/{PARTNER}/{FEED}/{date(2026, 5, 1) + timedelta(days=next(DAYS))}"


def shelf(world, base: str) -> Shelf:
    return Shelf.of(world.settings.home / "uploads", PARTNER, FEED, Period.parse(base.rpartition("/")[2]))


def sha256(content: bytes) -> str:
    return "sha256 " + base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_the_server_says_what_it_can(client, base):
    answer = client.options(f"{base}/")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,checksum,expiration,termination"
    assert answer.headers["tus-checksum-algorithm"] == "sha256,sha1"
    assert int(answer.headers["tus-max-size"]) > 0
    assert client.get("/health").json() == {"status": "ok"}


def test_a_file_in_chunks_is_kept_encrypted_under_its_name(client, base, world):
    content = b"row\n" * 50_000
    where = upload(client, "1.csv.gz", content, base=base)
    (kept,) = shelf(world, base).waiting()
    assert (kept.name, kept.bytes, kept.sha256) == ("1.csv.gz", len(content), hashlib.sha256(content).hexdigest())
    found = [file for file in (world.settings.home / "uploads").rglob("*") if file.is_file()]
    assert not [file for file in found if b"row\nrow" in file.read_bytes()]
    assert {oct(file.stat().st_mode & 0o777) for file in found} == {"0o600"}
    told = client.head(where, headers=TUS)
    assert (told.status_code, told.headers["upload-offset"]) == (200, str(len(content)))
    assert not shelf(world, base).delivered()


def test_an_upload_is_taken_up_where_it_broke_off(client, base, world):
    content = bytes(range(256)) * 100
    where = begin(client, "1.csv.gz", len(content), base).headers["location"]
    assert go_on(client, where, 0, content[:10_000]).status_code == 204
    told = client.head(where, headers=TUS)
    assert (told.headers["upload-offset"], told.headers["upload-length"]) == ("10000", "25600")
    assert told.headers["cache-control"] == "no-store" and told.headers["upload-expires"]
    assert go_on(client, where, 0, content).status_code == 409
    assert go_on(client, where, 9_999, content).status_code == 409
    assert go_on(client, where, 10_000, content[10_000:]).status_code == 204
    (kept,) = shelf(world, base).waiting()
    assert kept.sha256 == hashlib.sha256(content).hexdigest()


def test_a_wrong_checksum_counts_for_nothing(client, base):
    where = begin(client, "1.csv.gz", 8, base).headers["location"]
    assert go_on(client, where, 0, b"abcd", **{"Upload-Checksum": sha256(b"abce")}).status_code == 460
    assert client.head(where, headers=TUS).headers["upload-offset"] == "0"
    assert go_on(client, where, 0, b"abcd", **{"Upload-Checksum": "md5 xxxx"}).status_code == 400
    assert go_on(client, where, 0, b"abcd", **{"Upload-Checksum": "sha256 xxxx"}).status_code == 400
    sha1 = "sha1 " + base64.b64encode(hashlib.sha1(b"abcd").digest()).decode()
    assert go_on(client, where, 0, b"abcd", **{"Upload-Checksum": sha1}).status_code == 204
    assert go_on(client, where, 4, b"abcd", **{"Upload-Checksum": sha256(b"abcd")}).status_code == 204


def test_more_bytes_than_were_said_are_refused(client, base):
    where = begin(client, "1.csv.gz", 8, base).headers["location"]
    assert go_on(client, where, 0, b"123456789").status_code == 413
    assert client.head(where, headers=TUS).headers["upload-offset"] == "0"


def test_more_than_is_agreed_is_refused(client, base):
    at_most = int(client.options(f"{base}/").headers["tus-max-size"])
    assert begin(client, "1.csv.gz", at_most + 1, base).status_code == 413
    assert begin(client, "1.csv.gz", at_most, base).status_code == 201
    assert begin(client, "2.csv.gz", 1, base).status_code == 413


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../1.csv.gz", "name_escapes"),
        ("a/1.csv.gz", "name_escapes"),
        (".1.csv.gz", "name_escapes"),
        ("1.csv.gz\n", "name_escapes"),
        ("x" * 200 + ".csv.gz", "name_escapes"),
        ("1.csv", "name_not_agreed"),
        ("1.csv.gz.part", "name_not_agreed"),
        ("manifest.jws", "manifest_invalid"),
    ],
)
def test_names_are_checked(client, base, name, code):
    answer = begin(client, name, 1, base)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert name not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (named("1.csv.gz") | {"Upload-Length": "1"}, 412),
        (TUS | named("1.csv.gz"), 400),
        (TUS | named("1.csv.gz") | {"Upload-Length": "-1"}, 400),
        (TUS | named("1.csv.gz") | {"Upload-Length": "1e3"}, 400),
        (TUS | named("1.csv.gz") | {"Upload-Defer-Length": "1"}, 400),
        (TUS | {"Upload-Length": "1"}, 400),
        (TUS | {"Upload-Length": "1", "Upload-Metadata": "filename !!"}, 400),
        (TUS | {"Upload-Length": "1", "Upload-Metadata": "filename /w=="}, 400),
        ({"Tus-Resumable": "0.2.2", "Upload-Length": "1"} | named("1.csv.gz"), 412),
    ],
)
def test_headers_are_read_strictly(client, base, headers, status):
    answer = client.post(f"{base}/", headers=headers)
    assert answer.status_code == status
    assert answer.headers["tus-resumable"] == "1.0.0"


def test_bytes_come_under_their_own_type(client, base):
    where = begin(client, "1.csv.gz", 1, base).headers["location"]
    answer = client.patch(where, content=b"x", headers=STREAM | {"Upload-Offset": "0", "Content-Type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize("wrong", ["", "x", "acequia_00000000_" + "A" * 43, "almost"])
def test_without_a_valid_token_nothing_is_told(running, token, wrong):
    answers = set()
    for path in (BASE, "/v1/nobody/nothing/2026-11-10"):
        with running.client(token[:-1] + "_" if wrong == "almost" else wrong) as stranger:
            answer = stranger.get(path)
        answers.add((answer.status_code, answer.headers["www-authenticate"], answer.text))
    assert [(status, kind) for status, kind, _ in answers] == [(401, 'Bearer realm="acequia"')]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nyota_health/visits/2026-W46",
        "/v1/nobody/events/2026-11-10",
        f"/v1/{PARTNER}/nothing/2026-11-10",
        f"/v1/{PARTNER}/{FEED}/2026-11",
        f"/v1/{PARTNER}/{FEED}/tomorrow",
        f"/v1/{PARTNER}/{FEED}/2026-11-10/" + "0" * 32,
        f"/v1/{PARTNER}/../x",
    ],
)
def test_what_is_anothers_is_not_there(client, path):
    upload = path.count("/") == 5
    answer = client.head(path, headers=TUS) if upload else client.get(path)
    assert answer.status_code == 404


def test_another_partners_upload_is_not_there(running, client, base, world):
    where = begin(client, "1.csv.gz", 4, base).headers["location"]
    names = [path.stem for path in world.settings.partners.glob("*.yaml") if path.stem != PARTNER]
    other = token_of(world, names[0])
    with running.client(other) as stranger:
        assert stranger.head(where, headers=TUS).status_code == 404
        assert go_on(stranger, where, 0, b"xxxx").status_code == 404
        assert stranger.delete(where, headers=TUS).status_code == 404
        assert stranger.get(base).status_code == 404
        own = where.replace(PARTNER, names[0])
        assert stranger.head(own, headers=TUS).status_code == 404
    assert client.head(where, headers=TUS).headers["upload-offset"] == "0"


def test_a_period_outside_the_agreement_is_refused(client):
    answer = client.get(f"/v1/{PARTNER}/{FEED}/2030-01-01")
    assert (answer.status_code, answer.json()["code"]) == (403, "agreement_expired")


def test_a_revoked_token_and_one_that_ended_open_nothing(running, world, base):
    ledger = ledger_of(world.settings)
    text, token = issue(ledger, PARTNER, days=1, who="test")
    with running.client(text) as client:
        assert client.get(base).status_code == 200
        revoke(ledger, PARTNER, token.id, who="test")
        assert client.get(base).status_code in (401, 429)  # wrong tokens of this address are counted
    assert {one.id: one.state for one in listed(ledger)}[token.id] == "revoked"
    assert text not in json.dumps([entry.as_row() for entry in ledger.notes("upload_token")])


def test_two_requests_do_not_write_to_one_upload(client, running, token, base):
    where = begin(client, "1.csv.gz", 2_000_000, base).headers["location"]
    began, go = threading.Event(), threading.Event()

    def slowly():
        yield b"a" * 1_000_000
        began.set()
        go.wait(20)
        yield b"a" * 1_000_000

    answers = []
    with running.client(token) as other:
        first = threading.Thread(target=lambda: answers.append(go_on(other, where, 0, slowly())))
        first.start()
        began.wait(20)
        time.sleep(0.3)
        assert go_on(client, where, 0, b"b" * 10).status_code == 423
        assert client.delete(where, headers=TUS).status_code == 423
        go.set()
        first.join(20)
    assert [answer.status_code for answer in answers] == [204]


def test_an_upload_can_be_ended_by_its_partner(client, base, world):
    where = begin(client, "1.csv.gz", 10, base).headers["location"]
    assert client.delete(where, headers=TUS).status_code == 204
    assert client.head(where, headers=TUS).status_code == 404
    where = upload(client, "1.csv.gz", b"0123456789", base=base)
    assert client.delete(where, headers=TUS).status_code == 204
    assert client.head(where, headers=TUS).status_code == 404
    assert not shelf(world, base).waiting()
    assert not list((shelf(world, base).folder / "content").glob("*"))


def test_not_more_uploads_at_once_than_there_may_be(client, world, base):
    begun = [begin(client, f"{number}.csv.gz", 10, base) for number in range(OPEN_AT_MOST + 1)]
    assert begun[-1].status_code == 429
    for answer in begun:
        if answer.status_code == 201:
            client.delete(answer.headers["location"], headers=TUS)
    time.sleep(2)  # the partner's share of requests fills again


def test_a_request_that_breaks_off_keeps_what_came(client, running, token, base):
    where = begin(client, "1.csv.gz", 1_000_000, base).headers["location"]
    context = ssl.create_default_context(cafile=str(running.authority))
    raw = socket.create_connection(("127.0.0.1", running.port))
    with raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as line:
        line.sendall(
            f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
            f"Content-Length: 1000000\r\n\r\n".encode()
            + b"a" * 300_000
        )
        time.sleep(0.5)
    deadline = time.monotonic() + 10
    offset = 0
    while not offset and time.monotonic() < deadline:
        offset = int(client.head(where, headers=TUS).headers["upload-offset"])
        time.sleep(0.1)
    assert 0 < offset <= 300_000
    assert go_on(client, where, offset, b"a" * (1_000_000 - offset)).status_code == 204


def test_a_file_in_one_request_with_curl(running, token, base, world, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    file = tmp_path / "1.csv.gz"
    file.write_bytes(b"0123456789" * 1000)
    digest = base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()

    def curl(said: str) -> str:
        done = subprocess.run(
            ["curl", "--silent", "--cacert", running.authority, "--header", f"Authorization: Bearer {token}",
             "--header", f"Content-Digest: sha-256=:{said}:", "--upload-file", file, "--output", tmp_path / "answer",
             "--write-out", "%{http_code}", f"{running.address}{base}/1.csv.gz"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    assert curl(digest.replace(digest[3], "A" if digest[3] != "A" else "B", 1)) in ("460", "400")
    assert not shelf(world, base).waiting()
    assert curl(digest) == "201"
    (kept,) = shelf(world, base).waiting()
    assert (kept.name, kept.bytes) == ("1.csv.gz", 10_000)


def test_no_header_of_the_server_says_what_it_runs_on(client, base):
    assert not {"server", "x-powered-by"} & set(client.get(base).headers.keys())


def test_wrong_tokens_are_counted_and_right_ones_still_heard(running, client, base):
    with running.client("wrong") as stranger:
        answers = [stranger.get(base) for _ in range(30)]
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) > 0
    assert client.get(base).status_code == 200


def test_a_bucket_of_requests_fills_again():
    now = [0.0]
    limit = Limit(2, 0.5, lambda: now[0])
    limit.take("a"), limit.take("a"), limit.take("b")
    with pytest.raises(Refusal) as refused:
        limit.take("a")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "3")
    now[0] = 2
    limit.take("a")
    with pytest.raises(Refusal):
        limit.take("a")


@pytest.mark.parametrize("path", ["/v1/{0}/x%2fy/2026-05-01", "/nowhere", "/v1/%2f"])
def test_a_path_that_leads_nowhere_is_answered_like_any_other(client, path):
    for method in ("GET", "PUT", "PATCH"):
        answer = client.request(method, path.format(PARTNER, FEED))
        assert answer.status_code in (401, 404, 405, 411, 412), (method, answer.status_code)
        said = answer.json()
        assert said["who_acts"] == "partner" and said["what_to_do"] and said["status"] == answer.status_code
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["..%2f1.csv.gz", "a%2f1.csv.gz", "%2e%2e%2f1.csv.gz", "%2f", ".1.csv.gz"])
def test_a_name_with_a_folder_is_refused_whatever_way_it_comes(client, base, name):
    answer = client.put(f"{base}/{name}", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (400, "name_escapes")
    assert client.head(f"{base}/{name}", headers=TUS).status_code == 404
    assert client.delete(f"{base}/{name}", headers=TUS).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("es", "es"), ("es-UY,es;q=0.9,en;q=0.8", "es"), ("en,es;q=0.5", "en"), ("fr", "en"), ("es;q=x", "en"),
     ("*", "en"), ("ES", "es"), ("en;q=0.2, es;q=0.3", "es"), (",;=,;q=", "en")],
)  # fmt: skip
def test_who_acts_and_what_to_do_is_said_in_the_requests_language(client, base, accepted, language):
    answer = client.put(f"{base}/a%2fb", content=b"x", headers={"Accept-Language": accepted})
    said = answer.json()
    assert answer.headers["content-language"] == language
    assert said["who_acts"] == "partner" and said["detail"] == said["what"]
    assert said["what_to_do"] == {
        "en": "Name the file as agreed, without folders.", "es": "Nombrar el archivo como se acordó, sin carpetas.",
    }[language]  # fmt: skip
    assert said["type"] == "urn:acequia:problem:name_escapes" and said["title"] == "Bad Request"


def test_every_answer_has_its_acts_and_its_spanish():
    import ast
    from pathlib import Path

    import acequia.intake
    from acequia.words.answers import ACTS
    from acequia.words.reasons import told

    seen = set()
    for path in Path(acequia.intake.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Refusal", "too_large"):
                code, what = call.args[1:3] if len(call.args) > 2 else (None, call.args[0])
                if isinstance(code, ast.Constant):
                    seen.add(code.value)
                    assert code.value in ACTS
                if isinstance(what, ast.Constant):
                    assert told(what.value, "es") != what.value
                elif isinstance(what, ast.JoinedStr):
                    text = "".join(part.value if isinstance(part, ast.Constant) else "7" for part in what.values)
                    assert told(text.replace("knows 7", "knows 7 and 8"), "es") != text, text
    assert len(seen) > 15
