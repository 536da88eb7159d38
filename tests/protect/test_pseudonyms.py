"""Pseudonyms: repeatable inside one feed, unrelated anywhere else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.keys import FileKeyStore
from acequia.protect.pseudonyms import feed_key, normal, pseudonyms

KEY = bytes(range(32))


def test_a_pseudonym_is_keyed_blake2b_of_128_bits():
    expected = hashlib.blake2b(b"+26771234567", key=KEY, digest_size=16).hexdigest()
    assert pseudonyms(KEY)(["+26771234567"]) == [expected]
    assert len(expected) == 32


def test_the_key_is_derived_from_the_secret_for_partner_feed_and_epoch(keys):
    purpose = json.dumps(["acequia pseudonyms 1", "pula_mobile", "events", "none"]).encode()
    secret = keys.secret("pseudonyms")
    assert feed_key(keys, "pula_mobile", "events") == hashlib.blake2b(purpose, key=secret, digest_size=32).digest()


@pytest.mark.parametrize(
    "alike",
    [
        ["17850", " 17850", "17850\t", "１７８５０", "17850\u00a0"],
        ["Ñandú", "N\u0303andu\u0301", " Ñandú "],
        ["ﬁsh", "fish"],
    ],
)
def test_values_that_are_one_in_normal_form_share_a_pseudonym(alike):
    assert len(set(pseudonyms(KEY)(alike))) == 1


def test_values_that_differ_do_not():
    values = ["", "0", "17850", "17850.0", "017850", "abc", "ABC", "a b", "ab"]
    assert len(set(pseudonyms(KEY)(values))) == len(values)


@given(values=st.lists(st.text(max_size=20), max_size=20))
def test_pseudonyms_are_repeatable_value_by_value(values):
    together = pseudonyms(KEY)(values)
    assert together == [pseudonyms(KEY)([value])[0] for value in values]
    assert len(set(together)) == len({normal(value) for value in values})


def test_no_two_partners_feeds_epochs_or_installations_share_one(tmp_path: Path):
    stores = [FileKeyStore(tmp_path / name) for name in ("here", "there")]
    keys = [
        feed_key(store, partner, feed, epoch)
        for store in stores
        for partner in ("pula_mobile", "ceibo_pay", "pula")
        for feed in ("events", "mobile_events")
        for epoch in ("none", "2026")
    ]
    found = {pseudonyms(key)(["+26771234567"])[0] for key in keys}
    assert len(found) == len(keys)


def test_the_same_installation_gives_the_same_ones_later(tmp_path: Path):
    first, later = (feed_key(FileKeyStore(tmp_path / "keys"), "pula_mobile", "events") for _ in range(2))
    assert first == later
