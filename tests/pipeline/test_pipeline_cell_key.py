"""Tables with cell keys through the whole pipeline: one secret a partner, the same bytes whenever it is run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from acequia import pipeline
from acequia.auditing import audit_table, recompute
from acequia.custody import cell_secret
from acequia.errors import AcequiaError
from acequia.keys import fingerprint
from acequia.opening import lake_of, open_work
from acequia.work import Work
from tests.pipeline.world import DAY, World, make_world

PARTNER, FEED = "ceibo_pay", "transactions"
NOISE = {"noise_at_most": 4, "variance": 2.0, "never": 2}
PROTECT = {"contributor": "sender", "min_contributors": 10, "cell_key": NOISE}
MEASURES = {"payments_count": {"count": "rows"}, "senders_count": {"count_distinct": "sender"}}
TABLES: dict[str, Any] = {
    "by_department": {"describe": "One row per department.", "by": ["department"], "cells": "all",
                      "measures": MEASURES, "protect": PROTECT},
    "by_both": {"describe": "One row per department and kind.", "by": ["department", "kind"], "measures": MEASURES,
                "protect": PROTECT},
    "by_kind": {"describe": "One row per kind.", "by": ["kind"], "measures": MEASURES, "protect": PROTECT},
    "rounded": {"describe": "One row per department and kind, with totals.", "by": ["department", "kind"],
                "hierarchy": {"department": ["all", "department"], "kind": ["all", "kind"]},
                "measures": {"payments_count": {"count": "rows"}},
                "protect": {"contributor": "sender", "min_contributors": 10, "round_to": 5, "rounding": "controlled"}},
    "in_all": {"describe": "One row.", "by": [], "measures": MEASURES, "protect": PROTECT},
}  # fmt: skip

NOISY = [name for name, table in TABLES.items() if "cell_key" in table["protect"]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One day, run once."""
    world = make_world(tmp_path_factory.mktemp("cells"))
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    feed = agreement["feeds"][FEED]
    feed["tables"] = TABLES
    feed["columns"]["memo"]["treat"] = "drop"  # reading texts takes longer than all the rest
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    return world


def work_of(world: World) -> Work:
    return open_work(world.settings, PARTNER, FEED, DAY)


def published(world: World) -> dict[str, bytes]:
    top = Path(world.settings.lake) / "open"
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("release-*/data.*"))}


def again(world: World) -> None:
    work = work_of(world)
    delivery = work.ledger.accepted(PARTNER, FEED, work.period)[-1]
    pipeline.publish(work, delivery, pipeline.aggregate(work, delivery))


def test_small_counts_never_appear_and_nothing_is_withheld(ran: World) -> None:
    lake = lake_of(ran.settings)
    rows = [row for table in NOISY for row in lake.read(f"{PARTNER}.{table}").to_pylist()]
    counts = [row[name] for row in rows for name in (*MEASURES, "contributors_count")]
    assert rows
    assert None not in counts
    assert not {1, 2} & set(counts)
    assert {row["cell_status"] for row in rows} <= {"published", "zero"}


def test_noise_is_there_and_no_larger_than_agreed(ran: World) -> None:
    moved, small = [], []
    for table in ("by_department", "by_both", "in_all"):
        (path,) = ran.settings.workspace.rglob(f"cells.{table}.{DAY}.parquet")
        exact = {tuple(row[by] for by in TABLES[table]["by"]): row for row in pq.read_table(path).to_pylist()}
        for row in lake_of(ran.settings).read(f"{PARTNER}.{table}").to_pylist():
            truth = exact[tuple(row[by] for by in TABLES[table]["by"])]
            moved.append(abs(row["senders_count"] - truth["senders_count"]))
            assert row["senders_count"] == row["contributors_count"]
            small.append(truth["cell:contributors"])
    assert 0 < min(small) < PROTECT["min_contributors"]  # which would be withheld
    assert 0 < max(moved) <= NOISE["noise_at_most"]


def test_run_again_it_is_the_same(ran: World) -> None:
    before = published(ran)
    for _ in range(3):
        again(ran)
    assert ran.run(PARTNER, FEED, DAY).repeated
    assert published(ran) == before


def test_readers_are_told(ran: World) -> None:
    info = next(info for info in lake_of(ran.settings).tables() if info.name == f"{PARTNER}.by_kind")
    told = json.dumps([column.describe for column in info.columns])
    assert told.count("Counts carry noise") == 3
    found = {path.relative_to(Path(ran.settings.lake) / "open" / PARTNER).parts[0]: path.read_text()
             for path in (Path(ran.settings.lake) / "open").rglob("datapackage.json")}  # fmt: skip
    assert found.keys() == TABLES.keys()
    assert all("Counts carry noise" in found[name] for name in NOISY)
    assert "totals stay the sums of their parts" in found["rounded"]


def test_the_secret_is_noted_once_and_is_in_no_file_outside_the_key_store(ran: World) -> None:
    work = work_of(ran)
    secret = cell_secret(work.keys, work.ledger, PARTNER)
    (entry,) = work.ledger.notes("cell_key_made")
    assert (entry.partner, entry.feed) == (PARTNER, None)
    assert entry.said == {"fingerprint": fingerprint(secret)}
    assert work.ledger.verify() == []
    home = ran.settings.home
    files = [path for path in home.rglob("*") if path.is_file() and home / "keys" not in path.parents]
    assert not [path for path in files if secret in (held := path.read_bytes()) or secret.hex().encode() in held]


def test_a_secret_that_is_lost_is_not_made_anew(ran: World) -> None:
    before, work = published(ran), work_of(ran)
    (key,) = (ran.settings.home / "keys").rglob(f"cells.{PARTNER}.key")
    kept = key.read_bytes()
    key.unlink()
    try:
        with pytest.raises(AcequiaError) as error:
            again(ran)
        assert error.value.code == "key_missing"
        assert not key.exists()
        key.write_bytes(b"00" * 32)
        with pytest.raises(AcequiaError) as error:
            cell_secret(work.keys, work.ledger, PARTNER)
        assert error.value.code == "key_missing"
    finally:
        key.write_bytes(kept)
    again(ran)
    assert published(ran) == before


def test_controlled_rounding_beside_withheld_cells(ran: World) -> None:
    rows = {
        (row["department"], row["kind"]): row for row in lake_of(ran.settings).read(f"{PARTNER}.rounded").to_pylist()
    }
    count = {key: row["payments_count"] for key, row in rows.items()}
    assert {"min_contributors", "secondary"} & {row["withheld_because"] for row in rows.values()}
    kinds = sorted({kind for _, kind in rows} - {"_T"})
    checked = 0
    for department in {department for department, _ in rows}:
        line = [count[department, kind] for kind in ("_T", *kinds) if (department, kind) in count]
        if None not in line:
            checked += 1
            assert line[0] == sum(line[1:])
    assert checked
    assert all(value is None or value % 5 == 0 for value in count.values())


@pytest.mark.parametrize("table", TABLES)
def test_the_auditor_finds_nothing_and_the_certificate_names_the_rule(ran: World, table: str) -> None:
    files = lake_of(ran.settings).files
    audited = audit_table(files, f"{PARTNER}.{table}")
    assert not [one for one in audited.seen if one.found]
    (path,) = (Path(ran.settings.lake) / "open" / PARTNER / table).rglob("certificate.json")
    rules = json.loads(path.read_text())["rules"]
    assert ("cell_key" in rules) == (table in NOISY)
    assert ("controlled_rounding" in rules) == ("min_contributors" in rules) == (table == "rounded")
    assert recompute(files, path.parent.relative_to(ran.settings.lake).as_posix()) == []
