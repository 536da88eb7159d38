"""Reference tables: config/reference/<name>.csv, with a header; the first column is the key of lookups."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from acequia.errors import AcequiaError


@dataclass(frozen=True)
class ReferenceTable:
    """A small public table of texts: one row per key."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str | None) -> tuple[str, ...]:
        """A column by name; the second one for None.

        Raises:
            AcequiaError: `reference_missing` with the columns that there are.
        """
        wanted = self.columns[1] if name is None else name
        if wanted not in self.columns:
            raise AcequiaError(
                "reference_missing",
                f"reference table {self.name} has no column {wanted}, but {', '.join(self.columns)}",
            )
        place = self.columns.index(wanted)
        return tuple(row[place] for row in self.rows)


def read_reference(folder: Path, name: str) -> ReferenceTable:
    """Read `<folder>/<name>.csv` (UTF-8, with or without its mark; any line ends).

    Raises:
        AcequiaError: `reference_missing` where there is no such table, or it has not one header and whole rows.
    """
    try:
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = [tuple(cell.strip() for cell in line) for line in csv.reader(file) if line]
    except FileNotFoundError:
        raise AcequiaError("reference_missing", f"there is no reference table {name}.csv") from None
    except (UnicodeDecodeError, csv.Error):
        raise AcequiaError("reference_missing", f"reference table {name}.csv cannot be read as CSV in UTF-8") from None
    if not lines or len(lines[0]) < 2 or any(len(line) != len(lines[0]) for line in lines):
        raise AcequiaError("reference_missing", f"reference table {name}.csv needs a header and rows as long as it")
    return ReferenceTable(name, lines[0], tuple(lines[1:]))
