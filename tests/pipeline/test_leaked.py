"""A delivery that hides people in a kept column: refused as a whole, told in counts, and not a byte is left behind."""

from __future__ import annotations

import pytest
import yaml

from acequia.errors import REFUSED, AcequiaError
from acequia.flow import DeliveryId, Protected
from acequia.ledger.receipts import verify_receipt
from acequia.opening import ledger_of
from tests.pipeline.test_privacy import leaks
from tests.pipeline.world import DAY, World

PARTNER, FEED = "ceibo_pay", "transactions"
DELIVERY = DeliveryId(partner=PARTNER, feed=FEED, period=DAY, version=1)


def keep_memo(world: World, *, privacy: dict[str, float] | None = None, may_hold: tuple[str, ...] = ()) -> None:
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    feed = agreement["feeds"][FEED]
    feed["columns"]["memo"] = {"type": "string", "treat": "keep", "required": False, "keep_because": "a test"}
    if may_hold:
        feed["columns"]["memo"]["may_hold"] = list(may_hold)
    feed["privacy"] = privacy or {}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))


def test_a_kept_column_with_people_in_it_is_refused(world: World) -> None:
    keep_memo(world)
    people = world.deliver(PARTNER, FEED, DAY, rows=1500).planted
    for _ in range(2):
        with pytest.raises(AcequiaError) as refused:
            world.run(PARTNER, FEED, DAY)
        assert (refused.value.code, refused.value.exit_code) == ("personal_data_found", REFUSED)
    for kind in ("telephone numbers", "e-mail addresses", "identity documents"):
        assert f"memo: {kind} in " in refused.value.what
    assert world.statuses() == {str(DELIVERY): "refused"}
    assert world.tables() == {}
    assert not list(world.settings.workspace.rglob("*.parquet"))
    receipt = world.settings.home / "receipts" / DELIVERY.folder / "02-refused.jws"
    claims = verify_receipt(receipt, world.settings.home / "keys" / "receipts.jwks.json").claims
    assert claims["refusal"]["code"] == "personal_data_found"
    assert claims["refusal"]["reason"] == refused.value.what
    assert len(people) > 3
    assert leaks(world.settings.home, people, skip=("inbox", "landing")) == []


def test_what_is_agreed_to_pass_is_counted_in_ledger_and_receipt(world: World) -> None:
    keep_memo(world, may_hold=("phone", "email", "national_id", "name"))
    world.deliver(PARTNER, FEED, DAY, rows=1500)
    world.run(PARTNER, FEED, DAY)
    scanned = Protected.load(world.settings.workspace / DELIVERY.folder / "protected.json").scanned
    assert {one.kind for one in scanned} >= {"phone", "email", "national_id"}
    assert all(one.column == "memo" and one.tolerated and 0 < one.rows <= one.of for one in scanned)
    (accepted,) = [entry for entry in ledger_of(world.settings).history(DELIVERY) if entry.kind == "accepted"]
    told = [{"column": one.column, "kind": one.kind, "rows": one.rows, "of": one.of} for one in scanned]
    assert accepted.said["scanned"] == told
    receipt = world.settings.home / "receipts" / DELIVERY.folder / "02-accepted.jws"
    claims = verify_receipt(receipt, world.settings.home / "keys" / "receipts.jwks.json").claims
    assert claims["scanned"] == told


def test_a_tolerance_is_a_share_of_rows(world: World) -> None:
    keep_memo(world, privacy={"leaks_at_most_pct": 100, "names_at_most_pct": 100})
    world.deliver(PARTNER, FEED, DAY, rows=1500)
    assert world.run(PARTNER, FEED, DAY).published
    keep_memo(world, privacy={"leaks_at_most_pct": 0.01, "names_at_most_pct": 100})
    with pytest.raises(AcequiaError, match="memo: telephone numbers"):
        world.run(PARTNER, FEED, DAY)
