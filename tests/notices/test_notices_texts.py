"""Both languages say the same of every kind, with the facts that it has, and nothing that is not one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.errors import CODES, REFUSED
from acequia.notices import facts, message
from acequia.notices.notice import ABOUT, COMMON, KINDS, Kind, Notice
from acequia.notices.words import LANGUAGES
from acequia.notices.words.spanish_doing import DOING

AT = datetime(2026, 11, 18, 15, tzinfo=UTC)
FACTS = {
    "partner": "nandu_bus",
    "name": "Ñandú Bus S.A.",
    "agreement_version": "1.0",
    "questions": "steward@office.example",
    "feed": "rides",
    "period": "2026-11-16",
    "timezone": "America/Montevideo",
    "due_at": "2026-11-17T15:00:00Z",
    "missing_from": "2026-11-18T15:00:00Z",
    "watched_until": "2027-01-16T03:00:00Z",
    "time": 3,
    "tables": ["rides_by_line", "rides_by_hour"],
    "version": 2,
    "rows_in": 1234567,
    "rows_set_aside": 4,
    "differences": {"against": "nandu_bus.rides.2026-11-16.v1", "added": 3000, "removed": 1, "changed": 2},
    "warnings": ["its rows are 45 percent above their likes"],
    "code": "checks_failed",
    "reason": "2 of 9 checks failed",
    "drift": None,
    "checks": ["all rows: between 10 and 20 rows"],
    "what_to_do": CODES["checks_failed"].what_to_do,
    "stands": 1,
    "table": "nandu_bus.rides_by_line",
    "cells": 1200,
    "withheld": 5,
    "provisional": True,
    "changes": {
        "cells": {"before": 1200, "after": 1201, "added": 2, "removed": 1, "changed": 14, "unchanged": 1, "opened": 2,
                  "newly_withheld": 3, "still_withheld": 0},
        "measures": {"rides_count": {"total_pct": -1234.56, "largest_pct": 12.5}},
    },
    "because": "a wrong extract",
    "ends_on": "2027-12-31",
    "within_days": 60,
    "to": "steward",
}  # fmt: skip


def notice(kind: Kind, language: str = "en", **other: object) -> Notice:
    told = {name: FACTS[name] for name in COMMON | ABOUT[kind].facts} | other
    period = "2026-11-16" if "period" in told else None
    return Notice(kind, "partner", "nandu_bus", str(told.get("feed", "*")), period, "1", AT, told, language)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_every_kind(code: str) -> None:
    assert set(LANGUAGES[code].kinds) == set(KINDS) == set(ABOUT)


@pytest.mark.parametrize("kind", KINDS)
def test_languages_have_the_same_blanks(kind: Kind) -> None:
    english, spanish = (LANGUAGES[code].kinds[kind].blanks() for code in ("en", "es"))
    assert english == spanish


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", LANGUAGES)
def test_no_template_lacks_a_fact(kind: Kind, code: str) -> None:
    blanks, there = LANGUAGES[code].kinds[kind].blanks(), ABOUT[kind].facts | COMMON
    for name, used in blanks.items():
        assert used <= there | ({"count"} if name == "many" else set()), name


@pytest.mark.parametrize("code", LANGUAGES)
def test_labels_parts_and_people_are_the_same(code: str) -> None:
    mine, english = LANGUAGES[code], LANGUAGES["en"]
    assert (mine.labels.keys(), mine.parts.keys(), mine.people.keys()) == (
        english.labels.keys(), english.parts.keys(), english.people.keys(),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_kind_says_what_where_who_what_to_do(kind: Kind, code: str) -> None:
    written, labels = message.write([notice(kind, code)]), LANGUAGES[code].labels
    for label in ("what", "where", "who", "do"):
        assert f"\n{labels[label]}: " in written.text
        assert f"<b>{labels[label]}:</b>" in written.html
    assert (f"\n{labels['until']}: " in written.text) == (ABOUT[kind].until is not None)
    assert "$" not in written.subject + written.text + written.html
    assert written.subject.startswith("[nandu_bus] ")


def test_a_language_is_not_the_other() -> None:
    for kind in KINDS:
        english, spanish = (message.write([notice(kind, code)]).text for code in ("en", "es"))
        assert english != spanish
        assert not set(english.splitlines()) & set(spanish.splitlines()) - {"", "Ñandú Bus S.A.", "-- "}, kind


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "en",
            "Of 1,200 cells 14 changed, 1 were removed, 3 are newly withheld and 2 are shown again; 2 were added. "
            "By how much: rides_count: total -1,234.6 %, one cell by at most 12.5 %.",
        ),
        (
            "es",
            "De 1.200 celdas cambiaron 14, se quitaron 1, 3 ya no se muestran y 2 vuelven a mostrarse; se agregaron 2. "
            "Cuánto: rides_count: total -1.234,6 %, una celda a lo sumo 12,5 %.",
        ),
    ],
)
def test_a_restatement_says_by_how_much(code: str, said: str) -> None:
    assert said in message.write([notice("restated", code)]).text


def test_a_restatement_of_what_is_erased() -> None:
    told = message.write([notice("restated", changes={"cells": None, "measures": {}})]).text
    assert "By how much cannot be told" in told


def test_moments_stand_in_the_feeds_zone() -> None:
    assert "due by 2026-11-17 12:00 (America/Montevideo)" in message.write([notice("late")]).text


def test_many_become_one_that_lists_them() -> None:
    many = [
        replace(notice("missing"), period=f"2026-{n:03}", facts={**notice("missing").facts, "period": f"2026-{n:03}"})
        for n in range(250)
    ]
    written = message.write(many)
    assert written.subject == "[nandu_bus] 250 deliveries are missing"
    assert "1. What happened: The delivery of rides for 2026-000" in written.text
    assert "2026-199" in written.text
    assert "2026-200" not in written.text
    assert "… and 50 more" in written.text
    assert len(written.text) < 100_000


def test_every_refusal_says_what_to_do_in_spanish() -> None:
    refusals = {name for name, code in CODES.items() if code.exit_code == REFUSED}
    assert refusals - DOING.keys() == set()
    assert DOING.keys() - CODES.keys() == set()


def test_the_reader_is_you() -> None:
    assert "Who must act: you\n" in message.write([notice("late")]).text
    steward = replace(notice("late"), role="steward")
    assert "Who must act: the partner\n" in message.write([steward]).text


class _Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)


@given(st.text(max_size=300))
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    """Neither a reason of the steward's nor a name becomes a line, a header or a tag."""
    plain = message.write([notice("withdrawn", because="x", name="x")])
    written = message.write([notice("withdrawn", because=text, name=text)])
    assert len(written.text.splitlines()) == len(plain.text.splitlines())
    assert len(written.subject.splitlines()) == 1
    shapes = [_Shape(), _Shape()]
    for shape, one in zip(shapes, (plain, written), strict=True):
        shape.feed(one.html)
    assert shapes[0].tags == shapes[1].tags


def test_blanks_in_a_text_are_no_blanks() -> None:
    assert "$due_at" in message.write([notice("withdrawn", because="$due_at ${x} %s {0}")]).text


def test_numbers() -> None:
    assert [facts.percent(value, "es", "+,.1f") for value in (1.25, -0.04, 1e6)] == [
        "+1,2 %", "-0,0 %", "+1.000.000,0 %",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_payload_is_json_of_the_same_bytes_each_time(kind: Kind) -> None:
    said = message.payload(notice(kind))
    assert said["type"] == f"acequia.{kind}"
    assert said["timestamp"] == "2026-11-18T15:00:00Z"
    assert json.dumps(said) == json.dumps(message.payload(notice(kind)))


def test_nothing_is_promised_that_a_withdrawal_with_erasure_takes_away() -> None:
    """An erased vintage is restated by the same kind of notice: it must not be called readable without a condition."""
    assert "unless a withdrawal erased it" in message.write([notice("restated")]).text
    assert "salvo que un retiro la haya borrado" in message.write([notice("restated", "es")]).text


def test_a_reason_ends_before_the_checks_begin() -> None:
    assert "2 of 9 checks failed; in words: all rows" in message.write([notice("refused")]).text
    assert "fallaron 2 de 9 controles; en palabras: todas las filas" in (message.write([notice("refused", "es")]).text)


def test_nothing_is_said_twice_of_a_refusal() -> None:
    says = "1 500 rows, where 600 are usual (150 % more; 3 earlier deliveries)"
    written = message.write([notice("refused", code="unlike_history", reason=says, checks=[f"all rows: {says}"])])
    assert written.text.count("where 600 are usual") == 1


@pytest.mark.parametrize(("language", "said"), [("en", "What seems to have changed"), ("es", "Qué parece haber")])
def test_a_refusal_for_its_columns_says_where_the_proposal_is(language: str, said: str) -> None:
    told = message.write([notice("refused", language, code="column_missing", drift={"renamed": 1})]).text
    assert said in told and "`acequia drift nandu_bus rides 2026-11-16`" in told
    assert "acequia drift" not in message.write([notice("refused", language)]).text
