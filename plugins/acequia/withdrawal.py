"""Withdrawing a period's delivery: the ledger first, then every table that used it, then, if wanted, every trace.

What was published and is refused when it is judged again, under later terms, leaves the tables in the same way.

Whatever kills it, run again it goes on where it was: what is done is found done, and housekeeping goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acequia import comparisons, pipeline, spending
from acequia.errors import REFUSED, AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger import vintages
from acequia.ledger.chain import Entry
from acequia.ledger.projection import State
from acequia.period import Period
from acequia.windows import under
from acequia.work import Work

Delete = Callable[[Work, DeliveryId], object]

# A table that cannot be computed without the delivery, for now or for good, cannot stay as it is either.
REFUSED_SINCE = "the delivery was refused when it was judged again"
_NOT_COMPUTABLE = frozenset({
    "protected_missing", "protected_differs", "canary_below_target", "key_destroyed", "budget_exceeded",
})  # fmt: skip


@dataclass(frozen=True)
class TakenBack:
    """What became of one table and window: `recomputed` without the delivery, or `taken_out` of the lake."""

    table: str
    period: str
    done: str
    because: str = ""

    def as_row(self) -> dict[str, Any]:
        """For printing, and for the ledger."""
        return asdict(self)


def withdraw(work: Work, *, who: str, because: str, erase: bool, delete: Delete) -> list[TakenBack]:
    """Withdraw every version of the work's period. Nothing of it counts from the first line on.

    Args:
        work: the feed and period.
        who: who says so.
        because: why; consumers read it beside the releases, so it names a decision and nobody.
        erase: also erase the tables' history, protected rows and raw bytes.
        delete: deletes a delivery's protected rows and raw bytes, with their entries.

    Raises:
        AcequiaError: `unknown_name` where nothing arrived for the period.
    """
    found = _versions(work)
    if not found:
        raise AcequiaError("unknown_name", "nothing arrived for this period", where=f"{work.partner}.{work.feed_name}")
    for state in found:
        work.ledger.withdraw(state.delivery, who=who, because=because, erase=erase)
    return complete(work, delete)


def complete(work: Work, delete: Delete) -> list[TakenBack]:
    """Take back what is withdrawn of the work's period and is not taken back yet."""
    withdrawn = [state for state in _versions(work) if state.withdrawn_at is not None]
    open_yet = [state for state in withdrawn if not state.finished]
    for state in withdrawn:
        work.ledger.receipt("withdrawal_done" if state.finished else "withdrawn", state.delivery)
    if not open_yet:
        return []
    newest, because = open_yet[-1], _because(work, open_yet[-1])
    since = max(_withdrawn(work, state)[0].seq for state in withdrawn)
    erase = any(state.erased for state in open_yet)
    done = [_take_back(work, newest.delivery, *place, because, since) for place in _touched(work, withdrawn)]
    if erase:
        for part in done:
            _erase(work, part, because)
        for state in open_yet:
            delete(work, state.delivery)
    for state in open_yet:
        work.ledger.withdrawal_done(state.delivery, {"tables": [part.as_row() for part in done], "erased": erase})
        work.ledger.receipt("withdrawal_done", state.delivery)
    return done


@contextmanager
def taking_back(work: Work) -> Iterator[None]:
    """When the block refuses a delivery that counted until then, its rows leave every table before that is told."""
    try:
        yield
    except AcequiaError as error:
        if error.exit_code == REFUSED:
            take_back_refused(work)
        raise


def take_back_refused(work: Work) -> list[TakenBack]:
    """Take out of the tables what the work's period gave to them, if it is refused by now. Done twice, it changes
    nothing the second time.
    """
    counted = [state for state in _versions(work) if _entries(work, state, "accepted")]
    if not counted or counted[-1].status != "refused":
        return []
    newest = counted[-1]
    since = _entries(work, newest, "refused")[-1].seq
    return [
        _take_back(work, newest.delivery, name, window, REFUSED_SINCE, since)
        for name, window in vintages.released_with(work.ledger.engine, work.partner, work.feed_name, work.period)
        if vintages.standing_release(work.ledger.engine, work.partner, name, window.label) is not None
    ]


def unfinished(work: Work) -> list[Period]:
    """The periods of the feed of which something is withdrawn and not taken back yet."""
    rows = work.ledger.deliveries(work.partner, work.feed_name)
    return sorted({Period.parse(row.period) for row in rows if row.status == "withdrawn" and not row.finished})


def _versions(work: Work) -> list[State]:
    rows = work.ledger.deliveries(work.partner, work.feed_name)
    own = [row.version for row in rows if row.period == work.period.label]
    about = {"partner": work.partner, "feed": work.feed_name, "period": work.period.label}
    return [work.ledger.state(DeliveryId(**about, version=version)) for version in own]


def refused(work: Work) -> list[Period]:
    """The periods of the feed of which something is refused."""
    rows = work.ledger.deliveries(work.partner, work.feed_name)
    return sorted({Period.parse(row.period) for row in rows if row.status == "refused"})


def _entries(work: Work, state: State, kind: str) -> list[Entry]:
    return [entry for entry in work.ledger.history(state.delivery) if entry.kind == kind]


def _withdrawn(work: Work, state: State) -> list[Entry]:
    return _entries(work, state, "withdrawn")


def _because(work: Work, state: State) -> str:
    return str(_withdrawn(work, state)[-1].said["because"])


def _touched(work: Work, states: Sequence[State]) -> tuple[tuple[str, Period], ...]:
    """The tables and windows that may hold rows of these versions; none where no version ever counted."""
    counted = any(entry.kind == "accepted" for state in states for entry in work.ledger.history(state.delivery))
    if not counted:
        return ()
    return vintages.released_with(work.ledger.engine, work.partner, work.feed_name, work.period)


def _take_back(work: Work, delivery: DeliveryId, name: str, window: Period, because: str, since: int) -> TakenBack:
    """Recompute a table's window from what is left, or take it out of the lake. What was released after entry `since`,
    when it counted no more, is made without it already.
    """
    done = vintages.released_after(work.ledger.engine, work.partner, name, window.label, since)
    if done is not None:
        pipeline.settle(work, done)
        return TakenBack(name, window.label, "recomputed")
    standing = work.ledger.accepted(work.partner, work.feed_name, window)
    why = "" if not standing else "agreed_no_more"
    if standing and name in under(work, window).feed.tables:
        try:
            pipeline.restate(work, name, window)
            return TakenBack(name, window.label, "recomputed")
        except AcequiaError as error:
            if error.code not in _NOT_COMPUTABLE:
                raise
            why = error.code
    with work.lake.lock(f"window.{work.partner}.{name}.{window}"):
        if not why and work.ledger.accepted(work.partner, work.feed_name, window):
            return TakenBack(name, window.label, "recomputed")  # by a newer version that was accepted meanwhile
        work.lake.withdraw(f"{work.partner}.{name}", window.label, because)
        work.ledger.taken_out(delivery, name, window.label, because=why or "nothing_left")
    work.say(f"took {work.partner}.{name} {window} out of the lake")
    return TakenBack(name, window.label, "taken_out", why or "nothing_left")


def _erase(work: Work, part: TakenBack, because: str) -> None:
    """Erase every earlier vintage of the window, and the restricted cells that older runs left in the workspace."""
    kept = None
    if part.done == "recomputed":
        kept = vintages.standing_release(work.ledger.engine, work.partner, part.table, part.period)
    work.lake.erase(f"{work.partner}.{part.table}", period=part.period, because=because, keep=kept)
    spending.forget(work, part.table, part.period)
    current: Path | None = None
    if standing := work.ledger.accepted(work.partner, work.feed_name, Period.parse(part.period)):
        current = work.folder(standing[-1])
    feed = work.settings.workspace / work.partner / work.feed_name
    for kind in ("cells", "disclosed"):
        for path in sorted(feed.glob(f"*/*/{kind}.{part.table}.{part.period}.*")):
            if part.done == "taken_out" or path.parent != current:
                path.unlink(missing_ok=True)
    comparisons.forget(work, part.table, part.period)
