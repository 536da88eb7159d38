"""A run is killed once its delivery is registered, and the source loses the files before the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from acequia.errors import AcequiaError
from acequia.flow import Raw
from tests.pipeline.world import make_world

PARTNER, FEED, DAY = "ceibo_pay", "transactions", "2026-11-10"


class KilledError(BaseException):
    """As `kill -9` would end it."""


def test_what_arrived_and_is_gone_is_told_and_goes_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(tmp_path)
    with pytest.raises(AcequiaError, match="nothing is there for the period"):
        world.run(PARTNER, FEED, DAY)
    world.deliver(PARTNER, FEED, DAY)

    def killed(self: Raw, path: Path) -> None:
        raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Raw, "save", killed)
        world.run(PARTNER, FEED, DAY)
    world.clear(PARTNER)
    for _ in range(2):
        with pytest.raises(AcequiaError, match="version 1 arrived and nothing was decided") as stopped:
            world.run(PARTNER, FEED, DAY)
        assert stopped.value.code == "delivery_missing" and "same files there again" in stopped.value.what_to_do
    world.deliver(PARTNER, FEED, DAY)
    assert world.run(PARTNER, FEED, DAY).delivery.version == 1
    world.clear(PARTNER)
    with pytest.raises(AcequiaError, match="nothing is there for the period"):
        world.run(PARTNER, FEED, DAY)
