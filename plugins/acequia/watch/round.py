"""One round of the watch: look, run what is new in the order of periods, tell what is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from acequia import pipeline
from acequia.errors import REFUSED, AcequiaError
from acequia.flow import DeliveryId
from acequia.ledger.book import Ledger
from acequia.notices.send import Told, send_due
from acequia.opening import ledger_of, open_work
from acequia.receive.connections import Resolver, resolver
from acequia.settings import Settings
from acequia.watch.looking import Coming, Eyes, look_around
from acequia.watch.tries import Patience, Tries
from acequia.withdrawal import taking_back
from acequia.work import Work

Result = Literal["published", "accepted", "repeated", "refused", "waiting", "stopped"]

# The source is out of reach: its other periods are left for the next round.
OUT_OF_REACH = frozenset({"source_unreachable", "source_denied", "connection_unknown", "connection_invalid"})


@dataclass(frozen=True)
class Ran:
    """What became of one coming. `code` says why it did not end well."""

    partner: str
    feed: str
    period: str
    why: str
    result: Result
    delivery: str | None = None
    code: str | None = None

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


@dataclass
class Round:
    """What a round did."""

    looked_at: int = 0
    ran: list[Ran] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    told: Told | None = None


@dataclass(frozen=True)
class Watch:
    """What rounds need. `ledger` brings the clock."""

    settings: Settings
    ledger: Ledger
    connect: Resolver
    say: Callable[[str], None] = lambda _: None
    patience: Patience = Patience()

    @classmethod
    def of(cls, settings: Settings, say: Callable[[str], None] = lambda _: None) -> Watch:
        """A watch of this installation."""
        connect = resolver(settings)
        return cls(settings, ledger_of(settings, connect), connect, say)

    def round(self, partner: str | None = None, *, tell: bool = True) -> Round:
        """Look at everything once, of all partners or one; run what is new; then send the notices that are due."""
        now = self.ledger.clock().astimezone(UTC)
        seen = look_around(Eyes(self.settings, self.ledger, self.connect, now), partner)
        done = Round(seen.looked_at, paused=seen.paused, troubles=seen.troubles)
        for where in seen.paused:
            self.say(f"{where}: paused, nothing is taken")
        tries = Tries.of(self.settings, "tries")
        out_of_reach: set[str] = set()
        for coming in seen.comings:
            feed = f"{coming.partner}.{coming.feed}"
            if feed not in out_of_reach and (ran := self._run(coming, tries, now)):
                done.ran.append(ran)
                if ran.code in OUT_OF_REACH:
                    out_of_reach.add(feed)
        tries.keep({coming.key for coming in seen.comings})
        if tell:
            done.told = send_due(self.settings, self.ledger, connect=self.connect, say=self.say)
        return done

    def _run(self, coming: Coming, tries: Tries, now: datetime) -> Ran | None:
        """Run one coming, unless it was tried too lately."""
        slow = coming.why != "new"
        if tries.number(coming.key, coming.arrival, now, self.patience, slow=slow) is None:
            return None
        self.say(f"{coming.key}: {coming.why.replace('_', ' ')}")
        ran = self._result(coming)
        if ran.result in ("stopped", "waiting") or (ran.result == "refused" and coming.why == "by_schedule"):
            tries.tried(coming.key, now)
        else:
            tries.ended(coming.key)
        self.say(f"{coming.key}: {ran.result}" + (f" ({ran.code})" if ran.code else ""))
        return ran

    def _result(self, coming: Coming) -> Ran:
        ran = Ran(coming.partner, coming.feed, coming.period.label, coming.why, "stopped")
        try:
            outcome = self._outcome(coming)
        except AcequiaError as error:
            missing = error.code in ("delivery_missing", "delivery_unfinished")
            result: Result = "refused" if error.exit_code == REFUSED else "waiting" if missing else "stopped"
            return replace(ran, result=result, code=error.code, delivery=_named(error.where))
        except Exception as error:  # noqa: BLE001 - one delivery stops no other; only the kind is shown
            return replace(ran, code=type(error).__name__)
        result = "repeated" if outcome.repeated else "published" if outcome.published else "accepted"
        return replace(ran, result=result, delivery=str(outcome.delivery))

    def _outcome(self, coming: Coming) -> pipeline.Outcome:
        opened = open_work(
            self.settings, coming.partner, coming.feed, coming.period, connect=self.connect, say=self.say
        )
        work = replace(opened, ledger=self.ledger)
        try:
            with taking_back(work):
                return pipeline.run(work)
        except AcequiaError as error:
            begun = _newest(work) if error.code == "delivery_missing" and coming.why == "unfinished" else None
            if begun is None:
                raise
            return pipeline.carry(work, begun)  # the source keeps it no more; landing does


def _newest(work: Work) -> DeliveryId | None:
    """The period's newest version, if a step after `receive` can go on with it."""
    rows = [row for row in work.ledger.deliveries(work.partner, work.feed_name) if row.period == work.period.label]
    found = DeliveryId(partner=work.partner, feed=work.feed_name, period=work.period.label, version=len(rows))
    return found if rows and (work.folder(found) / "raw.json").exists() else None


def _named(where: str) -> str | None:
    """The delivery that an error names, if it names one."""
    return where if where.count(".") == 3 and " " not in where else None
