"""Great Expectations, bound to one DuckDB connection: expectations in, verdicts out. Nothing else here decides.

Results hold counts only. Great Expectations is asked for no failing value, and what it volunteers (the values of
aggregates, the text of errors) is left behind: a verdict keeps listed keys of a result and drops the rest.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.validate.suite import Expected

if TYPE_CHECKING:
    import duckdb

_COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent",
           "unexpected_percent_total", "unexpected_percent_nonmissing")  # fmt: skip
# Expectations whose observed value is a count, a share or a type's name, never a value of the data.
_SAFE_OBSERVED = frozenset({
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
})  # fmt: skip
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations said of one expectation; `result` holds counts only."""

    expected: Expected
    passed: bool
    result: Mapping[str, Any]

    @property
    def rows_failing(self) -> int | None:
        """The rows that break it; None where it is not about single rows."""
        if self.expected.counted is not None:
            return self.expected.counted if self.expected.counts_failing else None
        found = self.result.get("unexpected_count")
        return None if found is None else int(found)


def judge(connection: duckdb.DuckDBPyConnection, table: str, expected: Sequence[Expected]) -> tuple[Verdict, ...]:
    """Judge a table or view, in the order given.

    Raises:
        AcequiaError: `agreement_invalid` if a check cannot be judged at all (arguments that Great Expectations does not
            take, a pattern over a number). A check never passes or fails because it could not run.
    """
    if not expected:
        return ()
    _require_arguments(expected)
    validator = _validator(connection, table)
    outcomes = _outcomes(validator, expected)
    if None in outcomes:
        # One metric that cannot be computed fails every check that shares its query: ask one by one whose it is.
        alone = [_outcomes(validator, [single])[0] for single in expected]
        broken = [single for single, outcome in zip(expected, alone, strict=True) if outcome is None]
        if broken:
            said = "; ".join(f"{one.place or table}: {one.name} cannot be judged on this data" for one in broken)
            raise AcequiaError("agreement_invalid", said, do="Correct the check: its arguments, or the column's type.")
        outcomes = alone
    return tuple(verdict for verdict in outcomes if verdict is not None)


def _outcomes(validator: Any, expected: Sequence[Expected]) -> list[Verdict | None]:
    configurations = [
        _library().ExpectationConfiguration(type=one.name, kwargs=dict(one.arguments), meta={"place": place})
        for place, one in enumerate(expected)
    ]
    outcomes: list[Verdict | None] = [None] * len(expected)
    results = validator.graph_validate(
        configurations=configurations,
        runtime_configuration={"result_format": dict(_COUNTS_ONLY), "catch_exceptions": True},
    )
    for result in results:
        place = result.expectation_config.meta["place"]
        if not _raised(result.exception_info):
            outcomes[place] = _verdict(expected[place], result)
    return outcomes


def _verdict(expected: Expected, result: Any) -> Verdict:
    shown = {key: result.result[key] for key in _COUNTS if result.result.get(key) is not None}
    if expected.counted is not None:
        shown["observed_value"] = expected.counted
    elif expected.name in _SAFE_OBSERVED:
        shown["observed_value"] = result.result.get("observed_value")
    return Verdict(expected, bool(result.success), shown)


def _raised(information: Mapping[str, Any] | None) -> bool:
    """Exceptions are told in one of two shapes: one for the expectation, or one for each metric."""
    said = information or {}
    parts = [said, *(part for part in said.values() if isinstance(part, Mapping))]
    return any(part.get("raised_exception") for part in parts)


def _require_arguments(expected: Sequence[Expected]) -> None:
    problems, library = [], _library()
    for one in expected:
        try:
            library.get_expectation_impl(one.name)(**one.arguments)
        except Exception as error:  # noqa: BLE001 - pydantic's own or a plain error, by expectation
            errors = getattr(error, "errors", list)
            listed: list[Any] = errors() if callable(errors) else []
            said = ", ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in listed)
            problems.append(f"{one.place or one.name}: {one.name}: {said or 'arguments that it does not take'}")
    if problems:
        raise AcequiaError("agreement_invalid", "; ".join(problems), do="Correct the check's arguments.")


def _validator(connection: duckdb.DuckDBPyConnection, table: str) -> Any:
    from acequia.validate.dialect import engine_over

    library = _library()
    engine = library.SqlAlchemyExecutionEngine(engine=engine_over(connection), create_temp_table=False)
    data = library.SqlAlchemyBatchData(execution_engine=engine, table_name=table, create_temp_table=False)
    validator = library.Validator(execution_engine=engine, batches=[library.Batch(data=data)])
    validator.metrics_calculator.show_progress_bars = False
    return validator


@dataclass(frozen=True)
class _Library:
    """The parts of Great Expectations that are used."""

    Batch: Any
    ExpectationConfiguration: Any
    SqlAlchemyBatchData: Any
    SqlAlchemyExecutionEngine: Any
    Validator: Any
    get_expectation_impl: Any


@cache
def _library() -> _Library:
    """Import Great Expectations, once and late: it takes seconds.

    Its statistics are switched off for versions that send them, and its log, which may quote the data, is silenced.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    shown = warnings.showwarning
    with _not_before_use("altair", "scipy.stats"):
        from great_expectations.core.batch import Batch
        from great_expectations.execution_engine import SqlAlchemyExecutionEngine
        from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
        from great_expectations.expectations.registry import get_expectation_impl
        from great_expectations.validator.validator import Validator
    if warnings.showwarning is not shown:
        logging.captureWarnings(False)  # Great Expectations turns it on for the whole process
    return _Library(Batch, ExpectationConfiguration, SqlAlchemyBatchData, SqlAlchemyExecutionEngine, Validator,
                    get_expectation_impl)  # fmt: skip


def preload() -> None:
    """Import Great Expectations now, for processes that fork others: they find it loaded."""
    _library()


class _Later(ModuleType):
    """Stands for a module until something in it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or sys.modules.get(self.__name__) is self:
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _with_parents(name: str) -> Iterator[str]:
    """What must have a stand-in for a module to have one: itself, and what it is a part of if that is not installed."""
    parent = name.rpartition(".")[0]
    if parent and parent not in sys.modules and _spec(parent) is None:
        yield parent
    if name not in sys.modules:
        yield name


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:  # what it is a part of is not installed
        return None


@contextmanager
def _not_before_use(*names: str) -> Iterator[None]:
    """Imports inside the block get a stand-in for these modules, which are 40 % of the import and serve expectations
    that are not used here: they need not even be installed. Nobody else sees the stand-ins: they are gone when the
    block ends.
    """
    placed = []
    for name in (part for wanted in names for part in _with_parents(wanted)):
        spec = _spec(name)
        sys.modules[name] = module = _Later(name)
        module.__spec__, module.__path__ = spec, list(spec.submodule_search_locations or () if spec else ())
        placed.append((name, module))
        parent, _, child = name.rpartition(".")
        if isinstance(sys.modules.get(parent), _Later):
            setattr(sys.modules[parent], child, module)
    try:
        yield
    finally:
        for name, module in placed:
            if sys.modules.get(name) is module:
                del sys.modules[name]
