"""An agreement to make mistakes in. `⟦` marks, in a mistake, where the loader must point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from acequia.agreement.load import AgreementInvalid, load
from acequia.agreement.problems import Problem

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
MARK = "⟦"


@pytest.fixture
def example() -> str:
    return (HERE / "example.yaml").read_text(encoding="utf-8")


@pytest.fixture
def problems_of(tmp_path: Path) -> Callable[[str | bytes], tuple[Problem, ...]]:
    """What the loader says of a text, or of bytes; nothing if it is an agreement."""

    def told(text: str | bytes, name: str = "example.yaml") -> tuple[Problem, ...]:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            load(path)
        except AgreementInvalid as error:
            return error.problems
        return ()

    return told


@pytest.fixture
def with_mistake(example: str) -> Callable[..., tuple[str, tuple[int, int]]]:
    """The example with pairs (old, new) replaced; returns it without its mark, and the mark's line and column."""

    def made(*pairs: tuple[str, str]) -> tuple[str, tuple[int, int]]:
        text = example
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new, 1)
        before, _, after = text.partition(MARK)
        assert MARK not in after
        lines = before.split("\n")
        return before + after, (len(lines), len(lines[-1]) + 1)

    return made


@pytest.fixture
def tells(
    with_mistake: Callable[..., tuple[str, tuple[int, int]]], problems_of: Callable[[str], tuple[Problem, ...]]
) -> Callable[[tuple[str, str], str, str], None]:
    """Asserts that a mistake, (old, new), is told once, at its place, with these words, where the mark stands."""

    def told(change: tuple[str, str], place: str, message: str) -> None:
        text, mark = with_mistake(change)
        problems = problems_of(text)
        here = [problem for problem in problems if problem.place == place]
        assert len(here) == 1, problems
        assert message in here[0].message
        assert MARK not in change[1] or (here[0].line, here[0].column) == mark

    return told
