"""Bad kinds that are in the rows. Each takes a table, its feed and how many rows to break: the first ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acequia.agreement.model import Feed

_NUMBERS = ("integer", "number")


def has_range(feed: Feed) -> bool:
    """Whether a number of this feed has an upper bound."""
    return _bounded(feed) is not None


def has_set(feed: Feed) -> bool:
    """Whether a column of this feed has a list of values."""
    return _closed(feed) is not None


def column_missing(table: Any, feed: Feed, _: int) -> Any:
    """Without the last required column."""
    return table.drop_columns([_required(feed)[-1]])


def column_unlisted(table: Any, feed: Feed, _: int) -> Any:
    """With one more column, full of what should not have been sent."""
    import pyarrow as pa

    return table.append_column("next_of_kin", pa.array(["Mosidi Kelaphang"] * table.num_rows))


def wrong_type(table: Any, feed: Feed, many: int) -> Any:
    """Words in the first column of numbers or times that must be filled."""
    name = next(name for name in _required(feed) if feed.columns[name].type != "string")
    return _replaced(table, name, "not available", many, as_text=True)


def null_required(table: Any, feed: Feed, many: int) -> Any:
    """Nothing in a required column."""
    return _replaced(table, _required(feed)[0], None, many)


def out_of_range(table: Any, feed: Feed, many: int) -> Any:
    """A number far above its range."""
    name = _bounded(feed)
    assert name is not None  # noqa: S101 - the kind is only offered where there is one
    bounds = feed.columns[name].between
    return _replaced(table, name, int(bounds[1]) * 10 if bounds else 0, many)


def not_in_set(table: Any, feed: Feed, many: int) -> Any:
    """A word that the agreement does not list."""
    name = _closed(feed)
    assert name is not None  # noqa: S101 - the kind is only offered where there is one
    return _replaced(table, name, "unheard_of", many)


def outside_period(table: Any, feed: Feed, many: int) -> Any:
    """Rows from forty days before."""
    import pyarrow as pa
    import pyarrow.compute as pc

    name = feed.rows.period_column or ""
    column = table.column(name).combine_chunks()
    if pa.types.is_string(column.type):  # JSON: text with an offset
        moved = pc.replace_substring_regex(column, r"^\d{4}-\d{2}", "2026-01")
    else:
        moved = pc.subtract(column, pa.scalar(40 * 86_400, type=pa.duration("s")))
    moved = moved.cast(column.type)
    return _set(table, name, pc.if_else(_first(table, many), moved, column))


def duplicates(table: Any, feed: Feed, many: int) -> Any:
    """The first rows once more at the end, in place of the last ones: as many rows as before."""
    import pyarrow as pa

    many = min(many, table.num_rows // 2)
    return pa.concat_tables([table.slice(0, table.num_rows - many), table.slice(0, many)])


def corrected(table: Any, feed: Feed, many: int) -> Any:
    """Other numbers within their range in some rows: what a partner sends after it found a mistake.

    Zeros stay: what has no duration or fee has none after a correction either.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    name = _bounded(feed) or ""
    column = table.column(name).combine_chunks()
    changed = np.zeros(table.num_rows, dtype=bool)
    changed[np.flatnonzero(column.to_numpy(zero_copy_only=False) > 0)[:many]] = True
    return _set(table, name, pc.if_else(pa.array(changed), pc.add(column, 1).cast(column.type), column))


CHANGES: dict[str, Callable[[Any, Feed, int], Any]] = {
    change.__name__: change
    for change in (column_missing, column_unlisted, wrong_type, null_required, out_of_range, not_in_set, outside_period,
                   duplicates, corrected)
}  # fmt: skip


def _required(feed: Feed) -> list[str]:
    return [name for name, column in feed.arriving.items() if column.required and not column.may_be_null]


def _bounded(feed: Feed) -> str | None:
    """The last required number with an upper bound: an amount or a duration rather than a year."""
    fitting = [
        name
        for name in _required(feed)
        if feed.columns[name].type in _NUMBERS and feed.columns[name].between not in (None, (None, None))
    ]
    return fitting[-1] if fitting else None


def _closed(feed: Feed) -> str | None:
    return next((name for name in _required(feed) if feed.columns[name].one_of), None)


def _first(table: Any, many: int) -> Any:
    import numpy as np
    import pyarrow as pa

    return pa.array(np.arange(table.num_rows) < many)


def _replaced(table: Any, name: str, value: Any, many: int, *, as_text: bool = False) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.column(name).combine_chunks()
    if as_text:
        column = column.cast(pa.string())
    return _set(table, name, pc.if_else(_first(table, many), pa.scalar(value, type=column.type), column))


def _set(table: Any, name: str, column: Any) -> Any:
    return table.set_column(table.column_names.index(name), name, column)
