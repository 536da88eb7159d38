"""What must hold between the parts of an agreement. A part that is broken is judged by what is known of it.

The loader reports every error at once, so these rules must run while other parts are still wrong: a column that cannot
be read stands here as the set of names that it may go by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from acequia.agreement.closed import Misfit, unknown
from acequia.agreement.columns import TIMES, Column, Rows, SecondsSince
from acequia.agreement.personal import named_personal
from acequia.agreement.privacy import Privacy
from acequia.agreement.protectable import units_of
from acequia.agreement.tables import CountDistinct, Table
from acequia.agreement.treatments import FirstCharacters
from acequia.period import PeriodKind

Columns = Mapping[str, Column | frozenset[str]]
_TELLING = 5
"""So many characters of a name or number are as good as all of it."""
_LENGTH = {"delivery": 0, "day": 1, "week": 2, "month": 3, "quarter": 4, "year": 5}


def protected_name(key: str, column: Column) -> str:
    """The name that a column has after the gate."""
    return column.as_ or key


def kept_names(columns: Columns) -> dict[str, None]:
    """The names that columns have, or may have, after the gate, in order."""
    kept: dict[str, None] = {}
    for key, column in columns.items():
        if not isinstance(column, Column):
            kept.update(dict.fromkeys([key, *sorted(column)]))
        elif column.treat != "drop":
            kept[protected_name(key, column)] = None
    return kept


def column_misfits(columns: Columns) -> Iterator[Misfit]:
    """Names taken twice, and columns that are named but do not arrive; places are below `columns`."""
    known = {key: column for key, column in columns.items() if isinstance(column, Column)}
    arriving = [key for key, column in columns.items() if not isinstance(column, Column) or column.from_ is None]
    yield from _same_but_for_case(arriving)
    if len(known) == len(columns) and not kept_names(columns):
        yield Misfit((), "are all dropped: then nothing is left to count; decide what happens to each")
    names: dict[str, str] = {}
    for key, column in known.items():
        if column.treat != "drop":
            first = names.setdefault(protected_name(key, column).lower(), key)
            if first != key:
                yield Misfit((key,), f"has the name of {first} after the gate; give one of them another `as`")
        yield from _sources(key, column, columns, arriving)
        yield from _kept_without_reason(key, column, known.get(column.from_ or key))


def _kept_without_reason(key: str, column: Column, source: Column | None) -> Iterator[Misfit]:
    """By its own name, by that after the gate, and by that of the column that it is made from."""
    named = [(key, column), (column.as_ or key, column), (column.from_ or key, source or column)]
    reason = next(filter(None, (named_personal(*one) for one in named)), None)
    if isinstance(column.treat, FirstCharacters):
        said = f"keeps the first {column.treat.first} characters" if column.treat.first >= _TELLING else None
    else:
        said = "is keep" if column.treat == "keep" else None
    if said and column.keep_because is None and reason:
        yield Misfit((key, "treat"), f"{said}, though {reason}: treat it, or say why with `keep_because`")


def _same_but_for_case(names: list[str]) -> Iterator[Misfit]:
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield Misfit((name,), f"differs from {first} by capital letters only, which the engine takes for the same")


def _sources(key: str, column: Column, columns: Columns, arriving: list[str]) -> Iterator[Misfit]:
    if column.from_ is not None:
        source = columns.get(column.from_)
        if column.from_ not in arriving:
            yield unknown(column.from_, "a column that arrives", arriving, key, "from")
        elif isinstance(source, Column) and source.type != column.type:
            yield Misfit((key, "type"), f"is {source.type}, as that of {column.from_}", (source.type,))
    if isinstance(column.treat, SecondsSince):
        stamps = [
            name
            for name in arriving
            if name != key and (not isinstance(other := columns[name], Column) or other.type == "timestamp")
        ]
        if column.treat.seconds_since not in stamps:
            place = (key, "treat", "seconds_since")
            yield unknown(column.treat.seconds_since, "another arriving column of type timestamp", stamps, *place)


def rows_misfits(columns: Columns, rows: Rows) -> Iterator[Misfit]:
    """A period column that is none; places are below `rows`."""
    times = [
        name
        for name, column in columns.items()
        if not isinstance(column, Column) or (column.from_ is None and column.type in TIMES)
    ]
    if rows.period_column is not None and rows.period_column not in times:
        yield unknown(rows.period_column, "an arriving column of type timestamp or date", times, "period_column")


def privacy_misfits(columns: Columns, privacy: Privacy) -> Iterator[Misfit]:
    """Columns that the report on like rows shall look at and that do not pass the gate; places are below `privacy`."""
    kept = tuple(kept_names(columns))
    for key in ("quasi_identifiers", "sensitive"):
        for n, name in enumerate(getattr(privacy, key) or ()):
            if name not in kept:
                yield unknown(name, "a column that passes the gate", kept, key, n)


def rotation_misfits(tables: Mapping[str, Table], columns: Columns, privacy: Privacy) -> Iterator[Misfit]:
    """Tables that count people over a longer time than a pseudonym lasts; places are below `tables`."""
    if privacy.rotate == "none":
        return
    rotating = {
        protected_name(key, column)
        for key, column in columns.items()
        if isinstance(column, Column) and column.treatment == "pseudonym"
    }
    for name, table in tables.items():
        told = {unit.contributor for _, unit in units_of(table.protect)}
        told |= {measure.count_distinct for measure in table.measures.values() if isinstance(measure, CountDistinct)}
        if _LENGTH[table.over] > _LENGTH[privacy.rotate] and told & rotating:
            said = f"is longer than pseudonyms last (privacy.rotate: {privacy.rotate}): one person would count twice"
            yield Misfit((name, "over"), said)


def table_misfits(
    tables: Mapping[str, Table], columns: Columns, transform: str | None, period: PeriodKind | None
) -> Iterator[Misfit]:
    """Tables that name columns which do not pass the gate; places are below `tables`.

    After a transform the columns are its own; `acequia check` asks the engine for them.
    """
    kept = kept_names(columns) if transform is None else None
    for name, table in tables.items():
        if period and table.over != "delivery" and _LENGTH[table.over] <= _LENGTH[period]:
            longer = tuple(window for window in _LENGTH if _LENGTH[window] > _LENGTH[period])
            yield Misfit((name, "over"), "must be longer than the feed's period", longer)
        if kept is not None:
            yield from (misfit.below(name) for misfit in _columns_of(table, tuple(kept)))


def _columns_of(table: Table, kept: tuple[str, ...]) -> Iterator[Misfit]:
    what = "a column that passes the gate"
    for n, column in enumerate(table.by):
        if column not in kept:
            yield unknown(column, what, kept, "by", n)
    for name, measure in table.measures.items():
        if isinstance(measure, CountDistinct) and measure.count_distinct not in kept:
            yield unknown(measure.count_distinct, what, kept, "measures", name, "count_distinct")
    for place, unit in units_of(table.protect):
        known = kept if place else (*kept, "rows")
        if unit.contributor not in known:
            yield unknown(unit.contributor, what, known, "protect", *place, "contributor")


def agreement_misfits(
    tables: Mapping[str, Mapping[str, Table]], recipients: tuple[str, ...] | None
) -> Iterator[Misfit]:
    """Tables of one name in two feeds, and recipients that the terms do not name; `tables` are by feed."""
    owner: dict[str, str] = {}
    for feed, own in tables.items():
        for name, table in own.items():
            if owner.setdefault(name, feed) != feed:
                yield Misfit(("feeds", feed, "tables", name), f"is the name of a table of {owner[name]} too")
            for n, recipient in enumerate(table.recipients or ()):
                if recipients is not None and recipient not in recipients:
                    place = ("feeds", feed, "tables", name, "recipients", n)
                    yield unknown(recipient, "one of terms.recipients", recipients, *place)


def consumer_misfits(consumers: Iterable[str], recipients: tuple[str, ...]) -> Iterator[Misfit]:
    """Addresses of recipients that the terms do not name."""
    for name in consumers:
        if name not in recipients:
            yield unknown(name, "one of terms.recipients", recipients, "terms", "contacts", "consumers", name)


def signing_misfits(signatures: Mapping[str, str], signing_keys: Iterable[str]) -> Iterator[Misfit]:
    """Feeds whose manifests must be signed, without a key that could have; `signatures` are by feed."""
    if not list(signing_keys):
        for feed, signature in signatures.items():
            if signature != "none":
                yield Misfit(("feeds", feed, "delivery", "signature"), "is agreed, but no key under `signing_keys`")
