"""What belongs to an epoch whose key was destroyed is not even fetched."""

from __future__ import annotations

import pytest

from acequia import custody
from acequia.errors import AcequiaError
from acequia.opening import ledger_of, open_work
from tests.pipeline.world import DAY, World


def test_nothing_is_pulled_of_an_epoch_whose_key_was_destroyed(world: World) -> None:
    world.deliver("ceibo_pay", "transactions", DAY)
    work = open_work(world.settings, "ceibo_pay", "transactions", DAY)
    ledger = ledger_of(world.settings)
    custody.make(work.keys, ledger, "ceibo_pay", "transactions", "none")
    custody.destroy(work.keys, ledger, "ceibo_pay", "transactions", "none", because="the feed ended", who="naledi")
    with pytest.raises(AcequiaError) as stopped:
        world.run("ceibo_pay", "transactions", DAY)
    assert (stopped.value.code, stopped.value.exit_code) == ("key_destroyed", 3)
    assert stopped.value.where == "ceibo_pay.transactions none"
    assert world.landed() == []
    assert world.statuses() == {}
