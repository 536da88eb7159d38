"""How well protected rows still tell one person from another: k-anonymity, uniqueness, l-diversity, trails.

Rows that are alike in every quasi-identifier form an equivalence class. Since one person has many rows, a class is
measured by its people (distinct contributors), not by its rows only: a class of a thousand rows of one person hides
nobody.

Sources: P. Samarati, Protecting respondents' identities in microdata release, IEEE TKDE 13(6), 2001; L. Sweeney,
k-anonymity: a model for protecting privacy, IJUFKS 10(5), 2002; A. Hundepool et al., Handbook on Statistical Disclosure
Control, ESSNet SDC, 2010, chapter 3 (uniques, risk by small classes); A. Machanavajjhala et al., l-diversity, ACM TKDD
1(1), 2007; Y.-A. de Montjoye et al., Unique in the Crowd, Scientific Reports 3:1376, 2013 (trails).

Everything is counted in DuckDB, which spills to scratch. People and classes are told apart by 64-bit hashes: that two
of ten million coincide has a probability of 3 in a million, and would change a count by one.
"""

# ruff: noqa: S608  (statements are built from the agreement's column names, quoted, and from numbers)

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.agreement.model import Feed
from acequia.agreement.protection import Protection
from acequia.engine.duck import literal, quoted
from acequia.flow import Below, Diversity, Risk, Trail

if TYPE_CHECKING:
    import duckdb

ROWS = "rows"
THRESHOLDS = (2, 3, 5, 10)
POINTS = (2, 4)
TRAILS_AT_MOST = 10_000
PAIRS_AT_MOST = 1_000_000
_NUMBERS = ("integer", "number")
_MEASURES = ("keep", "round_to", "top_code", "seconds_since")
_NEVER = ("pseudonym", "scrub_text")


def quasi_identifiers(feed: Feed, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns by which a row could be told from others, as agreed, or by default.

    By default: every protected column that is no pseudonym, no scrubbed text, no number that is kept, rounded or
    top-coded, and not declared sensitive.
    """
    if feed.privacy.quasi_identifiers is not None:
        return tuple(name for name in feed.privacy.quasi_identifiers if name in columns)
    chosen = []
    for name, key in feed.kept.items():
        treatment = feed.columns[key].treatment
        measured = treatment in _MEASURES and columns.get(name) in _NUMBERS
        if name in columns and treatment not in _NEVER and not measured and name not in feed.privacy.sensitive:
            chosen.append(name)
    return tuple(chosen)


def person_of(feed: Feed, columns: Mapping[str, str]) -> str:
    """The column that tells people apart: the contributor that most tables name, the first of equals; else `rows`."""
    told = Counter(
        table.protect.contributor
        for table in feed.tables.values()
        if isinstance(table.protect, Protection) and table.protect.contributor in columns
    )
    return max(told, key=lambda name: told[name]) if told else ROWS


def measure(connection: duckdb.DuckDBPyConnection, path: Path, feed: Feed, columns: Mapping[str, str]) -> Risk:
    """Measure the protected rows in a Parquet file.

    Args:
        connection: DuckDB with its memory bounded (`engine.duck.connect`). Its temporary tables `risk_…` are used.
        path: one row per protected row.
        feed: the feed as agreed.
        columns: the file's columns with their types in the words of the agreement.
    """
    person, identifiers = person_of(feed, columns), quasi_identifiers(feed, columns)
    rows = _relation(path, person)
    _execute(connection, "CREATE OR REPLACE TEMP TABLE risk_pairs AS SELECT p, c, count(*) AS n FROM "
             f"(SELECT p, {_class(identifiers)} AS c FROM {rows}) GROUP BY p, c")  # fmt: skip
    _execute(connection, "CREATE OR REPLACE TEMP TABLE risk_classes AS "
             "SELECT c, count(*) AS people, sum(n)::BIGINT AS rows FROM risk_pairs GROUP BY c")  # fmt: skip
    _execute(connection, "CREATE OR REPLACE TEMP TABLE risk_people AS "
             "SELECT p, count(*) AS points FROM risk_pairs GROUP BY p")  # fmt: skip
    classes, k, k_rows, known = _one(
        connection, "SELECT count(*), min(people), min(rows), sum(rows)::BIGINT FROM risk_classes"
    )
    (total,) = _one(connection, f"SELECT count(*) FROM {_parquet(path)}")
    (people,) = _one(connection, "SELECT count(*) FROM risk_people")
    found = Risk(
        person=person,
        quasi_identifiers=identifiers,
        rows=known or 0,
        rows_of_nobody=total - (known or 0),
        people=people,
        classes=classes,
        k=k or 0,
        k_rows=k_rows or 0,
        below=_below(connection),
        unique_by=_alone(connection, rows, identifiers),
        trails=tuple(_trail(connection, points) for points in POINTS) if person != ROWS and identifiers else (),
        diversity=tuple(_diversity(connection, rows, identifiers, name) for name in feed.privacy.sensitive),
    )
    for table in ("risk_pairs", "risk_classes", "risk_people"):
        _execute(connection, f"DROP TABLE {table}")
    return found


def _below(connection: duckdb.DuckDBPyConnection) -> dict[int, Below]:
    """People and rows in classes of fewer people than each threshold. A person counts once, by the smallest class."""
    most = max(THRESHOLDS)
    people = ", ".join(f"count(*) FILTER (smallest < {n})" for n in THRESHOLDS)
    rows = ", ".join(f"coalesce(sum(rows) FILTER (people < {n}), 0)::BIGINT" for n in THRESHOLDS)
    of_people = _one(
        connection,
        f"SELECT {people} FROM (SELECT p, min(people) AS smallest FROM risk_pairs JOIN "
        f"(SELECT c, people FROM risk_classes WHERE people < {most}) USING (c) GROUP BY p)",
    )
    of_rows = _one(connection, f"SELECT {rows} FROM risk_classes")
    return {n: Below(people=of_people[at], rows=of_rows[at]) for at, n in enumerate(THRESHOLDS)}


def _alone(connection: duckdb.DuckDBPyConnection, rows: str, identifiers: tuple[str, ...]) -> dict[str, int]:
    """How many people have a value of a column that nobody else has: sample uniques (Handbook on SDC, 3.3)."""
    if not identifiers:
        return {}
    names = ", ".join(map(quoted, identifiers))
    # The columns are read once for all: what is left are as many rows as there are combinations.
    combinations = f"SELECT {names}, min(p) AS low, max(p) AS high FROM {rows} GROUP BY {names}"
    _execute(connection, f"CREATE OR REPLACE TEMP TABLE risk_values AS {combinations}")
    found = {}
    for name in identifiers:
        lone = f"SELECT min(low) AS p FROM risk_values GROUP BY {quoted(name)} HAVING min(low) = max(high)"
        found[name] = int(_one(connection, f"SELECT count(DISTINCT p) FROM ({lone})")[0])
    _execute(connection, "DROP TABLE risk_values")
    return found


def _trail(connection: duckdb.DuckDBPyConnection, points: int) -> Trail:
    """How many people are the only ones with all of so many points of their own trail (de Montjoye et al. 2013).

    A point is a combination of quasi-identifiers that a person has. Points are drawn by hash, the same each time.
    Looked at are the first people by hash that have so many points, at most `TRAILS_AT_MOST`, and no more than can be
    compared within `PAIRS_AT_MOST` pairs of people: the rarest point of each says who else comes into question.
    """
    _execute(
        connection,
        "CREATE OR REPLACE TEMP TABLE risk_points AS WITH chosen AS (SELECT p FROM risk_people "
        f"WHERE points >= {points} ORDER BY p LIMIT {TRAILS_AT_MOST}), drawn AS (SELECT p, c FROM risk_pairs "
        f"SEMI JOIN chosen USING (p) QUALIFY row_number() OVER (PARTITION BY p ORDER BY hash(p, c), c) <= {points}), "
        "sized AS (SELECT p, c, people, row_number() OVER (PARTITION BY p ORDER BY people, c) AS nth FROM drawn "
        "JOIN risk_classes USING (c)), costs AS (SELECT p, sum(people) OVER (ORDER BY p ROWS UNBOUNDED PRECEDING) "
        "AS cost FROM sized WHERE nth = 1) SELECT p, c, nth FROM sized SEMI JOIN "
        f"(SELECT p FROM costs WHERE cost <= {PAIRS_AT_MOST}) USING (p)",
    )
    others = "SELECT mine.p AS me, pairs.p AS other FROM risk_points AS mine JOIN risk_pairs AS pairs USING (c) "
    _execute(connection, "CREATE OR REPLACE TEMP TABLE risk_others AS "
             f"{others} WHERE mine.nth = 1 AND mine.p <> pairs.p")  # fmt: skip
    for nth in range(2, points + 1):
        _execute(
            connection,
            "CREATE OR REPLACE TEMP TABLE risk_others AS SELECT me, other FROM risk_others JOIN risk_points AS mine "
            f"ON mine.p = me AND mine.nth = {nth} SEMI JOIN risk_pairs AS pair ON pair.p = other AND pair.c = mine.c",
        )
    looked_at, alike = _one(
        connection,
        "SELECT (SELECT count(DISTINCT p) FROM risk_points), (SELECT count(DISTINCT me) FROM risk_others)",
    )
    _execute(connection, "DROP TABLE risk_points")
    _execute(connection, "DROP TABLE risk_others")
    return Trail(points=points, people=looked_at, unique=looked_at - alike)


def _diversity(
    connection: duckdb.DuckDBPyConnection, rows: str, identifiers: tuple[str, ...], sensitive: str
) -> Diversity:
    """l-diversity of a sensitive column (Machanavajjhala et al. 2007).

    Distinct l is the least number of different values in any class (null is a value); entropy l is the least
    exp(- sum of p ln p), where p is the share of the (person, value) pairs of the class that have the value: a person
    of two values counts with both. `people_alike` are those in a class of one value, who are known by it.
    """
    by_class = (
        f"SELECT c, v, count(DISTINCT p) AS f FROM (SELECT p, {_class(identifiers)} AS c, hash({quoted(sensitive)}) "
        f"AS v FROM {rows}) GROUP BY c, v"
    )
    # Decimals, since a sum of floats would depend on the number of threads.
    each = (
        "SELECT c, count(*) AS different, ln(sum(f)) - sum((f * ln(f))::DECIMAL(38, 9))::DOUBLE / sum(f) AS entropy "
        f"FROM ({by_class}) GROUP BY c"
    )
    distinct, entropy, alike = _one(
        connection,
        f"WITH each AS MATERIALIZED ({each}) SELECT min(different), min(exp(entropy)), (SELECT count(DISTINCT p) "
        "FROM risk_pairs SEMI JOIN (SELECT c FROM each WHERE different = 1) USING (c)) FROM each",
    )
    return Diversity(column=sensitive, distinct_l=distinct or 0, entropy_l=round(entropy or 0.0, 4), people_alike=alike)


def _relation(path: Path, person: str) -> str:
    """The rows that are somebody's, with `p` for the person."""
    if person == ROWS:
        return f"(SELECT *, file_row_number AS p FROM {_parquet(path)})"
    return f"(SELECT *, hash({quoted(person)}) AS p FROM {_parquet(path)} WHERE {quoted(person)} IS NOT NULL)"


def _parquet(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, file_row_number=true, hive_partitioning=false)"


def _class(identifiers: tuple[str, ...]) -> str:
    return f"hash({', '.join(map(quoted, identifiers))})" if identifiers else "0::UBIGINT"


def _execute(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    connection.execute(statement)


def _one(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    return tuple(row or ())
