"""Tables with differential privacy through the whole pipeline: drawn once, charged once, whatever is run again."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from acequia import auditing, pipeline, spending
from acequia.cli import cli
from acequia.disclose import private
from acequia.errors import AcequiaError
from acequia.flow import Cells, DeliveryId
from acequia.ledger import budget
from acequia.opening import lake_of, ledger_of, open_work
from acequia.publish import open_release
from acequia.work import Work
from tests.pipeline.world import DAY, World, make_world

PARTNER, FEED, TABLE = "ceibo_pay", "transactions", "payments_by_department"
NEXT_DAY = "2026-11-11"
DELIVERY = DeliveryId(partner=PARTNER, feed=FEED, period=DAY, version=1)


def a_table(**more: Any) -> dict[str, Any]:
    return {
        "describe": "One row per department.",
        "by": ["department"],
        "cells": "all",
        "measures": {"payments_count": {"count": "rows"}, "amount_uyu_sum": {"sum": "amount_uyu"}},
        "protect": {
            "contributor": "sender",
            "min_contributors": 1,
            "differential_privacy": {
                "epsilon": 1.0,
                "cells_at_most": 2,
                "rows_at_most": 3,
                "bounds": {"amount_uyu_sum": [0, 5000]},
            },
        },
        **more,
    }


def agree(world: World, tables: dict[str, Any], limit: dict[str, Any]) -> None:
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    feed = agreement["feeds"][FEED]
    feed["tables"] = tables
    feed["privacy"] = {**feed.get("privacy", {}), "budget": limit}
    feed["columns"]["memo"]["treat"] = "drop"  # reading texts takes longer than all the rest
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One day, run once."""
    world = make_world(tmp_path_factory.mktemp("ran"))
    agree(world, {TABLE: a_table()}, {"epsilon": 1.5})
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    return world


@pytest.fixture
def copied(ran: World, tmp_path: Path) -> World:
    """The same as if nothing had been published yet: the day is accepted."""
    shutil.copytree(ran.settings.config, tmp_path / "config")
    shutil.copytree(ran.settings.config.parent / "expectations", tmp_path / "expectations")
    settings = type(ran.settings).from_environment(
        {"ACEQUIA_HOME": str(tmp_path / "home"), "ACEQUIA_CONFIG": str(tmp_path / "config")}
    )
    for name in ("inbox", "keys"):
        shutil.copytree(ran.settings.home / name, settings.home / name)
    world = World(settings, tmp_path / "outbox")
    work = work_of(world)
    delivery = pipeline.receive(work)
    pipeline.protect(work, delivery)
    pipeline.validate(work, delivery)
    return world


def work_of(world: World, period: str = DAY) -> Work:
    return open_work(world.settings, PARTNER, FEED, period)


def again(world: World, period: str = DAY) -> None:
    """A cleared task: everything from the cells on, as if it had never been done."""
    work = work_of(world, period)
    delivery = work.ledger.accepted(PARTNER, FEED, work.period)[-1]
    pipeline.publish(work, delivery, pipeline.aggregate(work, delivery))


def published(world: World) -> dict[str, bytes]:
    """Every file of the open releases but pointers."""
    top = Path(world.settings.lake) / "open"
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("release-*/data.*"))}


def spent(world: World) -> list[Decimal]:
    return [one.epsilon for one in budget.charges(ledger_of(world.settings), PARTNER, FEED)]


def kept(world: World) -> list[Path]:
    return sorted((world.settings.home / "private").rglob("*.parquet"))


def test_it_is_published_with_noise_and_says_so(ran: World) -> None:
    lake, work = lake_of(ran.settings), work_of(ran)
    rows = lake.read(f"{PARTNER}.{TABLE}").to_pylist()
    assert len(rows) == 19  # every department, whether anybody paid there or not
    assert {row["cell_status"] for row in rows} == {"published"}
    assert {row["contributors_count"] for row in rows} == {None}
    assert min(row["payments_count"] for row in rows) >= 0
    assert spent(ran) == [Decimal("1.0")]
    (entry,) = [entry for entry in work.ledger.history(DELIVERY) if entry.kind == "published"]
    said = entry.said["rules"]["differential_privacy"]
    assert (said["epsilon"], said["delta"]) == (1.0, 0)
    release = Path(ran.settings.lake) / "open" / PARTNER / TABLE / DAY
    (package,) = release.glob("release-*/datapackage.json")
    assert "epsilon 1 for the whole release" in package.read_text()
    assert work.ledger.verify() == []


def test_the_certificate_says_what_was_promised_and_anybody_can_work_it_out(copied: World) -> None:
    """Beside a table whose cells are withheld, and one whose cells only the rows tell."""
    unknown = a_table(
        cells="observed",
        by=["department", "kind"],
        hierarchy={"department": ["country", "region", "department"]},
        measures={"payments_count": {"count": "rows"}},
    )
    unknown["protect"]["differential_privacy"] = {"epsilon": 60.0, "delta": 0.01, "cells_at_most": 3}
    plain = {**a_table(cells="observed"), "protect": {"contributor": "sender", "min_contributors": 10}}
    agree(copied, {TABLE: a_table(), "unknown": unknown, "plain": plain}, {"epsilon": 100, "delta": 0.05})
    again(copied)
    lake = lake_of(copied.settings)
    for table in (TABLE, "unknown"):
        ((_, folder),) = open_release.releases(lake.files, PARTNER, table)
        said = json.loads(lake.files.read(f"{folder}/certificate.json") or b"")
        assert (said["rules"], said["findings"]) == (["differential_privacy"], 0)
        assert said["differential_privacy"]["epsilon"] in (1.0, 60.0)
        assert auditing.recompute(lake.files, folder) == []
        assert not auditing.audit_table(lake.files, f"{PARTNER}.{table}").findings
        shape = json.loads(lake.files.read(f"{folder}/datapackage.json") or b"")["acequia"]["structure"]
        keys = {row["department"] for row in lake.read(f"{PARTNER}.{table}").to_pylist()}
        assert set(shape["by"][0].get("parents", {})) <= keys  # what is not published is not told by its place
        assert len(keys) > 1


def test_fifty_runs_a_backfill_and_a_cleared_task_are_one_release(ran: World) -> None:
    before, files = published(ran), kept(ran)
    assert before
    for _ in range(50):
        again(ran)
    pipeline.restate(work_of(ran), TABLE, work_of(ran).period)  # a backfill
    shutil.rmtree(ran.settings.workspace / DELIVERY.folder)  # a cleared task on another machine
    work = work_of(ran)
    pipeline.carry(work, pipeline.receive(work))
    assert published(ran) == before
    assert kept(ran) == files
    assert spent(ran) == [Decimal("1.0")]


def test_a_draw_that_is_lost_is_read_back_from_the_open_release(ran: World) -> None:
    before = published(ran)
    shutil.rmtree(ran.settings.home / "private")
    again(ran)
    assert published(ran) == before
    assert spent(ran) == [Decimal("1.0")]
    for path in kept(ran):
        path.write_bytes(path.read_bytes()[:-9])  # damaged
    again(ran)
    assert published(ran) == before


def test_a_draw_that_is_nowhere_is_not_drawn_again(copied: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("acequia.publish.lake.Lake.publish", killed)
        with pytest.raises(Killed):
            again(copied)
    assert spent(copied) == [Decimal("1.0")]
    shutil.rmtree(copied.settings.home / "private")
    with pytest.raises(AcequiaError, match="charged is lost") as stopped:
        again(copied)
    assert stopped.value.exit_code == 6
    assert published(copied) == {}


def test_a_release_over_the_limit_is_refused_with_nothing_written(ran: World) -> None:
    before = published(ran), kept(ran), ledger_of(ran.settings).notes(budget.KIND)
    ran.deliver(PARTNER, FEED, NEXT_DAY, seed=8)
    with pytest.raises(AcequiaError, match=r"epsilon 1\.0 of 1\.5") as stopped:
        ran.run(PARTNER, FEED, NEXT_DAY)
    assert (stopped.value.code, stopped.value.exit_code) == ("budget_exceeded", 6)
    assert (published(ran), kept(ran), ledger_of(ran.settings).notes(budget.KIND)) == before


def test_an_erased_release_leaves_no_draw_and_gives_nothing_back(
    copied: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACEQUIA_HOME", str(copied.settings.home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(copied.settings.config))
    again(copied)
    assert len(kept(copied)) == 1
    words = ["withdraw", PARTNER, FEED, DAY, "--because", "a decision", "--erase", "--yes"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert (published(copied), kept(copied), spent(copied)) == ({}, [], [Decimal("1.0")])


@pytest.mark.parametrize(("day", "stays"), [(NEXT_DAY, True), (DAY, False)])
def test_a_withdrawal_is_not_held_up_by_an_empty_budget(
    copied: World, monkeypatch: pytest.MonkeyPatch, day: str, stays: bool
) -> None:
    """The first day alone was paid for before. The second alone cannot be, so the month leaves the lake."""
    monkeypatch.setenv("ACEQUIA_HOME", str(copied.settings.home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(copied.settings.config))
    agree(copied, {TABLE: a_table(over="month", release="each_delivery")}, {"epsilon": 2})
    again(copied)
    copied.deliver(PARTNER, FEED, NEXT_DAY, seed=8)
    copied.run(PARTNER, FEED, NEXT_DAY)
    assert len(spent(copied)) == 2
    assert lake_of(copied.settings).read(f"{PARTNER}.{TABLE}").num_rows
    assert CliRunner().invoke(cli, ["withdraw", PARTNER, FEED, day, "--because", "a decision", "--yes"]).exit_code == 0
    assert (lake_of(copied.settings).read(f"{PARTNER}.{TABLE}").num_rows > 0) is stays
    assert len(spent(copied)) == 2


class Killed(BaseException):
    """Stands for `kill -9`: nothing in the program catches it."""


def killed(*_: object, **__: object) -> None:
    raise Killed


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    def then_killed(*args: Any, **named: Any) -> Any:
        function(*args, **named)
        raise Killed

    return then_killed


@pytest.mark.parametrize(
    ("place", "when"),
    [
        ("acequia.disclose.private.draw", "before"),
        ("acequia.disclose.private.draw", "after"),
        ("acequia.spending.write_parquet", "after"),
        ("acequia.ledger.budget.charge", "before"),
        ("acequia.ledger.budget.charge", "after"),
        ("acequia.disclose.private.disclosed", "after"),
        ("acequia.publish.lake.Lake.publish", "before"),
        ("acequia.publish.lake.Lake.publish", "after"),
        ("acequia.ledger.book.Ledger.published", "before"),
    ],
)
def test_killed_between_any_two_steps(copied: World, monkeypatch: pytest.MonkeyPatch, place: str, when: str) -> None:
    module, _, name = place.rpartition(".")
    owner, attribute = _found(module), name
    with monkeypatch.context() as patch:
        patch.setattr(owner, attribute, killed if when == "before" else after(getattr(owner, attribute)))
        with pytest.raises(Killed):
            again(copied)
    public, charged = published(copied), spent(copied)
    assert not public or charged == [Decimal("1.0")]  # no noise is public that was not charged
    again(copied)
    assert spent(copied) == [Decimal("1.0")]
    assert len(kept(copied)) == 1
    assert not public or published(copied) == public
    end = published(copied)
    again(copied)
    assert published(copied) == end
    assert work_of(copied).ledger.verify() == []


def _found(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        above, _, name = module.rpartition(".")
        return getattr(importlib.import_module(above), name)


def test_other_terms_are_another_release_and_another_description_is_not(copied: World) -> None:
    again(copied)
    before = published(copied)
    agree(copied, {TABLE: a_table(describe="One row per department of the country.")}, {"epsilon": 100})
    again(copied)
    assert spent(copied) == [Decimal("1.0")]
    assert {name: content for name, content in published(copied).items() if name.endswith(".csv")} == {
        name: content for name, content in before.items() if name.endswith(".csv")
    }
    agree(copied, {TABLE: a_table(where="kind = 'transfer'")}, {"epsilon": 100})
    again(copied)
    assert spent(copied) == [Decimal("1.0"), Decimal("1.0")]


def test_two_releases_at_once_cannot_both_take_the_last_of_it(copied: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find room, both draw; the ledger lets one of them pass, and nothing is left of the other."""
    agree(copied, {"one": a_table(), "other": a_table()}, {"epsilon": 1.5})
    work = work_of(copied)
    cells = pipeline.aggregate(work, DELIVERY)
    meet, drawn = threading.Barrier(2), private.draw

    def draw_together(part: Cells, table: Any) -> Any:
        noisy = drawn(part, table)
        meet.wait(30)
        return noisy

    monkeypatch.setattr(private, "draw", draw_together)
    ends: dict[str, str] = {}

    def release(part: Cells) -> None:
        try:
            spending.release(work_of(copied), part, out=copied.settings.home / f"{part.table}.parquet")
            ends[part.table] = "released"
        except AcequiaError as error:
            ends[part.table] = error.code

    threads = [threading.Thread(target=release, args=(part,)) for part in cells]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ends.values()) == ["budget_exceeded", "released"]
    assert spent(copied) == [Decimal("1.0")]
    assert [path.parts[-3] for path in kept(copied)] == [name for name, end in ends.items() if end == "released"]


def test_each_vintage_of_a_month_is_charged(copied: World) -> None:
    table = a_table(over="month", release="each_delivery")
    agree(copied, {TABLE: table}, {"epsilon": 2, "per": "month"})
    again(copied)
    copied.deliver(PARTNER, FEED, NEXT_DAY, seed=8)
    copied.run(PARTNER, FEED, NEXT_DAY)
    assert len(spent(copied)) == 2
    copied.deliver(PARTNER, FEED, "2026-11-12", seed=9)
    with pytest.raises(AcequiaError, match="this release would cost"):
        copied.run(PARTNER, FEED, "2026-11-12")
    (release,) = [info for info in lake_of(copied.settings).tables() if info.name.endswith(TABLE)]
    assert release  # the vintage before stands


def test_the_command_says_what_is_spent_and_by_what(ran: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACEQUIA_HOME", str(ran.settings.home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(ran.settings.config))
    told = CliRunner().invoke(cli, ["budget", f"{PARTNER}.{FEED}", "--json"])
    (balance,) = json.loads(told.output)
    charges = balance.pop("charges")
    assert balance == {"feed": f"{PARTNER}.{FEED}", "unit": "sender", "span": "ever", "epsilon_spent": 1.0,
                       "epsilon_left": 0.5, "delta_spent": 0.0, "delta_left": 0.0}  # fmt: skip
    (charge,) = charges
    assert (charge["table"], charge["window"], charge["deliveries"]) == (f"{PARTNER}.{TABLE}", DAY, 1)
    assert (Path(ran.settings.lake) / charge["release"] / "data.csv").exists()
    words = CliRunner().invoke(cli, ["budget"]).output
    assert "epsilon left" in words
    assert charge["release"] in words
    assert CliRunner().invoke(cli, ["budget", PARTNER]).exception.exit_code == 2  # type: ignore[union-attr]


def test_draws_are_closed_to_others(ran: World) -> None:
    assert (ran.settings.home / "private").stat().st_mode & 0o077 == 0


def test_it_is_explained_as_what_it_is(ran: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACEQUIA_HOME", str(ran.settings.home))
    monkeypatch.setenv("ACEQUIA_CONFIG", str(ran.settings.config))
    for language, noise, withheld in (("en", "random noise", "is withheld."), ("es", "ruido aleatorio", "se retiene.")):
        told = CliRunner().invoke(cli, ["explain", PARTNER, "--language", language]).output
        assert noise in told
        assert [
            line for line in told.splitlines() if withheld in line and "No row" not in line and "Ning" not in line
        ] == []
    assert "min_contributors: is less than" not in CliRunner().invoke(cli, ["check", PARTNER]).output
