"""Look-back checks in the pipeline: what the ledger remembers, what is told, what stops."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from acequia.deletion import delete_protected, delete_raw
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId, Protected
from acequia.look_back import history_checks
from acequia.opening import ledger_of, open_work
from tests.pipeline.versions_world import FEED, PARTNER, WEEKS, Trams, make_trams


@pytest.fixture
def trams(tmp_path) -> Trams:
    made = make_trams(tmp_path)
    made.agree(newest="1.0")
    return made


def send(trams: Trams, n: int, rows: int, seed: int = 0) -> None:
    """A week of so many rows, in which both zones come."""
    trams.send(WEEKS[n], seed=n + seed)
    path = trams.settings.home / "inbox" / PARTNER / f"rides-{WEEKS[n].label}.csv"
    frame = pd.read_csv(path)
    frame = pd.concat([frame] * (rows // len(frame) + 1)).head(rows)
    frame.to_csv(path, index=False)


def look_back_of(trams: Trams, **history: object) -> None:
    path = trams.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    agreement["feeds"][FEED]["delivery"]["history"] = {"at_least": 3, **history}
    agreement["feeds"][FEED]["tables"].pop("riders_by_zone_quarter", None)  # it would need every week's rows
    path.write_text(yaml.safe_dump(agreement, sort_keys=False))


def accepted_entry(trams: Trams, n: int, version: int = 1) -> dict[str, object]:
    delivery = DeliveryId(partner=PARTNER, feed=FEED, period=WEEKS[n].label, version=version)
    return [one for one in ledger_of(trams.settings).history(delivery) if one.kind == "accepted"][-1].said


def test_a_delivery_unlike_those_before_is_accepted_with_a_warning(trams):
    look_back_of(trams)
    for n in range(4):
        send(trams, n, 240)
        trams.run(WEEKS[n])
        assert "warnings" not in accepted_entry(trams, n)
    # What is compared outlives the rows themselves.
    work = open_work(trams.settings, PARTNER, FEED, WEEKS[0].label)
    first = DeliveryId(partner=PARTNER, feed=FEED, period=WEEKS[0].label, version=1)
    delete_protected(work, first)
    delete_raw(work, first)
    send(trams, 4, 60)
    trams.run(WEEKS[4])
    assert accepted_entry(trams, 4)["warnings"] == ["60 rows, where 240 are usual (75 % fewer; 4 earlier deliveries)"]
    mix = accepted_entry(trams, 4)["mix"]["zone"]
    assert mix["empty"] == 0
    assert sum(mix["values"].values()) == 60
    # A correction is held against the weeks before it, and never against its own earlier version.
    send(trams, 4, 240, seed=50)
    trams.run(WEEKS[4])
    assert "warnings" not in accepted_entry(trams, 4, version=2)


def test_where_it_is_agreed_such_a_delivery_is_refused_and_stays_so(trams):
    look_back_of(trams, then="stop")
    for n in range(3):
        send(trams, n, 240)
        trams.run(WEEKS[n])
    send(trams, 3, 480)
    for _ in range(2):
        with pytest.raises(AcequiaError) as refused:
            trams.run(WEEKS[3])
        assert (refused.value.code, refused.value.exit_code) == ("unlike_history", 4)
        assert "480 rows, where 240 are usual (100 % more; 3 earlier deliveries)" in refused.value.what
    look_back_of(trams, then="warn")
    trams.run(WEEKS[3])
    assert accepted_entry(trams, 3)["warnings"]


def test_a_zone_that_vanishes_is_told_by_its_agreed_name(trams):
    look_back_of(trams)
    for n in range(3):
        send(trams, n, 240)
        trams.run(WEEKS[n])
    send(trams, 3, 240)
    path = trams.settings.home / "inbox" / PARTNER / f"rides-{WEEKS[3].label}.csv"
    path.write_text(path.read_text().replace("south", "north"))
    trams.run(WEEKS[3])
    (told,) = accepted_entry(trams, 3)["warnings"]
    assert told.startswith("zone: “north” in 100.0 % of the rows")
    assert "“south” in no row" in told


def test_the_ledger_is_asked_for_few_periods_however_long_it_is(trams):
    look_back_of(trams, at_most=3)
    for n in range(5):
        send(trams, n, 240)
        trams.run(WEEKS[n])
    work = open_work(trams.settings, PARTNER, FEED, WEEKS[4].label)
    protected = Protected.load(
        work.folder(DeliveryId(partner=PARTNER, feed=FEED, period=WEEKS[4].label, version=1)) / "protected.json"
    )
    checks = {check.name: check for check in history_checks(work, protected)}
    assert set(checks) == {"history:volume", "history:mix"}
    found = work.ledger.remembered(PARTNER, FEED, [WEEKS[0].label, "2020-W01", WEEKS[3].label])
    assert set(found) == {WEEKS[0].label, WEEKS[3].label}
