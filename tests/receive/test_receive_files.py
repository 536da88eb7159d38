"""What every source of files does alike: folder, SFTP, S3, HTTPS. The latter has no listing, so it needs a manifest."""

from __future__ import annotations

import hashlib
import json

import pytest

from acequia.errors import AcequiaError
from acequia.receive.arrive import content_sha256
from tests.receive.partners import DAY, manifest_of

A, B = b"a,b\n1,2\n", b"a,b\n" + b"3,4\n" * 50_000
PATTERN = "out/{period}/*.csv"


def refused(arrived) -> str:
    assert arrived.refusal, "the delivery was not refused"
    return arrived.refusal[0]


def test_one_file_arrives_and_is_kept_encrypted(office, partner):
    partner.put("out/2026-11-21.csv", A)
    partner.put("out/2026-11-22.csv", B)
    arrived = office.receive(partner.terms("out/{period}.csv"), partner.connection)
    assert arrived.refusal is None
    assert office.opened(arrived) == {"2026-11-21.csv": A}
    (file,) = arrived.files
    folder = f"pula/events/2026-11-21/{arrived.content_sha256[:16]}"
    assert file.stored == f"{folder}/1.{file.sha256[:16]}.k1.age"
    assert arrived.content_sha256 == hashlib.sha256(f"{file.sha256}  2026-11-21.csv\n".encode()).hexdigest()
    stored = [part.read_bytes() for part in (office.home / "landing").rglob("*") if part.is_file()]
    assert stored and not [part for part in stored if A in part]


def test_receiving_again_changes_nothing(office, partner):
    partner.send("out/2026-11-21", {"1.csv": A, "2.csv": B}, manifest_of({"1.csv": A, "2.csv": B}))
    agreed = partner.terms(PATTERN, manifest="required")
    first = office.receive(agreed, partner.connection)
    before = {file: file.stat().st_mtime_ns for file in (office.home / "landing").rglob("*.age")}
    assert office.receive(agreed, partner.connection) == first
    assert {file: file.stat().st_mtime_ns for file in (office.home / "landing").rglob("*.age")} == before


def test_a_manifest_that_fits(office, partner):
    files = {"events 1.csv": A, "events-ñ.csv": B}
    partner.send("out/2026-11-21", files, manifest_of(files, period="2026-11-21", feed="events"))
    arrived = office.receive(partner.terms(PATTERN, manifest="required"), partner.connection)
    assert arrived.refusal is None
    assert office.opened(arrived) == files
    assert [file["number"] for file in arrived.manifest["files"]] == [1, 2]
    said = office.as_sent(arrived)["manifests"][0]["files"]
    assert [file["name"] for file in said] == sorted(files)
    plain = arrived.model_dump_json() + "".join(office.landing.list())
    assert not [name for name in files if name in plain], "names are the partner's text: they are kept encrypted"


def test_a_manifest_of_one_file(office, partner):
    partner.put("2026-11-21.csv", A)
    partner.put("2026-11-21.csv.manifest.json", json.dumps(manifest_of({"2026-11-21.csv": A})).encode())
    arrived = office.receive(partner.terms("{period}.csv", manifest="required"), partner.connection)
    assert arrived.refusal is None
    assert office.opened(arrived) == {"2026-11-21.csv": A}


@pytest.mark.parametrize(
    ("sent", "listed", "more", "code"),
    [
        ({"1.csv": A, "2.csv": b"x"}, {"1.csv": A, "2.csv": b"y"}, {}, "checksum_differs"),
        ({"1.csv": A}, {"1.csv": A + b"5,6\n"}, {}, "checksum_differs"),
        ({"1.csv": A}, {"1.csv": A, "2.csv": B}, {}, "file_not_sent"),
        ({"1.csv": A}, {"1.csv": A}, {"period": "2026-11-20"}, "manifest_of_another_period"),
        ({"1.csv": A}, {"1.csv": A}, {"feed": "trips"}, "manifest_of_another_feed"),
        ({"1.csv": A, "2.csv": b""}, {"1.csv": A, "2.csv": b""}, {}, "file_empty"),
    ],
)
def test_what_is_not_as_the_manifest_says_is_refused_and_kept(office, partner, sent, listed, more, code):
    partner.send("out/2026-11-21", sent, manifest_of(listed, **more))
    arrived = office.receive(partner.terms(PATTERN, manifest="required"), partner.connection)
    assert refused(arrived) == code
    assert office.opened(arrived) == sent


def test_a_file_that_the_manifest_does_not_list_is_not_named(office, folder_partner, sftp_partner, s3_partner):
    for partner in (folder_partner, sftp_partner, s3_partner):
        sent = {"1.csv": A, "maria-gonzalez.csv": B}
        partner.send("out/2026-11-21", sent, manifest_of({"1.csv": A}))
        arrived = office.receive(partner.terms(PATTERN, manifest="required"), partner.connection)
        assert refused(arrived) == "file_unlisted"
        assert "maria" not in arrived.refusal[1]
        assert office.opened(arrived) == sent


def test_nothing_there_is_missing(office, partner):
    agreed = partner.terms(PATTERN, manifest="required")
    assert not office.look(agreed, partner.connection)
    with pytest.raises(AcequiaError, match=r"\[delivery_missing\].*pula.events 2026-11-21") as missing:
        office.receive(agreed, partner.connection)
    assert missing.value.retryable


def test_an_optional_manifest_is_used_when_it_is_there(office, partner):
    agreed = partner.terms("out/{period}/1.csv", manifest="optional")
    partner.send("out/2026-11-21", {"1.csv": A})
    assert office.receive(agreed, partner.connection).refusal is None
    partner.send("out/2026-11-21", {}, manifest_of({"1.csv": B}))
    assert refused(office.receive(agreed, partner.connection)) == "checksum_differs"


def test_an_empty_file_is_refused_and_kept(office, partner):
    partner.put("out/2026-11-21.csv", b"")
    arrived = office.receive(partner.terms("out/{period}.csv"), partner.connection)
    assert refused(arrived) == "file_empty"
    assert office.opened(arrived) == {"2026-11-21.csv": b""}


@pytest.mark.parametrize(("limit", "fits"), [(len(B), True), (len(B) - 1, False)])
def test_a_delivery_larger_than_agreed_is_not_taken(office, partner, limit, fits):
    partner.put("out/2026-11-21.csv", B)
    arrived = office.receive(partner.terms("out/{period}.csv", bytes_at_most=limit), partner.connection)
    assert (arrived.refusal is None) is fits
    if not fits:
        assert refused(arrived) == "file_too_large"
        assert arrived.files == ()


def test_a_manifest_that_is_none_refuses_the_delivery(office, partner):
    partner.send("out/2026-11-21", {"1.csv": A})
    for raw in (b'{"files": [', b"[]", b'{"files": [], "files": []}', b" " * 1_000_001):
        partner.put("out/2026-11-21/manifest.json", raw)
        agreed = partner.terms("out/{period}/1.csv", manifest="required")
        arrived = office.receive(agreed, partner.connection)
        assert refused(arrived) == "manifest_invalid"
        assert office.opened(arrived) == {"1.csv": A}


def test_the_manifest_comes_last(office, folder_partner, sftp_partner, s3_partner, https_partner):
    for partner in (folder_partner, sftp_partner, s3_partner, https_partner):
        partner.send("out/2026-11-21", {"1.csv": A})
        agreed = partner.terms("out/{period}/1.csv", manifest="required")
        assert not office.look(agreed, partner.connection)
        with pytest.raises(AcequiaError, match="delivery_unfinished"):
            office.receive(agreed, partner.connection)
        partner.send("out/2026-11-21", {}, manifest_of({"1.csv": A}))
        assert office.look(agreed, partner.connection)
        assert office.receive(agreed, partner.connection).refusal is None


def test_the_manifest_of_another_period_at_a_fixed_place_says_that_ours_is_still_to_come(office, partner):
    partner.send("latest", {"events.csv": A}, manifest_of({"events.csv": A}, period="2026-11-20"))
    agreed = partner.terms("latest/events.csv", manifest="required")
    with pytest.raises(AcequiaError, match="delivery_missing"):
        office.receive(agreed, partner.connection)
    assert office.receive(agreed, partner.connection, DAY.previous()).refusal is None


@pytest.mark.parametrize("kind", ["folder", "sftp", "s3"])
def test_wildcards_take_the_periods_finished_files_only(office, kind, request):
    partner = request.getfixturevalue(f"{kind}_partner")
    wanted = {"a.csv": A, "b.csv": B}
    other = dict.fromkeys(("c.csv.part", "d.csv.tmp", "e.csv.filepart", ".f.csv", "g.txt", "deeper/h.csv"), b"x")
    partner.send("out/2026-11-21", {**wanted, **other})
    partner.send("out/2026-11-22", {"a.csv": B})
    arrived = office.receive(partner.terms(PATTERN), partner.connection)
    assert office.opened(arrived) == wanted


@pytest.mark.parametrize("kind", ["folder", "sftp", "s3"])
def test_wildcards_in_folders_keep_files_of_one_name_apart(office, kind, request):
    partner = request.getfixturevalue(f"{kind}_partner")
    for vendor, content in (("v1", A), ("v2", B)):
        partner.send(f"in/{vendor}/2026-11", {"trips.csv": content}, manifest_of({"trips.csv": content}))
    partner.send("in/other/2026-11", {"trips.csv": b"x"})
    arrived = office.receive(partner.terms("in/v?/{start:%Y-%m}/trips.csv", manifest="required"), partner.connection)
    assert arrived.refusal is None
    assert office.opened(arrived) == {"v1__2026-11__trips.csv": A, "v2__2026-11__trips.csv": B}
    assert [file["number"] for file in arrived.manifest["files"]] == [1, 2]


@pytest.mark.parametrize("kind", ["folder", "sftp", "s3"])
def test_a_name_that_cannot_be_kept_is_refused_under_another(office, kind, request):
    partner = request.getfixturevalue(f"{kind}_partner")
    partner.send("out/2026-11-21", {"a.csv": A, "x|maria.csv": B, "_set_aside.csv": A})
    arrived = office.receive(partner.terms(PATTERN), partner.connection)
    assert refused(arrived) == "name_escapes"
    assert "maria" not in arrived.refusal[1]
    assert sorted(office.opened(arrived).values()) == sorted([A, B, A])


def test_the_content_is_named_by_its_files_in_any_order():
    files = {"b.csv": "22", "a.csv": "11"}
    assert content_sha256(files) == content_sha256(dict(reversed(files.items())))
    assert content_sha256(files) == hashlib.sha256(b"11  a.csv\n22  b.csv\n").hexdigest()
    assert content_sha256(files) != content_sha256({"a.csv": "22", "b.csv": "11"})
