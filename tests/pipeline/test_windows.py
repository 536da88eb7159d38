"""Tables over a longer window: whatever the order and however many at once, the month is made of every day."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from acequia.agreement.load import find
from acequia.errors import AcequiaError
from acequia.opening import lake_of, landing_of, ledger_of, open_work
from tests.pipeline.world import World, make_world, month_to_date, same_where_published

DAYS = ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12", "2026-11-14")
TABLE = "pula_mobile.active_subscribers_by_district_month"


def month(world: World) -> list[dict[str, object]]:
    return list(lake_of(world.settings).read(TABLE).to_pylist())


@pytest.mark.timeout(900)
def test_days_that_arrive_at_once_are_all_in_the_month(world: World, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    path = month_to_date(world)
    for day in DAYS:
        world.deliver("pula_mobile", "events", day)
    env = {**os.environ, "ACEQUIA_HOME": str(world.settings.home), "ACEQUIA_CONFIG": str(world.settings.config)}
    ledger_of(world.settings)
    running = [
        subprocess.Popen([sys.executable, "-m", "acequia", "run", "pula_mobile", "events", day, "--quiet"], env=env)
        for day in DAYS
    ]
    assert [process.wait(700) for process in running] == [0] * len(DAYS)
    calm = make_world(tmp_path_factory.mktemp("calm"))
    shutil.copy(path, calm.settings.partners)
    for name in ("inbox", "keys"):
        shutil.copytree(world.settings.home / name, calm.settings.home / name)
    for day in DAYS:
        calm.run("pula_mobile", "events", day)
    same_where_published(month(world), month(calm))


def test_a_version_that_was_replaced_never_comes_back(world: World) -> None:
    day = DAYS[0]
    for seed in (1, 2):
        world.clear("ceibo_pay")
        world.deliver("ceibo_pay", "transactions", day, seed=seed)
        world.run("ceibo_pay", "transactions", day)
    path = world.settings.partners / "ceibo_pay.yaml"
    text = path.read_text()
    changed = text.replace("- 500\n", "- 100000\n", 1)
    assert changed != text
    path.write_text(changed)
    try:
        world.run("ceibo_pay", "transactions", day)
    except Exception as error:
        assert "rows_outside_range" in str(error)
    assert world.statuses()[f"ceibo_pay.transactions.{day}.v2"] == "refused"
    assert ledger_of(world.settings).accepted("ceibo_pay", "transactions") == ()
    path.write_text(text)
    world.run("ceibo_pay", "transactions", day)
    (standing,) = ledger_of(world.settings).accepted("ceibo_pay", "transactions")
    assert standing.version == 2


def test_a_corrected_reference_table_is_worked_through(world: World) -> None:
    day = DAYS[0]
    world.deliver("ceibo_pay", "transactions", day)
    world.run("ceibo_pay", "transactions", day)
    assert world.run("ceibo_pay", "transactions", day).repeated
    table = world.settings.reference / "uruguay_departments.csv"
    table.write_text(table.read_text().replace("Montevideo", "Monte Video"))
    assert not world.run("ceibo_pay", "transactions", day).repeated
    rows = lake_of(world.settings).read("ceibo_pay.payments_by_department_kind").to_pylist()
    departments = {row["department"] for row in rows}
    assert "Monte Video" in departments and "Montevideo" not in departments


def test_a_month_knows_people_by_one_pseudonym_when_rotation_changes(world: World, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    path = month_to_date(world)
    world.deliver("pula_mobile", "events", DAYS[0])
    world.run("pula_mobile", "events", DAYS[0])
    agreement = yaml.safe_load(path.read_text())
    agreement["feeds"]["events"]["privacy"] = {"rotate": "month"}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False))
    world.deliver("pula_mobile", "events", DAYS[1])
    world.run("pula_mobile", "events", DAYS[1])
    calm = make_world(tmp_path_factory.mktemp("calm"))
    shutil.copy(path, calm.settings.partners)
    shutil.copytree(world.settings.home / "inbox", calm.settings.home / "inbox")
    for day in DAYS[:2]:
        calm.run("pula_mobile", "events", day)
    same_where_published(month(world), month(calm))


def test_people_of_deleted_deliveries_are_not_counted_twice(world: World) -> None:
    path = month_to_date(world)
    world.deliver("pula_mobile", "events", DAYS[0])
    world.run("pula_mobile", "events", DAYS[0])
    before = month(world)
    for key in world.landed():
        landing_of(world.settings).delete(key)
    agreement = yaml.safe_load(path.read_text())
    agreement["feeds"]["events"]["privacy"] = {"rotate": "month"}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False))
    world.deliver("pula_mobile", "events", DAYS[1])
    with pytest.raises(AcequiaError, match="changed its pseudonyms") as stopped:
        world.run("pula_mobile", "events", DAYS[1])
    assert (stopped.value.code, stopped.value.exit_code) == ("protected_differs", 6)
    assert month(world) == before


def test_what_reads_free_text_decides_whether_a_step_is_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made_by(feed: str) -> str:
        return open_work(world.settings, "kgale_rides", feed, "2026-10").made_by

    agreement = find(world.settings.partners, "kgale_rides").agreement
    texts = {
        name: any(c.treatment == "scrub_text" for c in feed.columns.values()) for name, feed in agreement.feeds.items()
    }
    before = {feed: made_by(feed) for feed in texts}
    monkeypatch.setenv("ACEQUIA_NLP", "words")
    assert {feed: made_by(feed) != before[feed] for feed in texts} == texts
    assert any(texts.values())
