"""What is wrong with an agreement file: each problem with its line and place, all of them in one error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acequia.errors import AcequiaError

_SHOWN = 100
_CHOICES_SHOWN = 40


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: line and column (from 1), the place such as `feeds.events.columns.msisdn.treat`, what is
    wrong, and what would be right, where that can be listed.
    """

    line: int
    column: int
    place: str
    message: str
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As one line of a report."""
        place = f"{self.place}: " if self.place else ""
        more = ", …" if len(self.choices) > _CHOICES_SHOWN else ""
        known = f" (choices: {', '.join(self.choices[:_CHOICES_SHOWN])}{more})" if self.choices else ""
        return f"line {self.line}:{self.column}  {place}{self.message}{known}"

    def as_row(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


class AgreementInvalid(AcequiaError):  # noqa: N818 - it says what the agreement is
    """`agreement_invalid`, with `problems` by line."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.file, self.problems = file, tuple(sorted(problems))
        lines = [f"  {problem}" for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"  and {len(self.problems) - _SHOWN} more")
        super().__init__("agreement_invalid", "\n".join([f"{file} is not a valid agreement:", *lines]))

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders, so they pickle."""
        return (AgreementInvalid, (self.file, self.problems))


def whole_file(path: Path, message: str) -> AgreementInvalid:
    """The error for a file of which nothing can be read."""
    return AgreementInvalid(path.name, (Problem(1, 1, "", message),))
