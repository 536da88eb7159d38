"""Every command that the documentation shows is run, and prints what is shown.

A block marked `<!-- not run: why -->` is not; `sh` blocks are commands of other tools, or of another machine. One page
is one session, from its first block to its last.
"""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.docs.pages import RUN, Block, blocks, name_of
from tests.docs.session import Session, agrees, steps
from tests.real.conftest import SHARED

NEEDS = {"docs/real-data.md": SHARED}


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    needed = NEEDS.get(name_of(page))
    if needed is not None and not needed.is_dir():
        pytest.skip("the real data sets are absent (docs/real-data.md says where they come from)")
    session, differences = Session(tmp_path), []
    for block in blocks(page):
        if setup := block.marks.get("setup"):
            session.run(setup.replace("SHARED", str(SHARED)))
            assert session.code == 0, f"{block.where}: the setup failed"
        if "file" in block.marks:
            target = tmp_path / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text + "\n", encoding="utf-8")
        elif "not run" not in block.marks:
            differences += RUNNERS.get(block.language, _not_run)(block, session)
    assert not differences, "\n\n".join(differences)


def _not_run(_: Block, __: Session) -> list[str]:
    return []


def _console(block: Block, session: Session) -> list[str]:
    found = []
    for command, shown in steps(block.text):
        printed = session.run(command)
        if not agrees(shown, printed):
            found.append(f"{block.where}: $ {command}\nshown:\n{shown}\nprinted (exit code {session.code}):\n{printed}")
    return found


def _pycon(block: Block, session: Session) -> list[str]:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    example = doctest.DocTestParser().get_doctest(block.text, session.names, block.where, str(block.page), block.line)
    said: list[str] = []
    with session.inside():
        runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
        runner.run(example, out=said.append, clear_globs=False)
    session.names = example.globs
    return ["".join(said)] if said else []


RUNNERS = {"console": _console, "pycon": _pycon}


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a", "b\n", False),
        ("a … c", "a b c", True),
        ("a … c", "a b d", False),
        ("…\nc", "a\nb\nc", True),
        ("a\n…", "a", True),
        ("a", "a\nb", False),
        ("a   b\n-----  ------", "a  b\n---  ----", True),
    ],
)
def test_dots_stand_for_what_is_left_out(shown: str, printed: str, same: bool) -> None:
    assert agrees(shown, printed) is same
