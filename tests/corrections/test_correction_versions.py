"""The same bytes, other bytes, another period's bytes: what follows, and what is told of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.receipts import verify_receipt
from acequia.opening import lake_of, ledger_of
from tests.pipeline.world import DAY, World

PARTNER, FEED, TABLE = "ceibo_pay", "transactions", "payments_by_department_kind"


def entry(world: World, name: str, kind: str) -> dict[str, Any]:
    said = [e.said for e in ledger_of(world.settings).history(DeliveryId.parse(name)) if e.kind == kind]
    return [one for one in said if one.get("table", TABLE) == TABLE][-1]


def test_the_same_bytes_again_do_nothing_and_the_receipt_says_so(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    lake = lake_of(world.settings)
    before = lake.history(f"{PARTNER}.{TABLE}"), world.landed()
    for path in files_of(world):
        shutil.copy(path, path.with_name("again"))
        path.with_name("again").replace(path)  # put there again: the same bytes, another time
    outcome = world.run(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    assert outcome.repeated
    assert (lake.history(f"{PARTNER}.{TABLE}"), world.landed()) == before
    (row,) = ledger_of(world.settings).deliveries()
    assert (row.status, row.repeats) == ("published", 1)
    receipts = sorted((world.settings.home / "receipts" / outcome.delivery.folder).iterdir())
    assert receipts[-1].name == "04-repeated.jws"
    said = verify_receipt(receipts[-1], world.settings.home / "keys" / "receipts.jwks.json").claims["repetition"]
    assert said | {"at": ""} == {"at": "", "done": "nothing", "status": "published", "stands": str(outcome.delivery)}


def test_other_bytes_are_a_version_whose_differences_are_told(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY, seed=1)
    first = world.run(PARTNER, FEED, DAY).delivery
    world.clear(PARTNER)
    world.deliver(PARTNER, FEED, DAY, seed=2, rows=900)
    second = world.run(PARTNER, FEED, DAY).delivery
    assert second.version == 2
    told = entry(world, str(second), "accepted")["differences"]
    assert told["against"] == str(first)
    assert told["rows_after"] - told["rows_before"] == told["added"] - told["removed"]
    assert told["added"] > 800
    changes = entry(world, str(second), "published")["changes"]
    folder = Path(world.settings.lake) / "open" / PARTNER / TABLE / DAY
    public = json.loads((folder / "changes.json").read_text())
    latest = json.loads((folder / "latest.json").read_text())
    assert public["release"] == latest["release"]
    assert public["cells"] == changes["cells"] and public["measures"] == changes["measures"]
    before, after = (pq.read_table(folder / name / "data.parquet").to_pylist()
                     for name in (public["compared_with"]["release"], public["release"]))  # fmt: skip
    assert changes["cells"]["before"] == len(before) and changes["cells"]["after"] == len(after)
    counted = changes["cells"]
    assert sum(n for kind, n in counted.items() if kind not in ("before", "after", "removed")) == len(after)
    assert world.statuses()[str(first)] == "corrected"


def files_of(world: World) -> list[Path]:
    return [path for path in (world.settings.home / "inbox" / PARTNER).rglob("*") if path.is_file()]


def test_the_files_of_another_period_are_refused_until_that_one_is_withdrawn(world: World) -> None:
    world.deliver(PARTNER, FEED, DAY)
    world.run(PARTNER, FEED, DAY)
    other = "2026-11-11"
    for path in files_of(world):
        manifest = path.name.endswith(".json")
        target = Path(str(path).replace(DAY, other))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes().replace(DAY.encode(), other.encode()) if manifest else path.read_bytes())
    with pytest.raises(AcequiaError) as error:
        world.run(PARTNER, FEED, other)
    assert (error.value.code, error.value.exit_code) == ("delivery_of_another_period", 4)
    assert DAY in error.value.what
    ledger_of(world.settings).withdraw(DeliveryId(partner=PARTNER, feed=FEED, period=DAY, version=1), who="me",
                                       because="wrong day")  # fmt: skip
    with pytest.raises(AcequiaError) as error:  # its rows are of the other day all the same
        world.run(PARTNER, FEED, other)
    assert error.value.code != "delivery_of_another_period"
