"""What a case is: bytes that are crooked in one way, and what may come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

OK = "accepted"


@dataclass(frozen=True)
class Case:
    """One delivery of one file; `ends` are the codes that may refuse it, `OK` where it may be accepted."""

    name: str
    form: str
    make: Callable[[], bytes]
    ends: frozenset[str]
    file: str = ""

    def __str__(self) -> str:
        return f"{self.form}-{self.name}"


def case(form: str, name: str, make: Callable[[], bytes] | bytes | str, *ends: str, file: str = "") -> Case:
    if isinstance(make, str):
        make = make.encode()
    made = (lambda content=make: content) if isinstance(make, bytes) else make
    return Case(name.replace(" ", "_"), form, made, frozenset(ends), file)
