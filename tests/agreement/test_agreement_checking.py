"""`acequia check`: what the files name elsewhere, what cannot be computed, and what a steward should look at."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from acequia.checking import Finding, check
from acequia.errors import AcequiaError
from acequia.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 20)
CELLS = "cell_id,district,region\nGC-001,Gaborone,south\nFT-001,Francistown,north\n"
TABLE = "feeds.events.tables.active_subscribers_by_district_hour"


@pytest.fixture
def project(tmp_path: Path, example: str) -> Path:
    """A project of one sound agreement."""
    for folder in ("config/partners", "config/reference", "expectations/example/events"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "config/partners/example.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "config/reference/cell_to_district.csv").write_text(CELLS, encoding="utf-8")
    (tmp_path / "config/reference/holidays_botswana.csv").write_text(
        "date,name\n2026-12-25,Christmas\n2035-12-25,Christmas\n", encoding="utf-8"
    )
    return tmp_path


@pytest.fixture
def checked(project: Path):
    """What `check` finds, after (old, new) in the agreement."""

    def found(*changes: tuple[str, str], today: date = TODAY, partner: str | None = None) -> tuple[Finding, ...]:
        path = project / "config/partners/example.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        return check(settings_of(project), partner, today=today)

    return found


def settings_of(project: Path) -> Settings:
    return Settings.from_environment({"ACEQUIA_HOME": str(project / "home"), "ACEQUIA_CONFIG": str(project / "config")})


def test_a_sound_agreement_gives_no_cause_for_complaint(checked):
    assert checked() == ()


def test_the_agreements_of_this_project_have_no_errors(settings):
    found = check(settings, today=TODAY)
    assert [finding for finding in found if finding.severity == "error"] == []


ERRORS = {
    "lookup in a table that is not there": (
        ("cell_to_district}", "cells}"),
        "feeds.events.columns.cell_id.treat.lookup",
        "there is no reference table cells",
    ),
    "lookup of a column that is not there": (
        ("{lookup: cell_to_district}", "{lookup: {table: cell_to_district, value: province}}"),
        "feeds.events.columns.cell_id.treat.lookup",
        "has no column province; it has cell_id, district, region",
    ),
    "calendar that is not there": (
        ("calendar: botswana", "calendar: atlantis"),
        "feeds.events.delivery.calendar",
        "there is no holidays_atlantis.csv",
    ),
    "level that is no column, between others": (
        ("[country, district]", "[country, province, district]"),
        f"{TABLE}.hierarchy.district",
        "level `province` is no column of reference table cell_to_district",
    ),
    "sum of nothing": (
        ("{sum: duration_s}", "{sum: duration}"),
        f"{TABLE}.measures.duration_s_sum.sum",
        "there is no column",
    ),
    "sum of texts": (("{sum: duration_s}", "{sum: kind}"), f"{TABLE}.measures.duration_s_sum.sum", "is not a number"),
    "query in an expression": (
        ("{sum: duration_s}", "{sum: (select 1)}"),
        f"{TABLE}.measures.duration_s_sum.sum",
        "is not part of the expression language",
    ),
    "condition that is none": (
        ("        by:", "        where: duration_s +\n        by:"),
        f"{TABLE}.where",
        "cannot be read",
    ),
    "condition that is a number": (
        ("        by:", "        where: duration_s\n        by:"),
        f"{TABLE}.where",
        "is not true or false",
    ),
    "transform that is not there": (
        ("    tables:\n", "    transform: mobility.no_such_thing\n    tables:\n"),
        "feeds.events.transform",
        "there is no transform `mobility.no_such_thing`",
    ),
    "rows deleted too early": (
        ("        by:", "        over: quarter\n        by:"),
        f"{TABLE}.over",
        "needs protected rows for 94 days; terms.protected_kept_days is 60",
    ),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_what_would_stop_a_run_is_an_error_with_its_line(kind, checked, project):
    change, place, message = ERRORS[kind]
    found = [
        one for one in checked(change, ("protected_kept_days: 400", "protected_kept_days: 60")) if one.place == place
    ]
    assert found, kind
    assert all(one.severity == "error" for one in found)
    assert message in found[0].message
    line = (project / "config/partners/example.yaml").read_text(encoding="utf-8").splitlines()[found[0].line - 1]
    assert place.rpartition(".")[2] in line


def test_reference_tables_that_are_broken(project, checked):
    table = project / "config/reference/cell_to_district.csv"
    for text, message in (
        ("cell_id,district\nA,x\nA,y\n", "line 3 repeats a key"),
        ("cell_id,district,district\n", "names a column twice"),
        ("cell_id\nA\n", "has only one column"),
        ("", "is empty"),
    ):
        table.write_text(text, encoding="utf-8")
        (found,) = checked()
        assert (found.severity, found.place) == ("error", "feeds.events.columns.cell_id.treat.lookup")
        assert message in found.message


WARNINGS = {
    "ends soon": (
        ("expires_on: 2028-02-29", "expires_on: 2027-02-18"),
        "terms.expires_on",
        "the agreement ends in 90 days",
    ),
    "ended": (
        ("expires_on: 2028-02-29", "expires_on: 2026-11-19"),
        "terms.expires_on",
        "the agreement ended on 2026-11-19",
    ),
    "an identifier, perhaps of a thing": (
        ("      imei:  ", "      vendor_id: {type: string, treat: keep}\n      imei:  "),
        "feeds.events.columns.vendor_id.treat",
        "its name speaks of `id`",
    ),
    "exact times kept": (
        ("{truncate_to: hour}", "keep"),
        "feeds.events.columns.started_at.treat",
        "an exact time can tell who it was",
    ),
    "contributor kept": (
        ("treat: pseudonym", "treat: keep, keep_because: a test"),
        f"{TABLE}.protect.contributor",
        "msisdn is kept in clear",
    ),
    "few contributors": (
        ("min_contributors: 15", "min_contributors: 2"),
        f"{TABLE}.protect.min_contributors",
        "less than 3",
    ),
    "the same files each day": (
        ("events/{period}/*", "events/*"),
        "feeds.events.delivery.source.path",
        "the same files",
    ),
    "days that nobody fetches": (
        ('"0 6 * * *"', '"0 6 * * 1-5"'),
        "feeds.events.delivery.schedule",
        "leaves out 104 of the 365 periods of a year, such as 2026-01-02",
    ),
    "total by a slip": (
        ("[country, district]", "[regoin, district]"),
        f"{TABLE}.hierarchy.district.0",
        "regoin is no column of cell_to_district: so it is the grand total; did you mean region?",
    ),
}


KEPT = {
    "identity kept": (("treat: pseudonym", "treat: keep"), "msisdn", "its name speaks of `msisdn`"),
    "identity under another name": (
        ("      imei:  ", "      a: {type: string, treat: keep, as: client_phone}\n      imei:  "),
        "a",
        "its name speaks of `phone`",
    ),
    "a person's number": (
        ("      imei:  ", "      customerID: {type: string, treat: keep}\n      imei:  "),
        "customerID",
        "its name speaks of `id`",
    ),
    "most of it": (
        ("      imei:  ", "      surname: {type: string, treat: {first: 12}}\n      imei:  "),
        "surname",
        "keeps the first 12 characters, though its name speaks of `surname`",
    ),
    "made from one": (
        ("      imei:  ", "      x: {type: string, treat: keep, from: msisdn}\n      imei:  "),
        "x",
        "its name speaks of `msisdn`",
    ),
    "a card's number": (
        ("      imei:  ", "      id_number: {type: integer, treat: keep}\n      imei:  "),
        "id_number",
        "its name speaks of `id`",
    ),
    "said to be one": (
        ("      imei:  ", "      ref: {type: string, treat: keep, holds: national_id}\n      imei:  "),
        "ref",
        "it holds `national_id`",
    ),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_about_a_person_is_kept_with_a_reason_or_not_at_all(kind, checked):
    (old, new), column, message = KEPT[kind]
    [found] = [one for one in checked((old, new)) if one.place == f"feeds.events.columns.{column}.treat"]
    assert found.severity == "error"
    assert message in found.message
    assert "keep_because" in found.message
    explained = re.sub(r"treat: (keep|\{first: 12\})", r"treat: \1, keep_because: a test", new)
    assert not [one for one in checked((new, explained)) if one.place.endswith(f"{column}.treat")]


@pytest.mark.parametrize("kind", WARNINGS)
def test_what_a_steward_should_see_is_a_warning(kind, checked):
    change, place, message = WARNINGS[kind]
    found = [one for one in checked(change) if one.place == place]
    assert len(found) == 1, kind
    assert found[0].severity == "warning"
    assert message in found[0].message


@pytest.mark.parametrize(
    "change",
    [
        ("expires_on: 2028-02-29", "expires_on: 2027-02-19"),
        ("min_contributors: 15", "min_contributors: 3"),
        ("treat: keep, one_of", "treat: keep, as: phone, one_of"),
        ('"0 6 * * *"', '"0 6,18 * * *"'),
        ("[country, district]", "[nation, district]"),
        ("[country, district]", "[region, district]"),
    ],
)
def test_what_is_just_inside_the_bounds_gives_no_warning(change, checked):
    assert checked(change) == ()


def test_a_reason_to_keep_is_a_reason(checked):
    kept = ("treat: pseudonym", "treat: keep, keep_because: these are test numbers")
    assert [one.place for one in checked(kept)] == [f"{TABLE}.protect.contributor"]


def test_names_that_published_tables_would_carry(checked):
    (found,) = checked(
        ("      imei:  ", "      Kind Of Call: {type: string, treat: keep}\n      imei:  "),
        ("by: [district, started_hour]", "by: [district, Kind Of Call]"),
    )
    assert (found.severity, found.place) == ("warning", f"{TABLE}.by.1")
    assert "give it a plain name with `as`" in found.message


@pytest.mark.parametrize(
    ("period", "schedule", "missed"),
    [
        ("month", "0 5 2 * *", None),
        ("month", "0 5 2 1,7 *", "leaves out 10 of the 12"),
        ("week", "0 9 * * 1", None),
        ("week", "0 9 1 * *", "leaves out 41 of the 53"),
        ("quarter", "0 9 5 1,4,7,10 *", None),
        ("year", "0 9 5 1 *", None),
        ("month", "* * * * *", None),
    ],
)
def test_schedules_are_held_against_periods(period, schedule, missed, checked):
    changes = (("period: day", f"period: {period}"), ('"0 6 * * *"', f'"{schedule}"'))
    found = [one.message for one in checked(*changes) if one.place == "feeds.events.delivery.schedule"]
    assert len(found) == (missed is not None)
    assert not missed or missed in found[0]


def test_hand_written_checks_are_read_too(project, checked):
    folder = project / "expectations/example/events"
    (folder / "a.yaml").write_text(
        "- expectation: expect_column_values_to_be_nul\n  column: kind\n"
        "- expectation: expect_column_to_exist\n  column: imei\n",
        encoding="utf-8",
    )
    (folder / "b.txt.bak").write_text("x", encoding="utf-8")
    found = checked()
    assert [(str(one.path), one.line, one.severity) for one in found] == [
        ("expectations/example/events/a.yaml", 1, "error"),
        ("expectations/example/events/a.yaml", 3, "error"),
        ("expectations/example/events/b.txt.bak", 1, "error"),
    ]
    assert "did you mean expect_column_values_to_be_null?" in found[0].message
    assert "protected rows have no column `imei`" in found[1].message


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select count(*) from rows where duration_s < 0", None),
        ("-- why\nwith x as (select 1) select count(*) from rows, x", None),
        ("select imei from rows", "cannot run over the columns that pass the gate"),
        ("select count(*) from rows; select 1", "must be one select"),
        ("copy rows to '/tmp/x'", "must be one select"),
        ("selec 1", "cannot run"),
        ("select kind from rows", "must return one row with one whole number"),
        ("select count(*) from '/etc/passwd'", "cannot run"),
    ],
)
def test_hand_written_queries_are_tried_on_no_rows(sql, message, project, checked):
    (project / "expectations/example/events/q.sql").write_text(sql, encoding="utf-8")
    found = checked()
    assert len(found) == (message is not None)
    assert not message or message in found[0].message


def test_checks_of_nobody_are_told(project, checked):
    (project / "expectations/exampel/events").mkdir(parents=True)
    (project / "expectations/example/evnets").mkdir()
    (project / "expectations/README.md").write_text("x", encoding="utf-8")
    found = checked()
    assert [(str(one.path), one.severity) for one in found] == [
        ("expectations/exampel", "warning"),
        ("expectations/example/evnets", "warning"),
    ]
    assert checked(partner="example") == ()


def test_broken_files_and_sound_ones_together(project, example):
    partners = project / "config/partners"
    (partners / "second.yaml").write_text(
        example.replace("partner: example", "partner: second").replace("treat: pseudonym", "treet: pseudonym"),
        encoding="utf-8",
    )
    (partners / "third.yaml").write_text(
        example.replace("partner: example", "partner: third").replace("cell_to_district}", "nowhere}"), encoding="utf-8"
    )
    (partners / "fourth.yaml").write_text("a: [", encoding="utf-8")
    found = check(settings_of(project), today=TODAY)
    assert [(str(one.path), one.place) for one in found] == [
        ("config/partners/fourth.yaml", ""),
        ("config/partners/second.yaml", "feeds.events.columns.msisdn.treet"),
        ("config/partners/third.yaml", "feeds.events.columns.cell_id.treat.lookup"),
    ]
    second = check(settings_of(project), "second", today=TODAY)
    assert [(one.line, one.column, one.message) for one in second] == [
        (27, 38, "is not a key here; did you mean treat?")
    ]
    assert json.loads(json.dumps(second[0].as_row()))["choices"][:2] == ["type", "treat"]


def test_a_partner_that_is_not_there(project):
    with pytest.raises(AcequiaError, match="there are example") as refused:
        check(settings_of(project), "../example", today=TODAY)
    assert refused.value.code == "unknown_name"


def test_nothing_to_check(project):
    shutil.rmtree(project / "config/partners")
    with pytest.raises(AcequiaError) as refused:
        check(settings_of(project))
    assert refused.value.code == "usage"


def test_settings_elsewhere_give_whole_paths(project, checked):
    (found,) = checked(("min_contributors: 15", "min_contributors: 2"))
    assert str(found.path) == "config/partners/example.yaml"
    elsewhere = replace(settings_of(project), config=project / "config")
    assert check(elsewhere, today=TODAY) == (found,)
