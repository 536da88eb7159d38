"""The pages of the documentation as their fenced blocks, and where each stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
# Pages with commands of their own; each is run from its beginning in an installation of its own.
RUN = [page for page in PAGES if re.search(r"^```(console|pycon)$", page.read_text(encoding="utf-8"), re.MULTILINE)]

_FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
_MARK = re.compile(r"^<!-- (not run|setup|fragment of|file): (.+?) -->$")


@dataclass(frozen=True)
class Block:
    """One fenced block. `marks` are the comments right above it: `<!-- not run: why -->`, `<!-- setup: command -->`."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(PROJECT)}:{self.line}"


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    marks: dict[str, str] = {}
    inside: tuple[int, str, str, list[str]] | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside = (number, fence[1], fence[2], [])
        elif inside is not None and fence and not fence[2]:
            start, _, language, lines = inside
            found.append(Block(page, start, language, "\n".join(lines), marks))
            inside, marks = None, {}
        elif inside is not None:
            inside[3].append(line.removeprefix(inside[1]))
        elif mark := _MARK.match(line):
            marks[mark[1]] = mark[2]
        elif line.strip():
            marks = {}
    assert inside is None, f"{page}: a block is not closed"
    return found


def prose(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^(\s*)```.*?^\s*```\s*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
