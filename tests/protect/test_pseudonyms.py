"""Pseudonyms: repeatable inside one feed, unrelated anywhere else."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.agreement.privacy import Privacy
from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.period import Period
from acequia.protect.forms import normal
from acequia.protect.pseudonyms import epoch_of, feed_key, pseudonyms
from acequia.protect.same_format import codes

KEY = bytes(range(32))


def test_a_pseudonym_is_keyed_blake2b_of_128_bits():
    expected = hashlib.blake2b(b"+26771234567", key=KEY, digest_size=16).hexdigest()
    assert pseudonyms(KEY)(["+26771234567"]) == [expected]
    assert len(expected) == 32


def test_the_key_is_derived_from_a_secret_of_its_own_for_partner_feed_and_epoch(keys):
    purpose = json.dumps(["acequia pseudonyms 2", "pula_mobile", "events", "2026-Q4"]).encode()
    secret = keys.secret("pseudonyms.pula_mobile.events.2026-Q4")
    made = feed_key(keys, "pula_mobile", "events", "2026-Q4")
    assert made == hashlib.blake2b(purpose, key=secret, digest_size=32).digest()


@pytest.mark.parametrize(
    ("period", "month", "quarter", "year"),
    [
        ("2026-11-16", "2026-11", "2026-Q4", "2026"),
        ("2026-01-01", "2026-01", "2026-Q1", "2026"),
        ("2026-12-31", "2026-12", "2026-Q4", "2026"),
        ("2026-W01", "2026-01", "2026-Q1", "2026"),  # begins on 29 December 2025; its Thursday is of January
        ("2026-W53", "2026-12", "2026-Q4", "2026"),  # begins on 28 December; its Thursday is the last of the year
        ("2026-W14", "2026-04", "2026-Q2", "2026"),  # begins on 30 March; its Thursday is of April
        ("2026-11", "2026-11", "2026-Q4", "2026"),
        ("2026-Q4", "2026-10", "2026-Q4", "2026"),
        ("2026", "2026-01", "2026-Q1", "2026"),
    ],
)
def test_a_delivery_counts_to_the_epoch_of_its_period(period, month, quarter, year):
    found = [epoch_of(Period.parse(period), rotate) for rotate in ("none", "month", "quarter", "year")]
    assert found == ["none", month, quarter, year]


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


PLACES = st.tuples(
    st.sampled_from(["pula_mobile", "pula", "ceibo_pay"]),
    st.sampled_from(["events", "mobile_events", "trips"]),
    st.sampled_from(["none", "2026", "2026-11", "2026-12", "2026-Q4", "2027-Q4"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(value=st.text(max_size=30), places=st.lists(PLACES, min_size=2, max_size=6, unique=True))
def test_no_two_partners_feeds_or_epochs_share_a_pseudonym(keys, value, places):
    for same_format in (False, True):
        made = [_coded(feed_key(keys, *place), value, same_format) for place in places]
        assert len(set(made)) == len(made)


def _coded(key, value, same_format):
    return (codes(key, normal, whole_numbers=False) if same_format else pseudonyms(key))([value])[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(number=st.integers(-(2**63), 2**63 - 1), places=st.lists(PLACES, min_size=2, max_size=6, unique=True))
def test_nor_a_code_of_a_whole_number(keys, number, places):
    made = [codes(feed_key(keys, *place), normal, whole_numbers=True)([str(number)])[0] for place in places]
    assert len(set(made)) == len(made)


def test_a_secret_copied_to_another_name_gives_other_pseudonyms(tmp_path: Path):
    store = FileKeyStore(tmp_path)
    first = feed_key(store, "pula_mobile", "events")
    (tmp_path / "pseudonyms.ceibo_pay.events.none.key").write_bytes(
        (tmp_path / "pseudonyms.pula_mobile.events.none.key").read_bytes()
    )
    assert feed_key(store, "ceibo_pay", "events") != first


def test_another_installation_makes_others(tmp_path: Path):
    stores = [FileKeyStore(tmp_path / name) for name in ("here", "there")]
    assert feed_key(stores[0], "pula_mobile", "events") != feed_key(stores[1], "pula_mobile", "events")


def test_destroying_one_epoch_leaves_the_others(keys):
    kept = feed_key(keys, "pula_mobile", "events", "2026-Q4")
    feed_key(keys, "pula_mobile", "events", "2026-Q3")
    keys.destroy("pseudonyms.pula_mobile.events.2026-Q3")
    with pytest.raises(AcequiaError, match="key_destroyed"):
        feed_key(keys, "pula_mobile", "events", "2026-Q3")
    assert feed_key(keys, "pula_mobile", "events", "2026-Q4") == kept


def test_the_same_installation_gives_the_same_ones_later(tmp_path: Path):
    first, later = (feed_key(FileKeyStore(tmp_path / "keys"), "pula_mobile", "events") for _ in range(2))
    assert first == later


COLUMNS = {"msisdn": {"type": "string", "treat": "pseudonym", "holds": "phone"}}


def test_the_gate_uses_the_key_of_the_deliverys_epoch(gate, feed, keys):
    agreed = feed(COLUMNS).model_copy(update={"privacy": Privacy(rotate="quarter")})
    made = {}
    for period in ("2026-09-30", "2026-10-01", "2026-12-31"):
        made[period] = gate(agreed, b"msisdn\n+267 71 123 456\n71123456\n0026771123456\n", period=period).column(
            "msisdn"
        )
    expected = pseudonyms(feed_key(keys, "pula_mobile", "events", "2026-Q4"))(["+26771123456"]) * 3
    assert made["2026-10-01"] == made["2026-12-31"] == expected
    assert not set(made["2026-09-30"]) & set(expected)


def test_a_feed_without_pseudonyms_makes_no_key(gate, feed, keys):
    gate(feed({"kind": {"type": "string", "treat": "keep"}}), b"kind\ncall\n")
    assert [name for name in keys.names() if name.startswith("pseudonyms")] == []


def test_nothing_of_a_destroyed_epoch_passes_the_gate_again(gate, feed, keys):
    gate(feed(COLUMNS), b"msisdn\n71123456\n")
    keys.destroy("pseudonyms.pula_mobile.events.none")
    with pytest.raises(AcequiaError) as refused:
        gate(feed(COLUMNS), b"msisdn\n71123456\n")
    assert (refused.value.code, refused.value.exit_code) == ("key_destroyed", 3)


def test_codes_of_the_same_format_keep_type_and_layout(gate, feed):
    agreed = feed(
        {
            "account": {"type": "integer", "treat": {"pseudonym": "same_format"}},
            "phone": {"type": "string", "treat": {"pseudonym": "same_format"}},
            "document": {
                "type": "string",
                "treat": {"pseudonym": "same_format"},
                "holds": "national_id",
                "required": False,
            },
        }
    )
    rows = "account,phone,document\n42,71 123 456,1.234.567-2\n42,71 123 456,12345672\n-7,12 345,\n"
    made = gate(agreed, rows.encode(), country="UY")
    accounts, phones, documents = (made.column(name) for name in ("account", "phone", "document"))
    assert accounts[0] == accounts[1] != 42
    assert accounts[2] < 0
    assert made.protected.columns["account"] == "integer"
    assert re.fullmatch(r"\d\d \d{3} \d{3}", phones[0])
    assert phones[0] == phones[1] != "71 123 456"
    assert re.fullmatch("[0-9a-f]{32}", phones[2])  # five digits could be tried out
    assert documents[0] == documents[1]
    assert re.fullmatch(r"\d{8}", documents[0])
    assert documents[2] is None
