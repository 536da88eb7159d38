"""Which column comes from which: arriving -> treated -> measured, as the agreement says. No value is looked at.

Imports the OpenLineage client: import late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openlineage.client.generated.column_lineage_dataset import (
    ColumnLineageDatasetFacet,
    Fields,
    InputField,
    Transformation,
)

from acequia.agreement.columns import Column, SecondsSince
from acequia.agreement.model import Feed
from acequia.agreement.protection import Protection
from acequia.agreement.tables import CountDistinct, CountRows, Mean, Measure, Median, Ratio, Sum, Table
from acequia.lineage.names import Name


def treatment_in_words(column: Column) -> str:
    """The treatment as one would say it: `pseudonym`, `truncate_to hour`, `lookup cell_to_district`."""
    if isinstance(column.treat, str):
        return column.treat
    told = [_told(value) for value in column.treat.model_dump(mode="json").values()]
    return " ".join([column.treatment, *told])


def of_gate(feed: Feed, raw: Name) -> ColumnLineageDatasetFacet:
    """The protected columns from the arriving ones. Every treatment but `keep` masks."""
    fields = {}
    for name, key in feed.kept.items():
        column = feed.columns[key]
        how = _direct(
            "IDENTITY" if column.treat == "keep" else "TRANSFORMATION",
            treatment_in_words(column),
            masking=column.treat != "keep",
        )
        arriving = [column.from_ or key]
        if isinstance(column.treat, SecondsSince):
            arriving.append(column.treat.seconds_since)
        fields[name] = Fields([_input(raw, field, how) for field in arriving])
    rows = []
    if feed.rows.period_column is not None:
        how = Transformation("INDIRECT", "FILTER", "rows outside the period are set aside", masking=False)
        rows.append(_input(raw, feed.rows.period_column, how))
    return ColumnLineageDatasetFacet(fields=fields, dataset=rows)


def of_table(feed: Feed, table: Table, protected: Name) -> ColumnLineageDatasetFacet:
    """The published columns from the protected ones."""
    kept = list(feed.kept)
    masking = isinstance(table.protect, Protection)
    fields = {name: _grouped(feed, table, name, kept, protected) for name in table.by}
    for name, measure in table.measures.items():
        how = _direct("AGGREGATION", _measure_in_words(measure), masking=masking)
        fields[name] = Fields(_inputs(feed, _columns(measure, kept), kept, protected, how))
    if isinstance(table.protect, Protection) and table.protect.contributor != "rows":
        counted = _direct("AGGREGATION", "count_distinct", masking=True)
        fields["contributors_count"] = Fields(_inputs(feed, [table.protect.contributor], kept, protected, counted))
        decides = Transformation("INDIRECT", "CONDITIONAL", "disclosure control", masking=False)
        for name in ("cell_status", "withheld_because"):
            fields[name] = Fields(_inputs(feed, [table.protect.contributor], kept, protected, decides))
    filters = Transformation("INDIRECT", "FILTER", masking=False)
    groups = Transformation("INDIRECT", "GROUP_BY", masking=False)
    whole = _inputs(feed, _named_in(table.where, kept), kept, protected, filters)
    whole += _inputs(feed, table.by, kept, protected, groups)
    return ColumnLineageDatasetFacet(fields=fields, dataset=_once(whole))


def _grouped(feed: Feed, table: Table, name: str, kept: Sequence[str], protected: Name) -> Fields:
    levels = table.hierarchy.get(name)
    how = _direct("TRANSFORMATION", f"with totals by {', '.join(levels)}") if levels else _direct("IDENTITY", "group")
    return Fields(_inputs(feed, [name], kept, protected, how))


def _inputs(
    feed: Feed, columns: Iterable[str], kept: Sequence[str], protected: Name, how: Transformation
) -> list[InputField]:
    """The columns as inputs. One that a transform makes may come from any protected column."""
    found: list[InputField] = []
    for column in columns:
        if column in kept:
            found.append(_input(protected, column, how))
        elif feed.transform:
            made = Transformation(how.type, how.subtype, f"transforms/{feed.transform}", masking=how.masking)
            found += [_input(protected, name, made) for name in kept]
    return _once(found)


def _columns(measure: Measure, kept: Sequence[str]) -> list[str]:
    """The columns that a measure reads."""
    return list(dict.fromkeys([*_read(measure, kept), *_named_in(measure.where, kept)]))


def _read(measure: Measure, kept: Sequence[str]) -> Iterator[str]:
    if isinstance(measure, CountDistinct):
        yield measure.count_distinct
    elif isinstance(measure, Ratio):
        yield from _named_in(measure.ratio.of, kept)
        yield from _named_in(measure.ratio.to, kept)
    elif isinstance(measure, Sum):
        yield from _named_in(measure.sum, kept)
    elif isinstance(measure, Mean | Median):
        yield from _named_in(measure.mean if isinstance(measure, Mean) else measure.median, kept)


def _named_in(expression: str | None, kept: Sequence[str]) -> list[str]:
    """The columns that an expression names, in the order in which it does."""
    if not expression:
        return []
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(expression, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return [name for name in kept if name in expression]
    return list(dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False)))


def _measure_in_words(measure: Measure) -> str:
    if isinstance(measure, CountRows):
        said = "count rows"
    elif isinstance(measure, CountDistinct):
        said = f"count_distinct {measure.count_distinct}"
    elif isinstance(measure, Ratio):
        said = f"ratio of sum {measure.ratio.of} to sum {measure.ratio.to}"
    else:
        name = next(iter(type(measure).model_fields.keys() & {"sum", "mean", "median"}))
        said = f"{name} {getattr(measure, name)}"
    return f"{said} where {measure.where}" if measure.where else said


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ".".join(str(part) for part in value.values())
    return " ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _direct(subtype: str, said: str, *, masking: bool = False) -> Transformation:
    return Transformation("DIRECT", subtype, said, masking=masking)


def _input(dataset: Name, field: str, how: Transformation) -> InputField:
    return InputField(dataset.namespace, dataset.name, field, [how])


def _once(fields: Sequence[InputField]) -> list[InputField]:
    seen: dict[tuple[str, str | None], InputField] = {}
    for field in fields:
        subtype = field.transformations[0].subtype if field.transformations else None
        seen.setdefault((field.field, subtype), field)
    return list(seen.values())
