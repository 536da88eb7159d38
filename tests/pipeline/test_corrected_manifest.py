"""A partner who corrects only the manifest is not refused for the old one."""

from __future__ import annotations

import re

import pytest

from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.opening import ledger_of
from tests.pipeline.world import DAY, World


def test_the_same_files_with_a_corrected_manifest_pass(world: World) -> None:
    world.deliver("pula_mobile", "events", DAY, rows=1200)
    (manifest,) = (world.settings.home / "inbox" / "pula_mobile").rglob("*manifest*")
    right = manifest.read_text()
    manifest.write_text(re.sub(r'"sha256": "[0-9a-f]{8}', '"sha256": "00000000', right, count=1))
    for _ in range(2):
        with pytest.raises(AcequiaError) as stopped:
            world.run("pula_mobile", "events", DAY)
        assert stopped.value.code == "checksum_differs"

    manifest.write_text(right)
    outcome = world.run("pula_mobile", "events", DAY)
    assert outcome.published
    book = ledger_of(world.settings)
    kinds = [entry.kind for entry in book.history(DeliveryId.parse(str(outcome.delivery)))]
    assert kinds[:4] == ["received", "refused", "repeated", "accepted"]
    assert book.verify() == []
