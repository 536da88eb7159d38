"""Record keys for the cell-key method: what a cell's noise depends on, and on nothing else.

A contributor's record key is HMAC-SHA256 of its pseudonym with the partner's secret, as a whole number of 61 bits;
where every row is a contributor of its own, that of the row with all its columns. A cell's key is the sum of the
record keys of its *records* modulo the prime 2^61 - 1:

- of a count of contributors, the contributors, each once;
- of a count of rows, the rows, each with its contributor's key: a contributor with three rows counts three times.

The modulus is a prime, so that n times a uniform key is uniform too. Sums are exact and need no order. Rows without a
contributor are those of one more contributor, of whom nothing is known.

The secret stays in this process: SQL names a function, whose Python holds it. What DuckDB spills holds record keys, and
is as restricted as the rows beside them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from acequia.aggregate.levels import Levels, group_by
from acequia.aggregate.measures import MeasureSql
from acequia.aggregate.people import Told
from acequia.agreement.protection import Protection
from acequia.agreement.tables import Table
from acequia.engine.duck import quoted
from acequia.errors import AcequiaError

if TYPE_CHECKING:
    import duckdb

MODULUS = (1 << 61) - 1
_FUNCTION = "record_key"
_PURPOSE = b"acequia record key 1\x00"


def has_keys(table: Table) -> bool:
    """Whether a table's cells need keys."""
    return isinstance(table.protect, Protection) and table.protect.cell_key is not None


def secret_of(given: bytes | None, where: str) -> bytes:
    """The partner's secret, which a table with cell keys cannot do without.

    Raises:
        AcequiaError: `key_missing`.
    """
    if given is None:
        raise AcequiaError("key_missing", "its cells need keys, and the partner's secret was not given", where=where)
    return given


def record_key(secret: bytes, value: str) -> int:
    """The record key of one contributor."""
    digest = hmac.digest(secret, _PURPOSE + value.encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> 3


def register(connection: duckdb.DuckDBPyConnection, secret: bytes) -> None:
    """Let SQL of this connection ask for record keys, without knowing the secret."""
    import pyarrow as pa
    from duckdb.func import ARROW

    def of(values: Any) -> Any:  # DuckDB evaluates the annotations, which cannot name what is imported here
        return pa.array([record_key(secret, value) for value in values.to_pylist()], pa.int64())

    connection.create_function(_FUNCTION, of, ["VARCHAR"], "BIGINT", type=ARROW)


class Keyed:
    """Writes what is asked of the keys of one table's cells."""

    alias = "keyed"

    def __init__(
        self, contributor: str | None, levels: Levels, measures: tuple[MeasureSql, ...], columns: Iterable[str]
    ) -> None:
        self.contributor, self.levels, self.columns = contributor, levels, sorted(columns)
        self.measures = [m for m in measures if m.kind in ("count", "count_distinct")]

    @property
    def picked(self) -> list[str]:
        """The key of each row, where every row is a contributor of its own."""
        if self.contributor is not None:
            return []
        whole = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in self.columns)
        return [f"{_FUNCTION}(CAST(struct_pack({whole}) AS VARCHAR)) AS rk"]

    def statements(self) -> list[str]:
        """What is computed once: the key of each contributor, or the sums of those of rows."""
        if self.contributor is not None:
            key = f"{_FUNCTION}(coalesce(CAST(c AS VARCHAR), '')) AS rk"
            return [f"CREATE TEMP TABLE record_keys AS SELECT c, {key} FROM (SELECT DISTINCT c FROM groups)"]
        sums = ["sum(rk) AS rk", *(f"sum(rk) FILTER (q{m.i}) AS rk{m.i}" for m in self.measures)]
        by = self.levels.keys
        columns = ", ".join([*by, *sums])
        return [f"CREATE TEMP TABLE keyed_rows AS SELECT {columns} FROM picked {group_by(by)} HAVING count(*) > 0"]

    def select(self, depths: tuple[int, ...]) -> str:
        """Per cell at these levels: its key, and that of each measure with the rows of its largest contributor."""
        if self.contributor is None:
            sums = [f"{_modulo('sum(rk)')} AS cell_key"]
            for m in self.measures:
                sums += [f"{_modulo(f'sum(rk{m.i})')} AS key{m.i}", f"CAST(1 AS BIGINT) AS most{m.i}"]
            return self.levels.at(depths, "keyed_rows", sums)
        keys, source = self.levels.keys, self.levels.moved(depths, "groups")
        weights = [f"sum(v{m.i}) AS w{m.i}" for m in self.measures]
        by = [*keys, "c"]
        of_each = (
            f"SELECT {', '.join([*source.keys, 'c', *weights])} FROM {source.tables}"
            f" WHERE {source.where} {group_by(by)}"
        )
        sums = [f"{_modulo('sum(rk) FILTER (of_each.c IS NOT NULL)')} AS cell_key"]
        for m in self.measures:
            if m.kind == "count":
                sums += [f"{_modulo(f'sum(rk * w{m.i})')} AS key{m.i}", f"CAST(max(w{m.i}) AS BIGINT) AS most{m.i}"]
            else:
                some = f"sum(rk) FILTER (w{m.i} > 0 AND of_each.c IS NOT NULL)"
                sums += [f"{_modulo(some)} AS key{m.i}", f"CAST(1 AS BIGINT) AS most{m.i}"]
        joined = f"({of_each}) AS of_each JOIN record_keys ON of_each.c IS NOT DISTINCT FROM record_keys.c"
        return f"SELECT {', '.join([*keys, *sums])} FROM {joined} {group_by(keys)}"

    def told(self) -> dict[str, Told]:
        """The columns of a cell, by their names in SQL."""
        told = {"cell_key": Told("cell:key", f"{self.alias}.cell_key", "0")}
        for m in self.measures:
            told[f"key{m.i}"] = Told(f"key:{m.name}", f"{self.alias}.key{m.i}", "0")
            told[f"most{m.i}"] = Told(f"most:{m.name}", f"{self.alias}.most{m.i}", "0")
        return told


def _modulo(total: str) -> str:
    return f"CAST(coalesce({total}, 0) % {MODULUS} AS BIGINT)"
