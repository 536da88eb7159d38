"""What is said of a delivery: every check of the agreement and every one written by hand, judged in one place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.agreement.model import Feed
from acequia.engine.duck import connect, literal, quoted
from acequia.errors import AcequiaError
from acequia.flow import Check, Protected, Validated
from acequia.scratch import scratch_folder
from acequia.validate.arbiter import Verdict, judge
from acequia.validate.data_docs import write_docs
from acequia.validate.suite import Expected, Measure, compiled, measures
from acequia.validate.written import Query, read_written

if TYPE_CHECKING:
    import duckdb


def validate(protected: Protected, feed: Feed, *, expectations: Path, docs: Path, memory_limit: str) -> Validated:
    """Let Great Expectations judge one delivery. The same delivery gives the same `Validated`.

    Judged are what the gate counted (rows that arrived, rows set aside, rows that break each rule), the protected rows
    by the suite that is compiled from the agreement, and the checks in `expectations`.

    Args:
        protected: the delivery, one row per event.
        feed: what was agreed.
        expectations: the feed's folder of hand-written checks; it need not exist.
        docs: the root of the Data Docs; `Validated.docs` is the page's path below it.
        memory_limit: of DuckDB, such as `4GB`; what does not fit spills beside the protected rows.

    Raises:
        AcequiaError: `agreement_invalid` if a hand-written check cannot be read or judged.
    """
    written = read_written(expectations, feed.kept)
    path = Path(protected.path).absolute()
    with scratch_folder(path.parent / ".judging") as scratch:
        connection = connect(memory_limit, scratch)
        try:
            _open_rows(connection, path)
            counted = (*measures(protected, feed), *(_count(connection, query) for query in written.queries))
            verdicts = (
                *judge(connection, "measures", _open_measures(connection, counted)),
                *judge(connection, "rows", (*compiled(feed), *written.expected)),
            )
        finally:
            connection.close()
    validated = Validated(
        delivery=protected.delivery,
        passed=all(verdict.passed for verdict in verdicts),
        checks=tuple(_check(verdict) for verdict in verdicts),
        count=protected.count,
    )
    return validated.model_copy(update={"docs": write_docs(validated, verdicts, docs)})


def why_failed(validated: Validated) -> AcequiaError:
    """The refusal of a delivery that did not pass: which checks failed, and in how many rows."""
    failed = [check for check in validated.checks if not check.passed and check.severity == "stop"]
    said = "; ".join(
        f"{check.column or 'rows'}: {check.name}" + (f" ({check.rows_failing} rows)" if check.rows_failing else "")
        for check in failed[:20]
    )
    gate = all(check.name.startswith("gate:") for check in failed)
    bounds = any(check.name == "rows_between" for check in failed)
    if all(check.name.startswith("history:") for check in failed):
        told = "; ".join(f"{check.column}: {check.describe}" if check.column else check.describe for check in failed)
        return AcequiaError("unlike_history", told)
    code = "rows_outside_range" if bounds else "rows_invalid" if gate else "checks_failed"
    return AcequiaError(code, f"{len(failed)} of {len(validated.checks)} checks failed: {said}")


def in_words(validated: Validated) -> dict[str, object]:
    """What a partner is told of a delivery that did not pass: its rows, counted, and each check that failed in words.

    `checks`: by `check` and `column` (None: of all rows) the `rows_failing` (None: not about single rows) and what it
    `says`. Counts and agreed bounds alone, no value.
    """
    told = [
        {"check": check.name, "column": check.column, "rows_failing": check.rows_failing, "says": _says(check)}
        for check in _failed(validated)
    ]
    return {"rows": validated.count.model_dump(mode="json"), "checks": told}


def failed_in_words(validated: Validated) -> tuple[str, ...]:
    """The same of the checks alone."""
    return tuple(map(_says, _failed(validated)))


def _failed(validated: Validated) -> list[Check]:
    return [check for check in validated.checks if not check.passed and check.severity == "stop"]


def _says(check: Check) -> str:
    many = check.rows_failing and not check.name.startswith("gate:")
    return f"{check.column or 'all rows'}: {check.describe}" + (f"; {check.rows_failing} are not" if many else "")


def _open_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The view `rows`; from here on, this connection reads no other file and writes none but what it spills."""
    file = literal(str(path))
    parquet = f"read_parquet({file}, hive_partitioning = false)"
    connection.execute(f"CREATE VIEW rows AS SELECT * FROM {parquet}")  # noqa: S608 - quoted by `literal`
    connection.execute(f"SET allowed_paths = [{file}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _open_measures(connection: duckdb.DuckDBPyConnection, counted: Sequence[Measure]) -> tuple[Expected, ...]:
    """The table `measures`: one row, one column of whole numbers for each measure."""
    labels: list[str] = []
    for measure in counted:
        label = measure.check if measure.column is None else f"{measure.check} {measure.column}"
        labels.append(label if label not in labels else f"{label} {len(labels)}")
    columns = ", ".join(
        f"CAST({measure.count} AS BIGINT) AS {quoted(label)}" for label, measure in zip(labels, counted, strict=True)
    )
    connection.execute(f"CREATE TABLE measures AS SELECT {columns}")  # noqa: S608 - numbers, and quoted names
    return tuple(measure.expected(label) for label, measure in zip(labels, counted, strict=True))


def _count(connection: duckdb.DuckDBPyConnection, query: Query) -> Measure:
    """Run a hand-written query: one select, one row, one whole number of rows that are wrong."""
    import duckdb

    def refuse(what: str) -> AcequiaError:
        return AcequiaError("agreement_invalid", f"{query.place}: {what}", do="Correct the query.")

    try:
        statements = connection.extract_statements(query.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise refuse("must be one select")
        found = connection.execute(statements[0]).fetchmany(2)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        # These speak of the query's own words; others may quote a value of the data.
        raise refuse(str(error).splitlines()[0]) from None
    except duckdb.Error as error:
        raise refuse(f"fails on this data ({type(error).__name__})") from None
    number = found[0][0] if len(found) == 1 and len(found[0]) == 1 else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise refuse("must return one row with one whole number, how many rows are wrong")
    return Measure(query.check, None, number, query.describe or f"no row that {query.name} counts")


def _check(verdict: Verdict) -> Check:
    expected = verdict.expected
    return Check(
        name=expected.known_as,
        column=expected.column,
        passed=verdict.passed,
        rows_failing=verdict.rows_failing,
        describe=expected.describe,
    )
