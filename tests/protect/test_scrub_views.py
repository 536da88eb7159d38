"""Hidden writing: every sign of a view knows its place, and what is hidden is replaced whole."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acequia.protect.scrub import find_all, scrub_texts
from acequia.protect.views import views, with_views

HIDDEN = [
    r"\u0037\u0031123456", "&#55;1123456", "&#x37;1123456", "%37%31123456", "&amp;#55;1123456", "71\n123\n456",
    "71\t123\t456", "71\r\n123456", "71 - 123 - 456", "71--123--456", "71_123_456", "７１１２３４５６", "٧١١٢٣٤٥٦",
    "७११२३४५६", "71\u200b123\u2060456", "71\u00a0123\u2011456", base64.b64encode(b"phone 71123456").decode(),
    base64.urlsafe_b64encode(b"71123456 Kagiso").decode().rstrip("="), r"\\u0037\\u0031123456",
]  # fmt: skip


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("around", ["call {} now", "{}", "call {}, please"])
def test_a_hidden_phone_is_replaced_whole(hidden: str, around: str) -> None:
    (result,) = scrub_texts([around.format(hidden)], language="en", country="BW")
    before, after = around.split("{}")
    assert result.startswith(before)
    assert result.endswith(after)
    assert result[len(before) : len(result) - len(after)].startswith("<")
    assert not any(sign.isdecimal() for sign in result)


@pytest.mark.parametrize(
    "hidden",
    ["ana%40example.com", "ana&#64;example.com", r"ana\u0040example.com", "ana (at) example (dot) com",
     "ana arroba example punto com", "ana＠example．com"],
)  # fmt: skip
def test_a_hidden_address_is_found(hidden: str) -> None:
    assert scrub_texts([f"a {hidden} y"], language="es", country="UY") == ["a <EMAIL> y"]


def test_json_in_a_cell_is_read_also_where_it_is_escaped() -> None:
    told = json.dumps({"cell": json.dumps({"nombre": "zz yy", "doc": "1.234.567-2"})})
    (result,) = scrub_texts([told], language="es", country="UY")
    assert "zz" not in result
    assert "234" not in result


@pytest.mark.parametrize("text", ["aB3dE5fG7hI9", "deadbeefcafe01", "Zm9v", "InternetPlanXL", "abc/def-ghi_jklM"])
def test_what_only_looks_like_base64_stays(text: str) -> None:
    assert [view.text for view in views(text)] == []


@settings(max_examples=150, deadline=None)
@example("\x85").via("a line's end beyond ASCII")
@example("7\u2028\u1680")
@given(st.text(max_size=40) | st.text(alphabet="71 \\u0037&#;%4Aa=\n\t-.", max_size=40))
def test_every_sign_has_a_place(text: str) -> None:
    seen = list(views(text))
    assert with_views([text]) == [0] or not seen
    for view in seen:
        assert len(view.text) == len(view.starts) == len(view.ends)
        for place in range(len(view.text)):
            start, end = view.back(place, place + 1)
            assert 0 <= start < end <= len(text)


def test_a_text_fails_alone() -> None:
    found = find_all(["call 71123456", "fine"], language="xx", country="BW")
    assert found == [None, None]
    assert scrub_texts(["\ud800", "fine"], language="en", country="BW") == ["<REDACTED>", "fine"]


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\t", " \n", "\u2028", "   "])
def test_long_white_space_takes_no_time(blank: str) -> None:
    text = "call 71 123 456" + (blank * 2_000)[:1_900] + "or a @"
    before = time.process_time()
    assert list(views(text)) or not blank.strip(" ")
    assert time.process_time() - before < 1
    (result,) = scrub_texts([text], language="en", country="BW")
    assert "123" not in result
