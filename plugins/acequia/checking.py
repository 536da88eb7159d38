"""What `acequia check` finds: errors of agreement files and of what they name elsewhere, and what a steward must see.

Everything is bound on empty relations: no delivery is read, no connection opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from acequia.agreement.closed import Misfit, near
from acequia.agreement.columns import Column, Lookup
from acequia.agreement.diagnose import locate
from acequia.agreement.load import AgreementInvalid, Broken, Signed, find, histories, history
from acequia.agreement.model import Feed, Terms
from acequia.agreement.personal import looks_personal
from acequia.agreement.protection import Protection
from acequia.agreement.written import Written, read
from acequia.errors import AcequiaError
from acequia.period import Period
from acequia.protect.language import too_low
from acequia.settings import Settings

EXPIRY_TOLD_BEFORE = timedelta(days=90)
CALENDAR_TOLD_BEFORE = timedelta(days=366)
FEW_CONTRIBUTORS = 3
_SAMPLE_YEAR = 2026
_DAYS = {"week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True)
class Finding:
    """One thing to correct (`error`: nothing runs) or to look at (`warning`), with file and line."""

    path: Path
    severity: Literal["error", "warning"]
    line: int
    place: str
    message: str
    column: int = 1
    choices: tuple[str, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """For printing, as text or JSON."""
        row = asdict(self) | {"file": str(self.path), "choices": list(self.choices)}
        return {key: row[key] for key in ("severity", "file", "line", "column", "place", "message", "choices")}


def check(settings: Settings, partner: str | None = None, *, today: date | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong or doubtful, of one partner or of all, by file and line.

    Args:
        settings: where agreements, reference tables and expectations are.
        partner: only this partner's file.
        today: from which the days to the end of an agreement are counted; by default the day that it is.

    Raises:
        AcequiaError: `unknown_name` if there is no file of that partner.
    """
    today = today or datetime.now(UTC).date()
    agreements = histories(settings.partners) if partner is None else [_one(settings, partner)]
    found: list[Finding] = []
    for files in agreements:
        for file in files:
            found += _broken(file) if isinstance(file, Broken) else _sound(file, settings, today)
        found += _following(files)
        found += _without_dags(files, today)
    if partner is None:
        found += _nobodys_expectations(settings, [files[-1] for files in agreements])
        found += _nobodys_versions(settings)
    told = dict.fromkeys(replace(one, path=_short(one.path, settings)) for one in found)
    return tuple(sorted(told, key=lambda one: (str(one.path), one.line, one.column, one.place, one.message)))


def _short(path: Path, settings: Settings) -> Path:
    """As people write it: `config/partners/…`, `expectations/…`."""
    project = settings.config.parent
    return path.relative_to(project) if path.is_relative_to(project) else path


def _one(settings: Settings, partner: str) -> list[Signed | Broken]:
    with suppress(AgreementInvalid):  # told with the others; a name that there is not is raised
        find(settings.partners, partner)
    return history(settings.partners / f"{partner}.yaml")


def _following(files: list[Signed | Broken]) -> Iterator[Finding]:
    """What does not go together of two versions that follow each other; of earlier ones only what is an error."""
    from acequia.succession import misfits

    versions = [one for one in files if isinstance(one, Signed)]
    if len(versions) < len(files):
        return
    for before, after in pairwise(versions):
        root, _ = read(after.path.read_bytes())
        for severity, misfit in misfits(before, after):
            if severity == "error" or after is versions[-1]:
                yield _at(after.path, root, severity, misfit)


def _without_dags(files: list[Signed | Broken], today: date) -> Iterator[Finding]:
    """Feeds that only earlier versions know, while their periods are still looked for: DAGs are made of the newest."""
    if not isinstance(files[-1], Signed):
        return
    newest, told = files[-1], set(files[-1].agreement.feeds)
    for earlier in [one for one in files[-2::-1] if isinstance(one, Signed)]:
        for name in sorted(earlier.agreement.feeds.keys() - told):
            told.add(name)
            days = timedelta(days=earlier.agreement.feeds[name].delivery.watched_days)
            if today <= newest.agreement.terms.holds_from + days:
                partner = newest.agreement.partner
                what = f"{name} ended with version {earlier.agreement.terms.version} and has no DAG"
                do = f"run what is still to come of it by hand: acequia run {partner} {name}"
                yield Finding(newest.path, "warning", 1, "feeds", f"{what}; {do}")


def _nobodys_versions(settings: Settings) -> Iterator[Finding]:
    """A folder of earlier versions beside which no agreement lies is read by nobody."""
    for folder in sorted(path for path in settings.partners.iterdir() if path.is_dir() and path.suffix == ""):
        if any(folder.glob("*.yaml")) and not folder.with_suffix(".yaml").exists():
            yield Finding(folder, "warning", 1, "", f"holds earlier versions, and there is no {folder.name}.yaml")


def _broken(file: Broken) -> Iterator[Finding]:
    if not isinstance(file.error, AgreementInvalid):
        yield Finding(file.path, "error", 1, "", file.error.what)
        return
    for problem in file.error.problems:
        yield Finding(file.path, "error", problem.line, problem.place, problem.message, problem.column, problem.choices)


def _sound(signed: Signed, settings: Settings, today: date) -> Iterator[Finding]:
    """What a file that can be read names elsewhere, and what is doubtful in it; of an earlier version only errors."""
    found = _judged(signed, settings, today)
    newest = signed.path.parent == settings.partners
    yield from (one for one in found if newest or one.severity == "error")


def _judged(signed: Signed, settings: Settings, today: date) -> Iterator[Finding]:
    root, _ = read(signed.path.read_bytes())
    agreement = signed.agreement
    judged: list[tuple[Literal["error", "warning"], Misfit]] = [
        ("warning", misfit.below("terms")) for misfit in _expiring(agreement.terms, today)
    ]
    for name, feed in agreement.feeds.items():
        absent = list(_absent(feed, settings))
        errors = [*absent, *_cannot_be_computed(feed, settings, absent), *_gone_too_early(feed, agreement.terms)]
        judged += [("error", misfit.below("feeds", name)) for misfit in errors]
        doubts = [
            *_exposed(feed),
            *_weakly_protected(feed),
            *_odd_names(feed),
            *_slips_of_levels(feed, settings),
            *_never_fetched(feed),
            *_calendar_ending(feed, settings, today),
            *_dropped_whole(feed, agreement.language),
        ]
        judged += [("warning", misfit.below("feeds", name)) for misfit in doubts]
        yield from _expectations(settings, agreement.partner, name, feed)
    for severity, misfit in judged:
        yield _at(signed.path, root, severity, misfit)


def _at(path: Path, root: Written | None, severity: Literal["error", "warning"], misfit: Misfit) -> Finding:
    problem = locate(misfit, root or Written(None, 1, 1))
    return Finding(path, severity, problem.line, problem.place, problem.message, problem.column, problem.choices)


def _absent(feed: Feed, settings: Settings) -> Iterator[Misfit]:
    """Reference tables and holiday calendars that are not there, or not as they must be."""
    from acequia.agreement.calendar import holidays
    from acequia.protect.reference import read_reference

    for key, column in feed.columns.items():
        if isinstance(column.treat, Lookup):
            try:
                read_reference(settings.reference, column.treat.table).lookup(column.treat.value)
            except AcequiaError as error:
                yield Misfit(("columns", key, "treat", "lookup"), error.what)
    try:
        holidays(settings.reference, feed.delivery.calendar)
    except AcequiaError as error:
        yield Misfit(("delivery", "calendar"), error.what)


def _calendar_ending(feed: Feed, settings: Settings, today: date) -> Iterator[Misfit]:
    """A calendar of holidays that must be continued before it stops the feed."""
    from acequia.agreement.calendar import DaysOff, holidays

    with suppress(AcequiaError):  # a calendar that is not there is an error of its own
        known = holidays(settings.reference, feed.delivery.calendar)
        if isinstance(known, DaysOff) and (
            not known.years or date(known.years[-1], 12, 31) - today < CALENDAR_TOLD_BEFORE
        ):
            until = known.years[-1] if known.years else "no year"
            yield Misfit(
                ("delivery", "calendar"),
                f"its holidays are known until {until}: add the years after it, or the feed stops (config/reference)",
            )


def _cannot_be_computed(feed: Feed, settings: Settings, absent: Iterable[Misfit]) -> Iterator[Misfit]:
    """Transform, expressions, levels: whatever the engine refuses on rows of the agreed types."""
    from acequia.aggregate.plan import problems

    told = tuple(misfit.message for misfit in absent)
    for problem in problems(feed, settings.reference):
        place, _, message = problem.partition(": ")
        if not (told and message.endswith(told)):
            message, _, columns = message.partition(". Columns: ")
            yield Misfit(tuple(place.split(".")), message, tuple(columns.split(", ")) if columns else ())


def _gone_too_early(feed: Feed, terms: Terms) -> Iterator[Misfit]:
    """A longer window is computed from protected rows: they must live until its last delivery is in."""
    for name, table in feed.tables.items():
        needed = _DAYS.get(table.over, 0) + -(-feed.delivery.due_within_hours // 24)
        if table.over != "delivery" and terms.protected_kept_days < needed:
            yield Misfit(
                ("tables", name, "over"),
                f"needs protected rows for {needed} days; terms.protected_kept_days is {terms.protected_kept_days}",
            )


def _expiring(terms: Terms, today: date) -> Iterator[Misfit]:
    left = terms.expires_on - today
    if left < timedelta(0):
        yield Misfit(("expires_on",), f"the agreement ended on {terms.expires_on}; later periods are refused")
    elif left <= EXPIRY_TOLD_BEFORE:
        yield Misfit(("expires_on",), f"the agreement ends in {left.days} days, on {terms.expires_on}")


def _exposed(feed: Feed) -> Iterator[Misfit]:
    for key, column in feed.columns.items():
        if column.treat == "keep" and column.keep_because is None:
            reason = looks_personal(key, column)
            if reason:
                said = f"the column is kept as it is, though {reason}; treat it, or say why with keep_because"
                yield Misfit(("columns", key, "treat"), said)


def _dropped_whole(feed: Feed, language: str) -> Iterator[Misfit]:
    """Columns of which nothing would be kept, since too little is found in texts of this language."""
    missed = too_low(language, feed.privacy.recall_at_least_pct)
    for key, column in feed.columns.items():
        if column.treat == "scrub_text" and missed:
            said = f"every text will be dropped: less is found of {', '.join(missed)} than privacy asks for"
            yield Misfit(("columns", key, "treat"), said)


def _weakly_protected(feed: Feed) -> Iterator[Misfit]:
    for name, table in feed.tables.items():
        if not isinstance(table.protect, Protection):
            continue
        noise = table.protect.differential_privacy is not None  # withholds nothing, and promises more
        if table.protect.min_contributors < FEW_CONTRIBUTORS and not noise:
            place = ("tables", name, "protect", "min_contributors")
            yield Misfit(place, f"is less than {FEW_CONTRIBUTORS}: cells of one or two contributors give them away")
        if table.over != "delivery" and table.release == "each_delivery":
            said = "releases stay readable: more is withheld, so that the difference of two tells of no few people"
            charged = "each provisional release is charged to the privacy budget"
            yield Misfit(("tables", name, "release"), charged if noise else said)
        column = feed.columns.get(feed.kept.get(table.protect.contributor, ""))
        if isinstance(column, Column) and column.treat == "keep":
            place = ("tables", name, "protect", "contributor")
            yield Misfit(place, f"{table.protect.contributor} is kept in clear; a pseudonym serves as well")


def _odd_names(feed: Feed) -> Iterator[Misfit]:
    """Names that published tables would carry, and paths that are always the same."""
    path = getattr(feed.delivery.source, "path", "{period}")
    if "{" not in path:
        said = "does not name the period: every run would find the same files"
        yield Misfit(("delivery", "source", "path"), said)
    for name, table in feed.tables.items():
        for n, column in enumerate(table.by):
            if not re.fullmatch(r"[a-z][a-z0-9_]*", column):
                said = f"{column} becomes a column of a published table; give it a plain name with `as`"
                yield Misfit(("tables", name, "by", n), said)


def _slips_of_levels(feed: Feed, settings: Settings) -> Iterator[Misfit]:
    """The widest level is the grand total if the reference table has no such column; `regoin` would be one."""
    from acequia.protect.reference import read_reference

    for name, table in feed.tables.items():
        for by, (widest, *_) in table.hierarchy.items():
            column = feed.columns.get(feed.kept.get(by, ""))
            if not (isinstance(column, Column) and isinstance(column.treat, Lookup)):
                continue
            with suppress(AcequiaError):  # told as an error already
                known = read_reference(settings.reference, column.treat.table).columns
                meant = near(widest, [level for level in known if level != by])
                if meant is not None and widest not in known:
                    said = f"{widest} is no column of {column.treat.table}: so it is the grand total"
                    yield Misfit(("tables", name, "hierarchy", by, 0), f"{said}; did you mean {meant}?")


def _never_fetched(feed: Feed) -> Iterator[Misfit]:
    """A schedule fetches the period that ended last; over a year, each period must have its turn."""
    from croniter import croniter

    kind = feed.delivery.period
    first, last = datetime(_SAMPLE_YEAR - 1, 12, 31), datetime(_SAMPLE_YEAR + 1, 2, 15)  # noqa: DTZ001 - local days
    times: Iterable[datetime] = croniter(feed.delivery.schedule, first, ret_type=datetime)
    fetched = {Period.holding(kind, time.date()).previous() for time in islice(times, 1000) if time <= last}
    due = [part for part in Period.parse(str(_SAMPLE_YEAR)).parts(kind) if feed.delivery.is_due(part)]
    missed = [part for part in due if part not in fetched]
    if missed and len(fetched) > 1:
        said = f"leaves out {len(missed)} of the {len(due)} periods of a year, such as {missed[0]}"
        yield Misfit(("delivery", "schedule"), said)


def _expectations(settings: Settings, partner: str, feed_name: str, feed: Feed) -> Iterator[Finding]:
    """Hand-written checks that cannot be read, or cannot run over the columns that pass the gate."""
    from acequia.validate.written import read_written

    folder = settings.expectations / partner / feed_name
    try:
        written = read_written(folder, feed.kept)
    except AcequiaError as error:
        for said in re.split(rf"; (?={re.escape(partner)}/{re.escape(feed_name)}/)", error.what):
            file, line, message = _file_and_line(said)
            yield Finding(settings.expectations / file, "error", line, "", message)
        return
    for query in written.queries:
        if reason := _cannot_run(query.sql, feed):
            yield Finding(settings.expectations / query.place, "error", 1, "", reason)


def _file_and_line(said: str) -> tuple[str, int, str]:
    match = re.match(r"(?P<file>[^:]*?)(?::(?P<line>\d+))?: (?P<message>.*)", said, re.DOTALL)
    return (match["file"], int(match["line"] or 1), match["message"]) if match else ("", 1, said)


def _cannot_run(sql: str, feed: Feed) -> str | None:
    import duckdb

    from acequia.aggregate.rows import protected_kinds
    from acequia.engine.duck import connect, quoted
    from acequia.engine.expressions import SQL_TYPES

    columns = ", ".join(f"{quoted(name)} {SQL_TYPES[kind]}" for name, kind in protected_kinds(feed).items())
    with TemporaryDirectory() as scratch, connect("256MB", Path(scratch), threads=1) as connection:
        connection.execute(f"CREATE TABLE rows ({columns})")
        connection.execute("SET enable_external_access = false")
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                return "must be one select"
            found = connection.execute(statements[0]).fetchmany(2)
        except duckdb.Error as error:
            return f"cannot run over the columns that pass the gate: {str(error).splitlines()[0]}"
    counted = len(found) == 1 and len(found[0]) == 1 and type(found[0][0]) is int
    return None if counted else "must return one row with one whole number, how many rows are wrong"


def _nobodys_expectations(settings: Settings, files: Iterable[Signed | Broken]) -> Iterator[Finding]:
    """Folders of checks whose name is no partner's or feed's: their checks would never run."""
    by_partner = {file.path.stem: file for file in files}
    for folder in sorted(settings.expectations.iterdir()) if settings.expectations.is_dir() else ():
        if not folder.is_dir() or folder.name.startswith((".", "_")):
            continue
        file = by_partner.get(folder.name)
        if file is None:
            yield Finding(folder, "warning", 1, "", "these checks never run: there is no partner of that name")
        elif isinstance(file, Signed):
            for below in sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"):
                if below.name not in file.agreement.feeds:
                    yield Finding(below, "warning", 1, "", "these checks never run: the partner has no such feed")
