"""Three versions of an agreement over a quarter: each delivery under its own, tables over several by the newest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from acequia.agreement.load import find, versions
from acequia.checking import check
from acequia.errors import AcequiaError
from acequia.opening import ledger_of, open_feed, open_work
from acequia.period import Period
from acequia.pipeline import close_due
from acequia.upkeep import due_for_deletion
from acequia.windows import under
from tests.pipeline.versions_world import FEED, PARTNER, WEEKS, Trams, make_trams, version_of


@pytest.fixture
def trams(tmp_path) -> Trams:
    return make_trams(tmp_path)


def cells(frame: pd.DataFrame, keys: list[str], measures: list[str]) -> dict[tuple[str, ...], tuple[float, ...]]:
    assert set(frame["cell_status"]) == {"published"}
    return {
        tuple(None if pd.isna(key) else key for key in row[: len(keys)]): tuple(row[len(keys) :])
        for row in frame[[*keys, *measures]].itertuples(index=False, name=None)
    }


def agree_with_pandas(trams: Trams) -> None:
    for table, keys, measures in (
        ("rides_by_zone", ["period", "zone", "line"], ["rides_count", "fare_sum"]),
        ("riders_by_zone_quarter", ["period", "zone"], ["riders_count", "fare_sum"]),
        ("rides_by_line_month", ["period", "line"], ["rides_count"]),
    ):
        expected = {
            tuple(None if pd.isna(key) else key for key in keys): values
            for keys, values in trams.expected(table).items()
            if table != "rides_by_line_month" or keys[0] != "2026-10"
        }
        assert cells(trams.published(table), keys, measures) == expected, table


def test_a_quarter_under_three_versions(trams):
    trams.agree(newest="1.0")
    weeks = [WEEKS[n] for n in (0, 2, 4, 5, 6, 8, 9, 11)]
    for n, week in enumerate(weeks):
        known = sorted({version_of(one) for one in weeks[: n + 1]})
        trams.agree(*known[:-1], newest=known[-1])
        trams.send(week, seed=n)
        trams.run(week)
    ledger = ledger_of(trams.settings)
    assert {row.period: row.agreement_version for row in ledger.deliveries()} == {
        week.label: version_of(week) for week in weeks
    }
    late = replace(open_feed(trams.settings, PARTNER, FEED, date(2027, 1, 20)), ledger=in_the_year_after(ledger))
    close_due(late)
    agree_with_pandas(trams)
    assert all(trams.run(week).repeated for week in weeks)

    # Corrections of a week under each version run under that version, and restate what spans several.
    for n in (2, 6, 11):
        trams.send(WEEKS[n], seed=100 + n)
        outcome = trams.run(WEEKS[n])
        assert "riders_by_zone_quarter" in {part.table.partition(".")[2] or part.table for part in outcome.published}
        assert ledger.state(outcome.delivery).agreement_version == version_of(WEEKS[n])
    agree_with_pandas(trams)
    assert not [one for one in check(trams.settings) if one.severity == "error"]


def in_the_year_after(ledger):
    return replace(ledger, clock=lambda: datetime(2027, 1, 20, tzinfo=UTC))


def test_old_versions_decide_how_long_raw_files_are_kept(trams):
    trams.agree("1.0", "1.1", newest="1.2")
    for n in (0, 6, 11):
        trams.send(WEEKS[n], seed=n)
        trams.run(WEEKS[n])
    received = datetime.now(UTC).date()
    work = open_feed(trams.settings, PARTNER, FEED, received)
    kept = {WEEKS[0].label: 10, WEEKS[6].label: 20, WEEKS[11].label: 30}
    for days in (9, 10, 19, 20, 29, 30):
        today = date.fromordinal(received.toordinal() + days)
        due = {one.period for one in due_for_deletion(work, "raw", today)}
        assert due == {label for label, until in kept.items() if until <= days}


def test_the_version_in_force_is_found_for_every_day(trams):
    trams.agree("1.0", "1.1", newest="1.2")
    partners = trams.settings.partners
    assert [one.agreement.terms.version for one in versions(partners, PARTNER)] == ["1.0", "1.1", "1.2"]
    day = Period.parse("2026-09-01")
    while day.start < date(2027, 2, 1):
        starts = {"1.0": "2026-09-28", "1.1": "2026-11-02", "1.2": "2026-11-30"}
        holding = [name for name, start in starts.items() if start <= day.label] or ["1.0"]
        assert find(partners, PARTNER, day).agreement.terms.version == holding[-1]
        day = day.next()
    assert find(partners, PARTNER).agreement.terms.version == "1.2"


def test_periods_before_the_first_version_are_refused(trams):
    trams.agree("1.0", newest="1.1")
    trams.send(WEEKS[0], seed=1)
    with pytest.raises(AcequiaError) as refused:
        trams.run(WEEKS[0].previous())
    assert refused.value.code == "period_outside_agreement"


def test_a_slip_in_an_earlier_version_stops_the_partner_and_is_told(trams):
    trams.agree("1.0", newest="1.1")
    earlier = trams.settings.partners / PARTNER / "1.0.yaml"
    earlier.write_text(earlier.read_text().replace("signed_on", "signed_onn"))
    with pytest.raises(AcequiaError) as refused:
        open_work(trams.settings, PARTNER, FEED, WEEKS[8].label)
    assert refused.value.code == "agreement_invalid"
    (found,) = {one.path.name for one in check(trams.settings) if one.severity == "error"}
    assert found == "1.0.yaml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("effective_from: '2026-11-02'", "effective_from: '2026-09-28'", "must say from which day it holds"),
        ("version: '1.1'", "version: '1.0'", "is that of an earlier version"),
    ],
)
def test_versions_follow_one_another(trams, old, new, said):
    trams.agree("1.0", newest="1.1")
    path = trams.settings.partners / f"{PARTNER}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(AcequiaError, match=said):
        versions(trams.settings.partners, PARTNER)
    assert [one for one in check(trams.settings, PARTNER) if said in one.message]


@pytest.mark.parametrize(
    ("old", "new", "severity", "said"),
    [
        ("effective_from: '2026-11-02'", "effective_from: '2026-11-04'", "warning", "lies inside 2026-W45"),
        ("expires_on: '2027-12-31'", "expires_on: '2026-10-20'", "warning", "no version holds from 2026-10-21"),
        ("type: string\n        treat: keep\n        one_of:\n        - north", "type: string\n        treat:\n"
         "          first: 1\n        one_of:\n        - north", "warning", "mixes both in one quarter"),
        ("one_of:\n        - north\n        - south", "one_of:\n        - 1\n        - 2", "error", "of another type"),
    ],
)  # fmt: skip
def test_what_two_versions_cannot_share_is_told(trams, old, new, severity, said):
    trams.agree("1.0", newest="1.1")
    place = trams.settings.partners / f"{PARTNER}.yaml"
    if "expires_on" in old:
        place = trams.settings.partners / PARTNER / "1.0.yaml"
    text = place.read_text()
    assert old in text
    text = text.replace(old, new)
    if severity == "error":
        text = text.replace("zone:\n        type: string", "zone:\n        type: integer")
    place.write_text(text)
    found = [one for one in check(trams.settings) if said in one.message]
    assert [one.severity for one in found][:1] == [severity], check(trams.settings)


def test_a_version_shapes_no_table_before_it_holds(trams):
    trams.agree("1.0", newest="1.1")
    trams.send(WEEKS[0], seed=1)
    work = open_work(trams.settings, PARTNER, FEED, WEEKS[0].label)
    trams.run(WEEKS[0])
    quarter = Period.parse("2026-Q4")
    assert under(work, quarter).signed.agreement.terms.version == "1.0"
    trams.send(WEEKS[6], seed=2)
    trams.run(WEEKS[6])
    assert under(work, quarter).signed.agreement.terms.version == "1.1"


def test_pseudonyms_that_change_inside_a_window_are_an_error_of_the_agreement(trams):
    trams.agree("1.0", newest="1.1")
    path = trams.settings.partners / f"{PARTNER}.yaml"
    path.write_text(path.read_text().replace("treat: pseudonym", "treat: pseudonym\n        holds: id", 1))
    errors = [one for one in check(trams.settings) if one.severity == "error"]
    assert len(errors) == 1
    assert "would count them twice" in errors[0].message
    for n in (0, 6):
        trams.send(WEEKS[n], seed=n)
    trams.run(WEEKS[0])
    with pytest.raises(AcequiaError) as stopped:
        trams.run(WEEKS[6])
    assert stopped.value.code == "protected_differs"
