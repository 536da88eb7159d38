"""What bad input gets: a stable code and who must act, the bytes kept, nothing published, other partners untouched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acequia.errors import CODES, MISSING, REFUSED, AcequiaError
from acequia.ledger.receipts import verify_receipt
from acequia.opening import landing_of, ledger_of
from acequia.simulate.bad import KINDS
from tests.pipeline.world import DAY, World

FEEDS = (("pula_mobile", "events", DAY), ("ceibo_pay", "transactions", DAY))
# A million rows too many cannot be told from a few in a test, and costs a minute: tests/validate has the bound itself.
TOO_LONG = ("too_many_rows",)
BAD = sorted(kind for kind, code in KINDS.items() if code and kind not in TOO_LONG)


def cases() -> Iterator[tuple[str, str, str, str]]:
    from acequia.agreement.load import find
    from acequia.simulate.bad import kinds_of

    config = Path(__file__).resolve().parents[2] / "config" / "partners"
    for partner, feed, period in FEEDS:
        agreed = find(config, partner).agreement.feed(feed)
        for kind, code in kinds_of(agreed).items():
            if code and kind not in TOO_LONG:
                yield partner, feed, period, kind


CASES = list(cases())


def test_every_kind_is_tried() -> None:
    assert {kind for *_, kind in CASES} == set(BAD)


@pytest.mark.parametrize(("partner", "feed", "period", "kind"), CASES, ids=[f"{c[0]}-{c[3]}" for c in CASES])
def test_bad_deliveries(world: World, partner: str, feed: str, period: str, kind: str) -> None:
    written = world.deliver(partner, feed, period, rows=1200, bad=kind)
    period = written.period.label
    with pytest.raises(AcequiaError) as stopped:
        world.run(partner, feed, period)
    error = stopped.value
    assert error.code == KINDS[kind], str(error)
    assert CODES[error.code].who_acts in str(error)
    assert world.tables() == {}, "something was published"
    for person in written.planted:
        assert not [form for form in person.forms() if form in str(error)]
    if error.exit_code == REFUSED:
        refused_with_proof(world, f"{partner}.{feed}.{period}.v1", error)
        nothing_is_lost(world, partner, written.files)
    else:
        assert error.exit_code in (MISSING, 3)
        assert world.statuses() == {} and world.landed() == []
    other_partners_go_on(world, partner)


def refused_with_proof(world: World, delivery: str, error: AcequiaError) -> None:
    """Ledger and signed receipt tell the same; the refusal is sticky; the chain is whole."""
    assert world.statuses() == {delivery: "refused"}
    partner, feed, period, _ = delivery.split(".")
    folder = world.settings.home / "receipts" / partner / feed / period / "v1"
    receipt = sorted(folder.glob("*refused.jws"))[-1]
    claims = verify_receipt(receipt, world.settings.home / "keys" / "receipts.jwks.json").claims
    assert claims["refusal"]["code"] == error.code and claims["refusal"]["who_acts"] == error.who_acts
    entries = len(list(folder.iterdir()))
    with pytest.raises(AcequiaError) as again:
        world.run(partner, feed, period)
    assert again.value.code == error.code
    assert len(list(folder.iterdir())) == entries
    assert ledger_of(world.settings).verify() == []


def nothing_is_lost(world: World, partner: str, files: tuple[Path, ...]) -> None:
    """Every data file that arrived can be read back from landing, bit for bit."""
    landing, read = landing_of(world.settings), set()
    for number, key in enumerate(key for key in landing.list("") if not Path(key).name.startswith("_set_aside")):
        target = world.outbox / f"back-{number}"
        landing.fetch(key, target)
        read.add(hashlib.sha256(target.read_bytes()).hexdigest())
    inbox = world.settings.home / "inbox" / partner
    sent = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in inbox.rglob("*")
        if path.is_file() and "manifest" not in path.name
    }
    assert sent <= read


def other_partners_go_on(world: World, partner: str) -> None:
    """The same installation takes the next partner's delivery."""
    other, feed, period = next(case for case in FEEDS if case[0] != partner)
    world.deliver(other, feed, period, rows=1200)
    assert world.run(other, feed, period).published


def test_a_broken_agreement_stops_only_its_partner(world: World) -> None:
    broken = world.settings.partners / "pula_mobile.yaml"
    text = broken.read_text()
    broken.write_text(text.replace("treat: pseudonym", "treat: pseudonim", 1))
    with pytest.raises(AcequiaError) as stopped:
        world.run("pula_mobile", "events", DAY)
    assert (stopped.value.code, stopped.value.exit_code) == ("agreement_invalid", 3)
    assert "pseudonym" in str(stopped.value)
    other_partners_go_on(world, "pula_mobile")


def test_a_path_that_climbs_is_refused_with_the_agreement(world: World) -> None:
    path = world.settings.partners / "ceibo_pay.yaml"
    agreement = yaml.safe_load(path.read_text())
    agreement["feeds"]["transactions"]["delivery"]["source"]["path"] = "../{period}.jsonl"
    path.write_text(yaml.safe_dump(agreement))
    with pytest.raises(AcequiaError) as stopped:
        world.run("ceibo_pay", "transactions", DAY)
    assert stopped.value.exit_code == 3


def test_a_symbolic_link_out_of_the_folder_is_refused(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text("{}\n")
    target = world.settings.home / "inbox" / "ceibo_pay" / "v1" / "transactions" / f"{DAY}.jsonl"
    target.parent.mkdir(parents=True)
    target.symlink_to(secret)
    with pytest.raises(AcequiaError) as stopped:
        world.run("ceibo_pay", "transactions", DAY)
    assert stopped.value.code in ("path_escapes", "delivery_missing")
    assert world.landed() == []


def test_a_corrected_delivery_replaces_the_first(world: World) -> None:
    world.deliver("ceibo_pay", "transactions", DAY, seed=1)
    first = world.run("ceibo_pay", "transactions", DAY)
    before = world.tables()
    world.clear("ceibo_pay")
    world.deliver("ceibo_pay", "transactions", DAY, seed=2)
    second = world.run("ceibo_pay", "transactions", DAY)
    assert (first.delivery.version, second.delivery.version) == (1, 2)
    assert second.published and set(world.tables()) == set(before)
    assert world.statuses() == {
        f"ceibo_pay.transactions.{DAY}.v1": "corrected",
        f"ceibo_pay.transactions.{DAY}.v2": "published",
    }
    again = world.run("ceibo_pay", "transactions", DAY)
    assert again.repeated and not again.published
