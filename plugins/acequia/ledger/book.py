"""The ledger as the other rooms see it: facts go in, states and lists come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, and_, func, insert, select, update

from acequia.agreement.delivery import Delivery
from acequia.errors import AcequiaError
from acequia.flow import Count, DeliveryId, Disclosed, LandedFile, Mix, Published, Risk, Scanned
from acequia.keys import KeyStore
from acequia.ledger import audit, chain, facts, head, likes, models, retention
from acequia.ledger.chain import Draft, Entry, Place
from acequia.ledger.database import open_database, reading, writing
from acequia.ledger.issuing import Issuer
from acequia.ledger.keyring import Keyring
from acequia.ledger.listing import DeliveryRow, listed
from acequia.ledger.projection import State, after, row_of, state_of
from acequia.period import Period
from acequia.settings import Settings


def now() -> datetime:
    """The clock of the ledger, unless another is handed in."""
    return datetime.now(UTC)


def open_ledger(settings: Settings, keys: KeyStore, clock: Callable[[], datetime] = now) -> Ledger:
    """Open the ledger; its tables are made or migrated first. Processes that open it at once do not disturb each other.

    Raises:
        AcequiaError: `store_unreachable` if the database does not answer.
    """
    return Ledger(open_database(settings), settings.home, keys, clock)


@dataclass(frozen=True)
class Ledger:
    """An append-only record. Every fact has a natural key, so that telling it twice records it once."""

    engine: Engine
    home: Path
    keys: KeyStore
    clock: Callable[[], datetime] = now

    @cached_property
    def signer(self) -> Keyring:
        """Signs entries and receipts."""
        return Keyring(self.keys)

    # What happened

    def register(
        self,
        partner: str,
        feed: str,
        period: Period,
        *,
        content_sha256: str,
        agreement_version: str,
        agreement_sha256: str,
        files: Sequence[LandedFile],
        arrival: str = "",
        sent_at: datetime | None = None,
        signed_by: str | None = None,
        corrects: Mapping[str, object] | None = None,
        landing_key: str = "",
        kept_days: Mapping[str, int] | None = None,
    ) -> DeliveryId:
        """Give what arrived its id: that of the period's latest version if it holds the same bytes, else a new one.

        Bytes that were withdrawn stay so: they keep the id that they had then, whatever came since. `arrival` tells
        the partner's sending them again from our looking again; see `facts.Sent`. `corrects`: it is an earlier one with
        some of its rows replaced; the earlier one's bytes are then no news either.
        """
        sent = facts.Sent(arrival, sent_at, signed_by, landing_key, kept_days)
        with writing(self.engine) as connection:
            latest = self._latest(connection, partner, feed, period.label)
            known = self._same_bytes(connection, latest, content_sha256) if latest else None
            if known:
                delivery = known.delivery
                stands = str(next(iter(self.accepted(partner, feed, period)), ""))
                drafts = facts.came_again(known, agreement_version, agreement_sha256, sent, stands)
            else:
                version = latest.delivery.version + 1 if latest else 1
                delivery = DeliveryId(partner=partner, feed=feed, period=period.label, version=version)
                told = (content_sha256, agreement_version, agreement_sha256, files, sent, corrects)
                drafts = [facts.received(delivery, *told)]
            token = self._append(connection, delivery, drafts)
        head.show(self.home, token, self.signer)
        return delivery

    def accept(
        self,
        delivery: DeliveryId,
        *,
        count: Count,
        made_by: str,
        scanned: Sequence[Scanned] = (),
        risk: Risk | None = None,
        differences: Mapping[str, object] | None = None,
        mix: Mapping[str, Mix] | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """The delivery passed every check. A lower accepted version of its period is corrected by that.

        Raises:
            AcequiaError: `delivery_withdrawn`.
        """
        found = (scanned, risk, differences, mix, warnings)
        self._record(delivery, lambda state: facts.accepted(state, count, made_by, *found))

    def refuse(
        self, delivery: DeliveryId, *, code: str, reason: str, who_acts: str, made_by: str,
        found: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        """The delivery was refused; it stays in quarantine. `found`: its rows, counted, and `checks` that failed."""
        self._record(delivery, lambda state: facts.refused(state, code, reason, who_acts, made_by, found))

    def published(
        self,
        delivery: DeliveryId,
        disclosed: Disclosed,
        release: Published,
        changes: Mapping[str, object] | None = None,
    ) -> None:
        """One table and window went out, brought up to date by this delivery."""
        self._record(delivery, lambda state: facts.published(state, disclosed, release, changes))

    def finish(self, delivery: DeliveryId) -> None:
        """Everything that was to be published is."""
        self._record(delivery, facts.finished)

    def withdraw(self, delivery: DeliveryId, *, who: str, because: str, erase: bool = False) -> None:
        """The delivery was taken back: it counts to nothing from now on, and its bytes never will again."""
        self._record(delivery, lambda state: facts.withdrawn(state, who, because, erase=erase))

    def taken_out(self, delivery: DeliveryId, table: str, window: str, *, because: str) -> None:
        """A table's window left the lake with a withdrawn delivery."""
        self._record(delivery, lambda state: facts.taken_out(state, table, window, because), once=True)

    def withdrawal_done(self, delivery: DeliveryId, body: Mapping[str, object]) -> None:
        """Nothing of a withdrawn delivery is left to take back."""
        self._record(delivery, lambda state: facts.withdrawal_done(state, body))

    def set_aside_given(self, delivery: DeliveryId, *, who: str, by_reason: Mapping[str, int]) -> None:
        """The rows that it set aside were handed out, for the partner."""
        self._record(delivery, lambda state: facts.set_aside_given(state, who, by_reason))

    def raw_deletion_begun(self, delivery: DeliveryId, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """The delivery's raw bytes are about to be deleted. What was found when that was begun, perhaps earlier."""
        self._record(delivery, lambda state: facts.raw_deletion_begun(state, found), once=True)
        begun = [entry.said for entry in self.history(delivery) if entry.kind == "raw_deletion_begun"]
        return begun[-1] if begun else found

    def raw_deleted(self, delivery: DeliveryId, *, files: int, proof: Mapping[str, object] | None = None) -> None:
        """The delivery's raw bytes are gone from landing; `proof` says how that was made sure, without file names."""
        self._record(delivery, lambda state: facts.raw_deleted(state, files, proof or {}))

    def protected_deletion_begun(self, delivery: DeliveryId, files: int) -> int:
        """The delivery's protected rows are about to be deleted. How many files there were when that was begun."""
        self._record(delivery, lambda state: facts.protected_deletion_begun(state, files), once=True)
        begun = [entry.said for entry in self.history(delivery) if entry.kind == "protected_deletion_begun"]
        return int(begun[-1]["files"]) if begun else files

    def protected_deleted(self, delivery: DeliveryId, *, files: int, proof: Mapping[str, object] | None = None) -> None:
        """The delivery's protected rows are gone from the workspace."""
        self._record(delivery, lambda state: facts.protected_deleted(state, files, proof or {}))

    def note(self, place: Place, draft: Draft) -> None:
        """Something that is about a feed and no delivery, such as its keys. A key that is on record adds nothing."""
        with writing(self.engine) as connection:
            if chain.last_token(connection) is None:
                head.begin(self.home, self.signer)
            if not chain.is_told(connection, draft.key):
                chain.append(connection, self.signer, draft, place, self.clock())
            token = str(chain.last_token(connection))
        head.show(self.home, token, self.signer)

    def notes(self, *kinds: str) -> tuple[Entry, ...]:
        """What was noted of these kinds, in order."""
        with reading(self.engine) as connection:
            return tuple(chain.without_delivery(connection, kinds))

    def receipt(self, step: str, delivery: DeliveryId) -> Path:
        """The signed receipt of the delivery's latest such step; every receipt still missing before it is written too.

        Steps are `received`, `repeated`, `accepted`, `published`, `refused`, `withdrawn`, `withdrawal_done`,
        `raw_deleted` and `protected_deleted`. A receipt is made of ledger entries alone, so that writing it again gives
        the same bytes.
        """
        for path in reversed(self._issuer.receipts(delivery)):
            if path.stem.partition("-")[2] == step:
                return path
        raise AcequiaError("internal", f"the ledger gives no reason for a receipt of step {step}", where=str(delivery))

    def write_receipts(self, partner: str | None = None, feed: str | None = None) -> int:
        """Write every receipt that is missing, as after a step that was killed between the ledger and its receipt.

        Returns:
            How many periods had one missing.
        """
        latest = {(row.partner, row.feed, row.period): row.version for row in self.deliveries(partner, feed)}
        lacking = [
            delivery
            for (partner_, feed_, period), version in latest.items()
            if not self._issuer.is_complete(
                delivery := DeliveryId(partner=partner_, feed=feed_, period=period, version=version)
            )
        ]
        for delivery in lacking:
            self._issuer.receipts(delivery)
        return len(lacking)

    def certify(self, delivery: DeliveryId) -> list[Path]:
        """The signed certificates of everything that the delivery published; those that are missing are written."""
        return self._issuer.certificates(delivery)

    def offer_keys(self) -> None:
        """Write the file of public keys, if it is not there or says something else than the ledger."""
        self._issuer.offer_keys()

    @cached_property
    def _issuer(self) -> Issuer:
        return Issuer(self.engine, self.home, self.signer)

    # What follows from it

    def state(self, delivery: DeliveryId) -> State:
        """Where the delivery stands, from its entries alone.

        Raises:
            AcequiaError: `unknown_name` if the ledger holds no such delivery.
        """
        with reading(self.engine) as connection:
            return _known(connection, delivery)

    def accepted(self, partner: str, feed: str, window: Period | None = None) -> tuple[DeliveryId, ...]:
        """The version that stands for each period, in the order of periods; only those counting to the window.

        That is the latest version that was ever accepted, if it still is: one that was replaced never comes back, also
        when the version that replaced it is refused under a later reading of the agreement.
        """
        said, table = models.entry.c, models.delivery.c
        with reading(self.engine) as connection:
            ever = connection.execute(
                select(said.delivery)
                .where(said.partner == partner, said.feed == feed, said.kind == "accepted")
                .distinct()
            ).scalars()
            latest: dict[str, DeliveryId] = {}
            for found in map(DeliveryId.parse, ever):
                if found.period not in latest or latest[found.period].version < found.version:
                    latest[found.period] = found
            still = set(
                connection.execute(
                    select(table.period, table.version).where(
                        table.partner == partner, table.feed == feed, table.status.in_(("accepted", "published"))
                    )
                ).all()
            )
        standing = [found for found in latest.values() if (found.period, found.version) in still]
        return tuple(
            found
            for found in sorted(standing, key=DeliveryId.of_period)
            if window is None or found.of_period().within(window.kind) == window
        )

    def arrivals(self, partner: str, feed: str, period: str | Period) -> frozenset[str]:
        """The comings that are known of what arrived last for the period, and of all that was withdrawn.

        What lay there before it counts as new when it lies there again: the partner put it back. But what was brought
        by hand changes nothing at the source: what lay there then still does. What arrived last counts as new as long
        as it is not decided and worked through: a run was stopped, or the feed paused.
        """
        label = period if isinstance(period, str) else period.label
        with reading(self.engine) as connection:
            latest = self._latest(connection, partner, feed, label)
            if latest is None:
                return frozenset()
            if latest.status != "withdrawn" and not latest.finished:
                return frozenset()
            versions = range(latest.delivery.version - 1, 0, -1)
            before = (latest.delivery.model_copy(update={"version": version}) for version in versions)
            states = [latest, *(_known(connection, part) for part in before)]
            by_hand = {state.content_sha256 for state in states}  # its arrival is its content
            pulled = [n for n, state in enumerate(states) if by_hand.isdisjoint(state.arrivals[-1:])]
            lying = states[: pulled[0] + 1] if pulled else states
            counted = [*lying, *(state for state in states if state.withdrawn_at)]
            return frozenset(arrival for state in counted for arrival in state.arrivals)

    def remembered(self, partner: str, feed: str, periods: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Period -> what was noted when its delivery was accepted (`count`, `mix`), of those of these periods."""
        with reading(self.engine) as connection:
            return likes.accepted_bodies(connection, partner, feed, periods)

    def released_windows(self, partner: str, table: str) -> set[str]:
        """The windows of a table that were released for good, and not only with provisional cells."""
        of = models.release.c
        with reading(self.engine) as connection:
            found = connection.execute(
                select(of.window_label)
                .where(of.partner == partner, of.table_name == table, of.provisional.is_(False))
                .distinct()
            )
            return set(found.scalars())

    def is_past(self, day: date, terms: Delivery) -> bool:
        """Whether nothing can be expected any more that was due at the start of this day, in the feed's time zone."""
        midnight = datetime.combine(day, time.min, tzinfo=terms.zone)
        return self.clock() > midnight.astimezone(UTC) + timedelta(hours=terms.due_within_hours)

    def deliveries(self, partner: str | None = None, feed: str | None = None) -> list[DeliveryRow]:
        """One row per delivery, in the order of partner, feed, period and version."""
        with reading(self.engine) as connection:
            return listed(connection, partner, feed)

    def history(self, delivery: DeliveryId) -> tuple[Entry, ...]:
        """The delivery's entries, in order."""
        with reading(self.engine) as connection:
            return tuple(chain.of_delivery(connection, delivery))

    def due_for_deletion(
        self, what: Literal["raw", "protected"], partner: str, feed: str, today: date, kept_days: int
    ) -> tuple[DeliveryId, ...]:
        """Deliveries whose raw bytes, or protected rows, have been kept for the agreed days and are there still."""
        with reading(self.engine) as connection:
            return retention.due(connection, what, partner, feed, today, kept_days)

    def length(self) -> int:
        """How many entries there are."""
        with reading(self.engine) as connection:
            return connection.execute(select(func.count()).select_from(models.entry)).scalar_one()

    def head(self) -> str:
        """The signed number and hash of the last entry; kept elsewhere, it tells whether the ledger was put back.

        Raises:
            AcequiaError: `unknown_name` while there is no entry.
        """
        with reading(self.engine) as connection:
            token = chain.last_token(connection)
        if token is None:
            raise AcequiaError("unknown_name", "the ledger has no entry yet")
        return token

    def verify(self, against: Sequence[Path] = (), *, whole: bool = False) -> list[audit.Finding]:
        """Everything that is wrong with the record, what was derived from it, its head and its receipts.

        Args:
            against: heads, receipts or certificates that were kept elsewhere.
            whole: find receipts that are missing, too; the last ones of a step that was killed may be.
        """
        return audit.verify(self.engine, self.home, self.signer, against=tuple(against), whole=whole)

    # How it is kept

    def _record(self, delivery: DeliveryId, fact: Callable[[State], Draft | None], *, once: bool = False) -> None:
        """Add a fact; with `once` nothing, where its key is on record: the state does not say so."""
        with writing(self.engine) as connection:
            draft = fact(_known(connection, delivery))
            if once and draft and chain.is_told(connection, draft.key):
                draft = None
            token = self._append(connection, delivery, [draft] if draft else [])
        head.show(self.home, token, self.signer)

    def _append(self, connection: Connection, delivery: DeliveryId, drafts: Sequence[Draft]) -> str:
        """Add entries, and bring what is derived from them up to date in the same transaction.

        Returns the last token of the chain, also when nothing was added: a run that was killed may have left the head
        behind.
        """
        if chain.last_token(connection) is None:
            head.begin(self.home, self.signer)
        state = state_of(chain.of_delivery(connection, delivery)) if drafts else None
        for draft in drafts:
            entry = chain.append(connection, self.signer, draft, Place.of(delivery), self.clock())
            state = after(state, entry)
            if entry.kind == "published":
                connection.execute(insert(models.release).values(**asdict(state.releases[-1])))
        if state:
            _store(connection, row_of(state))
        return str(chain.last_token(connection))

    def _same_bytes(self, connection: Connection, latest: State, content_sha256: str) -> State | None:
        """The version that holds these bytes: the latest, or one that was withdrawn."""
        if content_sha256 in (latest.content_sha256, latest.original_sha256):
            return latest
        table, of = models.delivery.c, latest.delivery
        version = connection.execute(
            select(func.max(table.version)).where(
                table.partner == of.partner, table.feed == of.feed, table.period == of.period,
                table.content_sha256 == content_sha256, table.status == "withdrawn",
            )
        ).scalar()  # fmt: skip
        return None if version is None else _known(connection, of.model_copy(update={"version": version}))

    def _latest(self, connection: Connection, partner: str, feed: str, label: str) -> State | None:
        table = models.delivery.c
        version = connection.execute(
            select(func.max(table.version)).where(table.partner == partner, table.feed == feed, table.period == label)
        ).scalar()
        if version is None:
            return None
        return _known(connection, DeliveryId(partner=partner, feed=feed, period=label, version=version))


def _known(connection: Connection, delivery: DeliveryId) -> State:
    state = state_of(chain.of_delivery(connection, delivery))
    if state is None:
        raise AcequiaError("unknown_name", "the ledger holds no such delivery", where=str(delivery))
    return state


def _store(connection: Connection, row: Mapping[str, Any]) -> None:
    table = models.delivery
    is_it = and_(*(column == row[column.name] for column in table.primary_key.columns))
    if connection.execute(update(table).where(is_it).values(**row)).rowcount == 0:
        connection.execute(insert(table).values(**row))
