"""What every key store promises, whichever it is."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore, fingerprint
from acequia.keys.choice import open_store
from acequia.keys.store import checked
from tests.keys.conftest import Kept, asking, kms
from tests.keys.vault_server import Vault

NAME = "pseudonyms.pula_mobile.events.2026-Q4"
SECRET = bytes(range(1, 33)).hex()


def filled(kept: Kept, name: str = NAME) -> bytes:
    """The secret of a key that is there."""
    if kept.provide:
        kept.provide(name, SECRET)
    return kept.again().secret(name)


def test_a_secret_has_32_bytes_and_stays_the_same(kept: Kept) -> None:
    secret = filled(kept)
    assert len(secret) == 32
    assert kept.again().secret(NAME) == secret
    assert kept.again().state(NAME) == "kept"
    assert NAME in kept.again().names()


def test_other_names_are_other_keys(kept: Kept) -> None:
    if kept.makes:
        assert len({kept.again().secret(name) for name in (NAME, "landing", "receipts")}) == 3


def test_texts_are_kept_as_they_are(kept: Kept) -> None:
    if kept.provide:
        kept.provide("landing", "AGE-SECRET-KEY-1ABC")
    assert kept.again().text("landing", lambda: "AGE-SECRET-KEY-1ABC") == "AGE-SECRET-KEY-1ABC"
    assert kept.again().text("landing", lambda: "another") == "AGE-SECRET-KEY-1ABC"


def test_a_name_that_was_never_used_is_absent(kept: Kept) -> None:
    assert kept.again().state(NAME) == "absent"
    assert NAME not in kept.again().names()


def test_a_store_that_cannot_make_keys_says_which_and_how(kept: Kept) -> None:
    if kept.makes:
        pytest.skip("this store makes keys")
    with pytest.raises(AcequiaError) as refused:
        kept.again().secret(NAME)
    assert refused.value.code == "key_missing"
    assert NAME in refused.value.what
    assert "openssl rand -hex 32" in refused.value.what_to_do


def destroy(kept: Kept, name: str = NAME) -> None:
    """Destroy a key; where the store is read only, with the help of whoever keeps it."""
    if kept.remove:
        with pytest.raises(AcequiaError) as refused:
            kept.again().destroy(name)
        assert refused.value.code == "store_denied"
        assert kept.again().state(name) == "half destroyed"
        with pytest.raises(AcequiaError):
            kept.again().secret(name)
        kept.remove(name)
    kept.again().destroy(name)


def test_a_destroyed_key_is_gone_and_never_made_again(kept: Kept) -> None:
    secret = filled(kept)
    destroy(kept)
    assert kept.again().state(NAME) == "destroyed"
    assert NAME in kept.again().names()
    for _ in range(2):
        with pytest.raises(AcequiaError) as refused:
            kept.again().secret(NAME)
        assert refused.value.code == "key_destroyed"
        assert (refused.value.exit_code, refused.value.who_acts) == (3, "steward")
    left = kept.everything()
    assert secret not in left
    assert secret.hex().encode() not in left
    kept.again().destroy(NAME)
    assert kept.again().state(NAME) == "destroyed"


def test_a_key_put_back_after_its_destruction_is_not_used(kept: Kept, tmp_path: Path) -> None:
    if kept.provide is None:
        pytest.skip("see the tests of each store")
    filled(kept)
    destroy(kept)
    kept.provide(NAME, SECRET)
    with pytest.raises(AcequiaError, match="key_destroyed"):
        kept.again().secret(NAME)


def test_destroying_one_key_leaves_the_others(kept: Kept) -> None:
    filled(kept)
    other = filled(kept, "pseudonyms.pula_mobile.events.2027-Q1")
    destroy(kept)
    assert kept.again().secret("pseudonyms.pula_mobile.events.2027-Q1") == other


def test_a_key_that_was_never_made_can_be_destroyed_ahead(kept: Kept) -> None:
    kept.again().destroy(NAME)
    assert kept.again().state(NAME) == "destroyed"
    with pytest.raises(AcequiaError, match="key_destroyed"):
        kept.again().secret(NAME)


def test_those_who_ask_at_once_get_one_secret(kept: Kept) -> None:
    if not kept.makes:
        pytest.skip("this store makes no keys")
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(kept.again().secret(NAME))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("name", ["", "..", "a/b", "../a", ".a", "a..b", "a b", "a\n", "é", "x" * 300])
def test_names_that_are_no_safe_file_names_are_refused(kept: Kept, name: str) -> None:
    for use in (kept.again().secret, kept.again().destroy, kept.again().state):
        with pytest.raises(AcequiaError):
            use(name)


def test_no_error_or_log_holds_a_key(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = filled(kept)
    store = kept.again()
    store.secret(NAME)
    told = [repr(store), repr(kept.again().__class__), str(vars(store))]
    destroy(kept)
    for name in (NAME, "a/b"):
        with pytest.raises(AcequiaError) as refused:
            kept.again().secret(name)
        told.append(f"{refused.value}{refused.value.what_to_do}{refused.value.__cause__}{refused.value.__context__}")
    assert secret.hex() not in caplog.text + "".join(told)


def test_a_secret_of_another_form_is_refused_without_showing_it(kept: Kept) -> None:
    if kept.provide:
        kept.provide(NAME, "not-a-secret-of-ours")
    else:
        kept.again().text(NAME, lambda: "not-a-secret-of-ours")
    with pytest.raises(AcequiaError) as refused:
        kept.again().secret(NAME)
    assert refused.value.code == "key_missing"
    assert "not-a-secret" not in str(refused.value)


# Files


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path / "keys")
    store.secret(NAME)
    store.destroy("other")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_destruction_that_was_killed_after_its_mark_can_be_finished(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path)
    secret = store.secret(NAME)
    (tmp_path / f"{NAME}.destroyed").touch()  # killed here
    assert store.state(NAME) == "half destroyed"
    with pytest.raises(AcequiaError, match="key_destroyed"):
        store.secret(NAME)
    store.destroy(NAME)
    assert store.state(NAME) == "destroyed"
    assert not [path for path in tmp_path.iterdir() if secret.hex().encode() in path.read_bytes()]


def test_destroying_takes_what_a_killed_process_left_and_overwrites_other_links(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path)
    secret = store.secret(NAME)
    os.link(tmp_path / f"{NAME}.key", tmp_path / f".{NAME}.key.0123456789abcdef")
    os.link(tmp_path / f"{NAME}.key", tmp_path / "elsewhere")
    store.destroy(NAME)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", f"{NAME}.destroyed"]
    assert secret.hex().encode() not in (tmp_path / "elsewhere").read_bytes()


# Vault


def test_vault_refuses_a_wrong_token(vault: Vault, tmp_path: Path) -> None:
    login = {"acequia_vault": {"base_url": vault.url, "token": "wrong"}}
    with pytest.raises(AcequiaError) as refused:
        open_store("vault:secret/acequia", tmp_path, asking(login), {}).secret(NAME)
    assert refused.value.code == "store_denied"


def test_vault_that_does_not_answer_is_told(tmp_path: Path) -> None:
    login = {"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "any"}
    with pytest.raises(AcequiaError) as refused:
        open_store("vault:secret/acequia", tmp_path, asking({}), login).secret(NAME)
    assert refused.value.code == "store_unreachable"


def test_a_destruction_that_breaks_off_in_vault_can_be_finished(vault: Vault, tmp_path: Path) -> None:
    login = {"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token}
    vault.kept.clear()
    store = open_store("vault:secret/acequia", tmp_path, asking({}), login)
    secret = store.secret(NAME)
    vault.stop_before = "destroy"
    try:
        with pytest.raises(AcequiaError, match="store_unreachable"):
            store.destroy(NAME)
    finally:
        vault.stop_before = ""
    assert store.state(NAME) == "half destroyed"
    with pytest.raises(AcequiaError, match="key_destroyed"):
        store.secret(NAME)
    store.destroy(NAME)
    assert store.state(NAME) == "destroyed"
    assert secret.hex() not in str(vault.kept)


def test_a_secret_that_somebody_deleted_in_vault_is_not_made_again(vault: Vault, tmp_path: Path) -> None:
    login = {"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token}
    vault.kept.clear()
    store = open_store("vault:secret/acequia", tmp_path, asking({}), login)
    store.secret(NAME)
    vault.kept[f"acequia/{NAME}"]["versions"][1]["deleted"] = "2026-11-22T11:00:00Z"
    with pytest.raises(AcequiaError) as refused:
        store.secret(NAME)
    assert refused.value.code == "key_missing"
    assert "undelete" in refused.value.what


def test_where_hvac_is_absent_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "hvac", None)
    monkeypatch.setitem(sys.modules, "hvac.exceptions", None)
    with pytest.raises(AcequiaError) as refused:
        open_store("vault:secret/acequia", tmp_path, asking({}), {}).secret(NAME)
    assert refused.value.code == "usage"
    assert "hvac" in refused.value.what


# AWS KMS


def kms_store(kms_key, s3_server, folder):  # type: ignore[no-untyped-def]
    login = {"acequia_kms": s3_server.root.model_dump(exclude_none=True)}
    return open_store(f"awskms:{kms_key}", folder, asking(login), {})


def test_files_of_kms_do_not_hold_the_secret_and_open_under_their_own_name_alone(kms_key, s3_server, tmp_path) -> None:
    store = kms_store(kms_key, s3_server, tmp_path)
    secret = store.secret(NAME)
    file = tmp_path / f"{NAME}.kms"
    assert secret not in file.read_bytes()
    assert secret.hex().encode() not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (tmp_path / "other.kms").write_bytes(file.read_bytes())
    with pytest.raises(AcequiaError) as refused:
        store.secret("other")
    assert refused.value.code == "key_missing"


def test_kms_by_alias_and_with_a_key_that_is_not_there(kms_key, s3_server, tmp_path) -> None:
    kms(s3_server).create_alias(AliasName="alias/acequia", TargetKeyId=kms_key)
    store = kms_store("alias/acequia", s3_server, tmp_path)
    assert store.secret(NAME) == kms_store("alias/acequia", s3_server, tmp_path).secret(NAME)
    with pytest.raises(AcequiaError) as refused:
        kms_store("alias/nothing", s3_server, tmp_path).secret("another")
    assert refused.value.code == "store_denied"


# Settings


@pytest.mark.parametrize("setting", ["vault:", "vault:secret", "airflow:", "awskms:", "gcpkms:x", "files", "s3://x"])
def test_a_setting_that_names_no_store_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(AcequiaError) as refused:
        open_store(setting, tmp_path, asking({}), {})
    assert refused.value.code == "usage"
    assert "ACEQUIA_KEYS" in refused.value.what


@pytest.mark.parametrize(
    "form",
    [
        '{"conn_type": "generic", "extra": {"secrets": {"a": "11"}}}',
        '{"conn_type": "generic", "extra": "{\\"secrets\\": {\\"a\\": \\"11\\"}}"}',
        '{"conn_type": "generic", "password": "{\\"a\\": \\"11\\"}"}',
        "generic://?__extra__=%7B%22secrets%22%3A%20%7B%22a%22%3A%20%2211%22%7D%7D",
        "generic://:%7B%22a%22%3A%20%2211%22%7D@nowhere",
    ],
)
def test_connections_of_airflows_environment_are_read_as_airflow_reads_them(form: str, tmp_path: Path) -> None:
    store = open_store("airflow:my_keys", tmp_path, asking({}), {"AIRFLOW_CONN_MY_KEYS": form})
    assert store.text("a", str) == "11"


@pytest.mark.parametrize("form", ["{", '{"extra": {}}', '{"extra": [1]}', "generic://x", '{"password": "word"}'])
def test_a_connection_without_secrets_is_told(form: str, tmp_path: Path) -> None:
    with pytest.raises(AcequiaError) as refused:
        open_store("airflow:my_keys", tmp_path, asking({}), {"AIRFLOW_CONN_MY_KEYS": form}).secret("a")
    assert refused.value.code == "connection_invalid"


def test_a_fingerprint_tells_keys_apart_and_is_no_part_of_them() -> None:
    prints = {fingerprint(bytes([n]) * 32) for n in range(100)}
    assert len(prints) == 100
    assert all(len(one) == 32 for one in prints)


@given(st.from_regex(r"[a-z][a-z0-9_]{0,62}", fullmatch=True), st.from_regex(r"[a-z][a-z0-9_]{0,62}", fullmatch=True))
def test_every_partner_and_feed_gives_a_safe_name(partner: str, feed: str) -> None:
    from acequia.protect.pseudonyms import named, secret_name

    for epoch in ("none", "2026-11", "2026-Q4", "2026"):
        name = checked(secret_name(partner, feed, epoch))
        assert named(name) == (partner, feed, epoch)
