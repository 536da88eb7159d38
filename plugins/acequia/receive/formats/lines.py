"""JSON lines: one flat object per line; a key that is absent is null."""

# ruff: noqa: S608  (statements are built from positions, and from texts through `literal`)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from acequia.agreement.columns import Column
from acequia.engine.duck import literal
from acequia.errors import AcequiaError
from acequia.receive.formats.header import refuse_missing
from acequia.receive.formats.opened import ROW, Arriving, Opened, Trouble, unreadable
from acequia.receive.formats.text import PlainText

if TYPE_CHECKING:
    import duckdb

_LOOK_AHEAD, _KEYS = 1000, 10_000
_OBJECT = "json_type(json) = 'OBJECT'"


def open_lines(connection: duckdb.DuckDBPyConnection, text: PlainText, agreed: Mapping[str, Column]) -> Opened:
    """Open a JSON lines file. Values become text: numbers and booleans as written in JSON, strings without quotes.

    Raises:
        AcequiaError: `file_empty`, `column_missing` where a required column stands in no object.
    """
    objects = _objects(text)
    _refuse_absent(connection, objects, agreed)
    pointers = "[" + ", ".join(literal(_pointer(name)) for name in agreed) + "]"
    values = ", ".join(f"texts[{n + 1}] AS a{n}" for n in range(len(agreed)))
    relation = (
        f"(SELECT {values}, {_OBJECT} AS is_object, "
        "list_contains(types, 'OBJECT') OR list_contains(types, 'ARRAY') AS is_nested, "
        f"CASE WHEN {_OBJECT} THEN len(json_keys(json)) ELSE 0 END > list_aggregate(types, 'count') AS has_more "
        f"FROM (SELECT json, json_extract_string(json, {pointers}) AS texts, json_type(json, {pointers}) AS types "
        f"FROM {objects}))"
    )
    return Opened(
        relation=relation,
        numbered=f"(SELECT *, row_number() OVER () AS {ROW} FROM {relation})",
        columns={name: Arriving(f"a{n}", "text") for n, name in enumerate(agreed)},
        explain=unreadable("the file cannot be read to its end as JSON lines"),
        troubles=(
            Trouble("is_object IS NOT TRUE", _says("row {row} is not one JSON object on a line of its own")),
            Trouble("has_more", _more_keys(objects, agreed)),
            Trouble("is_nested", _says("row {row} holds a list or an object where one value is agreed")),
        ),
    )


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _says(what: str) -> Callable[[duckdb.DuckDBPyConnection, int], AcequiaError]:
    return lambda _, row: AcequiaError("file_unreadable", what.format(row=row))


def keys_of(connection: duckdb.DuckDBPyConnection, text: PlainText) -> list[str]:
    """The distinct keys of the first objects, in order; so many at most that nobody could agree on more."""
    first = f"(FROM {_objects(text)} LIMIT {_LOOK_AHEAD})"
    query = f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {first} WHERE {_OBJECT} ORDER BY key LIMIT {_KEYS}"
    return [str(row[0]) for row in connection.execute(query).fetchall()]


def _objects(text: PlainText) -> str:
    # A line that is no JSON is a row of null here, and a trouble later: the reader's own error would quote it.
    return f"read_ndjson_objects({literal(str(text.path))}, ignore_errors=true, compression='none')"


def _refuse_absent(connection: duckdb.DuckDBPyConnection, objects: str, agreed: Mapping[str, Column]) -> None:
    """Refuse a file without objects, or with a required key in none of them. Most often the first objects hold all."""
    import duckdb

    try:
        if not connection.execute(f"SELECT 1 FROM {objects} LIMIT 1").fetchall():
            raise AcequiaError("file_empty", "the file holds no object")
        required = [name for name, column in agreed.items() if column.required]
        rare = _absent(connection, f"(FROM {objects} LIMIT {_LOOK_AHEAD})", required, unsaid=True)
        # Null where there is no object at all: that is another trouble, which has a row.
        refuse_missing(_absent(connection, objects, rare, unsaid=False))
    except duckdb.Error:
        raise AcequiaError("file_unreadable", "the file cannot be read to its end as JSON lines") from None


def _absent(
    connection: duckdb.DuckDBPyConnection, objects: str, names: Sequence[str], *, unsaid: bool
) -> Sequence[str]:
    """The names that are a key of no object; `unsaid` is what is taken for so where there is no object."""
    if not names:
        return ()
    held = ", ".join(f"bool_or(json_exists(json, {literal(_pointer(name))}))" for name in names)
    (found,) = connection.execute(f"SELECT {held} FROM {objects} WHERE {_OBJECT}").fetchall()
    return [name for name, there in zip(names, found, strict=True) if there is False or (there is None and unsaid)]


def _more_keys(objects: str, agreed: Mapping[str, Column]) -> Callable[[duckdb.DuckDBPyConnection, int], AcequiaError]:
    """There may be millions of keys that nobody agreed on, so the engine counts them."""

    def error(connection: duckdb.DuckDBPyConnection, row: int) -> AcequiaError:
        names = ", ".join(literal(name) for name in agreed)
        keys = f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {objects} WHERE {_OBJECT}"
        (found,) = connection.execute(f"SELECT count(*) FROM ({keys}) WHERE key NOT IN ({names})").fetchall()
        if found[0]:
            what = f"{found[0]} column(s) arrived that the agreement does not list"
            return AcequiaError("column_unlisted", what)
        return AcequiaError("column_repeated", f"the object in row {row} holds a key twice")

    return error
