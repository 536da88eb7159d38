"""Writes docs/errors.md from the table of codes: `python -m acequia.reference`. A test says when it is stale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from acequia.errors import CODES

MEANING = {
    1: "our fault",
    2: "usage",
    3: "the agreement forbids it",
    4: "the delivery was refused",
    5: "the delivery is missing",
    6: "disclosure control stopped the release",
}


def errors_page() -> str:
    """The page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Codes"
    yield ""
    yield "Every way in which work can stop. `acequia run` ends with the exit code of the group. Made by"
    yield "`python -m acequia.reference`; do not edit."
    for exit_code, meaning in MEANING.items():
        yield ""
        yield f"## Exit code {exit_code}: {meaning}"
        yield ""
        yield "| code | who acts | what to do | tried again by itself |"
        yield "|---|---|---|---|"
        for name, code in CODES.items():
            if code.exit_code == exit_code:
                yield f"| `{name}` | {code.who_acts} | {code.what_to_do} | {'yes' if code.retryable else ''} |"


if __name__ == "__main__":
    Path("docs/errors.md").write_text(errors_page(), encoding="utf-8")
