"""Every reason to withhold is said in words wherever reasons are shown."""

from __future__ import annotations

import pytest

from acequia.disclose.control import REASONS
from acequia.preflight.words import _WORDS
from acequia.publish.content import REASONS as TOLD


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_words(reason: str) -> None:
    assert TOLD[reason].endswith(".")
    assert all(words[f"withheld_{reason}"] for words in _WORDS.values())


def test_there_are_no_words_for_what_is_no_reason() -> None:
    assert set(TOLD) == set(REASONS)
