"""Public reference tables: config/reference/<name>.csv, read as text. The first column is the key."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from acequia.errors import AcequiaError


@dataclass(frozen=True)
class ReferenceTable:
    """One row per key; values are texts without blanks at either end."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lookup(self, value: str | None = None) -> dict[str, str]:
        """Key -> what stands in the column `value` (by default the second); keys with an empty value are left out."""
        place = 1 if value is None else self._place(value)
        if place >= len(self.columns):
            raise _invalid(self.name, "has only one column")
        return {row[0]: row[place] for row in self.rows if row[place]}

    def _place(self, value: str) -> int:
        if value not in self.columns:
            raise _invalid(self.name, f"has no column {value}; it has {', '.join(self.columns)}")
        return self.columns.index(value)


def read_reference(folder: Path, name: str) -> ReferenceTable:
    """Read a reference table: CSV, UTF-8, comma, a header of distinct names, every key once.

    Raises:
        AcequiaError: `reference_missing`, or `reference_invalid` with the line.
    """
    records = _records(folder, name)
    if not records:
        raise _invalid(name, "is empty")
    columns = tuple(records[0][1])
    if len(set(columns)) < len(columns):
        raise _invalid(name, "names a column twice")
    seen: set[str] = set()
    for line, record in records[1:]:
        if len(record) != len(columns):
            raise _invalid(name, f"line {line} has {len(record)} values; there are {len(columns)} columns")
        if record[0] in seen:
            raise _invalid(name, f"line {line} repeats a key")
        seen.add(record[0])
    return ReferenceTable(name, columns, tuple(tuple(record) for _, record in records[1:]))


def _records(folder: Path, name: str) -> list[tuple[int, list[str]]]:
    """The lines that hold something, each with its number."""
    try:
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            return [(reader.line_num, [value.strip() for value in record]) for record in reader if record]
    except FileNotFoundError:
        raise AcequiaError("reference_missing", f"there is no reference table {name}") from None
    except UnicodeDecodeError:
        raise _invalid(name, "is not written in UTF-8") from None
    except csv.Error:
        raise _invalid(name, "is not CSV with commas") from None


def _invalid(name: str, what: str) -> AcequiaError:
    return AcequiaError("reference_invalid", f"reference table {name} {what}")
