"""What the real pipeline tells the ledger of one period's life is told, once, and holds nothing of anyone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from acequia.agreement.load import versions
from acequia.errors import AcequiaError
from acequia.notices.gather import due
from acequia.notices.message import payload, write
from acequia.notices.notice import Notice
from acequia.notices.send import send_due
from acequia.opening import ledger_of, open_work
from acequia.upkeep import delete_everything
from acequia.withdrawal import withdraw
from tests.pipeline.world import DAY, World, make_world

PARTNER, FEED, TABLE = "ceibo_pay", "transactions", "payments_by_department_kind"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    path = made.settings.partners / f"{PARTNER}.yaml"
    said = yaml.safe_load(path.read_text())
    said["terms"]["contacts"]["consumers"] = {"central_bank": "data@bank.example"}
    path.write_text(yaml.safe_dump(said, sort_keys=False, allow_unicode=True))
    return made


def new(world: World, told: set[str]) -> list[Notice]:
    """What is due about the day, in the order in which it became so, and was not before."""
    troubles: list[str] = []
    agreements = [versions(world.settings.partners, PARTNER)]
    found = due(world.settings, ledger_of(world.settings), agreements, datetime.now(UTC), troubles)
    assert troubles == []
    notices = {one.notice.key: one.notice for one in found if one.notice.period == DAY}
    fresh = [notice for key, notice in notices.items() if key not in told]
    told.update(notices)
    return [notice for notice in fresh if notice.kind not in ("missing", "late", "before_due", "delayed")]


def counted(notices: list[Notice]) -> Counter[tuple[str, str]]:
    return Counter((notice.kind, notice.role) for notice in notices)


def test_a_period_from_first_delivery_to_withdrawal(world: World) -> None:
    told: set[str] = set()
    people = list(world.deliver(PARTNER, FEED, DAY, seed=1).planted)
    world.run(PARTNER, FEED, DAY)
    of_feed = versions(world.settings.partners, PARTNER)[-1].agreement.feeds[FEED].tables
    tables = len([name for name, table in of_feed.items() if table.over == "delivery"])
    first = new(world, told)
    assert counted(first) == {("accepted", "partner"): 1, ("published", "consumers"): tables}

    world.clear(PARTNER)
    people += world.deliver(PARTNER, FEED, DAY, seed=2, bad="column_missing").planted
    with pytest.raises(AcequiaError):
        world.run(PARTNER, FEED, DAY)
    refused = new(world, told)
    assert counted(refused) == {("refused", "partner"): 1, ("refused", "steward"): 1}
    assert refused[0].facts["code"] == "column_missing"

    world.clear(PARTNER)
    people += world.deliver(PARTNER, FEED, DAY, seed=3, rows=900).planted
    world.run(PARTNER, FEED, DAY)
    corrected = new(world, told)
    assert counted(corrected)[("restated", "consumers")] == tables
    assert counted(corrected)[("accepted", "partner")] == 1
    accepted = next(notice for notice in corrected if notice.kind == "accepted")
    assert accepted.facts["differences"]["added"] > 800
    restated = next(notice for notice in corrected if notice.facts.get("table") == f"{PARTNER}.{TABLE}")
    assert restated.facts["changes"]["cells"]["changed"] > 0
    assert "Cuánto: " in write([restated]).text

    work = open_work(world.settings, PARTNER, FEED, DAY)
    withdraw(work, who="steward", because="un extracto equivocado", erase=False, delete=delete_everything)
    gone = new(world, told)
    assert counted(gone) == {
        ("withdrawn", "partner"): 1, ("withdrawn", "steward"): 1, ("withdrawn", "consumers"): 1,
        ("removed", "steward"): tables, ("removed", "consumers"): tables,
    }  # fmt: skip

    said = "".join(
        text
        for notice in (*first, *refused, *corrected, *gone)
        for text in (write([notice]).text, write([notice]).html, json.dumps(payload(notice), ensure_ascii=False))
    )
    planted = {value for person in people for value in vars(person).values() if isinstance(value, str)}
    assert len(planted) > 10
    assert [value for value in planted if value in said] == []
    done = send_due(world.settings, ledger_of(world.settings))
    assert done.troubles == []
    assert new(world, set()) == []
    assert ledger_of(world.settings).verify() == []
