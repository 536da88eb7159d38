"""The letters of a round: which notices share one, what is under way, and who could not be reached.

A letter is put on disk before it is sent, and taken away once the ledger knows. One that is found there at the next
round may or may not have gone out: it is sent again as it is, with the same Message-ID.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.ledger import telling
from acequia.ledger.chain import Draft, Place
from acequia.notices import mail
from acequia.notices.message import write
from acequia.notices.notice import Due, Endpoint
from acequia.notices.outcome import UnsentError
from acequia.notices.round import Round
from acequia.receive.connections import Connection

FEW = 3  # so many notices of a kind are letters of their own; more become one that lists them
SERVER = "mail server"
_SERVER_GAP_MINUTES = 15
_A_ROUND_LASTS_S = 120.0


@dataclass(frozen=True)
class Letter:
    """A letter as it is sent, and what the ledger is to know once it is. `endpoint` names whom it is for."""

    name: str
    to: str
    sender: str
    endpoint: str
    raw: bytes
    notes: tuple[tuple[Place, Draft], ...]

    def save(self, folder: Path) -> Path:
        """Write it beside those that are under way, whole or not at all."""
        notes = [{"place": asdict(place), "draft": asdict(draft)} for place, draft in self.notes]
        said = {**asdict(self), "raw": self.raw.decode("ascii"), "notes": notes}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged, path = folder / f".{self.name}.partial", folder / f"{self.name}.json"
        staged.write_text(json.dumps(said), encoding="utf-8")
        return staged.replace(path)

    @classmethod
    def load(cls, path: Path) -> Letter:
        """Read what `save` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        notes = tuple((Place(**one["place"]), Draft(**one["draft"])) for one in said["notes"])
        return cls(**{**said, "raw": said["raw"].encode("ascii"), "notes": notes})


def send_letters(current: Round, dues: Sequence[Due]) -> None:
    """Send what was under way, then what is due; or write it to the outbox where there is no mail server."""
    under_way = _under_way(current)
    keys = {draft.key for letter in under_way for _, draft in letter.notes}
    fresh = [due for due in dues if due.key not in keys]
    if not fresh and not under_way:
        return
    try:
        connection = current.connect(mail.CONNECTION)
    except AcequiaError as error:
        if error.code != "connection_unknown":
            _server_failed(current, error.code)
            current.done.left += len(fresh)
            return
        for group in _grouped(fresh):
            _to_outbox(current, group)
        return
    if not current.trying.may(SERVER):
        current.done.left += len(fresh) + len(under_way)
        return
    _by_server(current, connection, under_way, _grouped(fresh))


def _under_way(current: Round) -> list[Letter]:
    """Letters that an earlier round left; those of which the ledger knows are cleared away."""
    found = []
    for path in sorted((current.folder / "under_way").glob("*.json")):
        try:
            letter = Letter.load(path)
        except (ValueError, LookupError, TypeError):  # of a machine that stopped: what it told of is due again
            path.unlink()
            continue
        keys = [draft.key for _, draft in letter.notes]
        if telling.known(current.ledger.engine, keys) >= set(keys):
            path.unlink()
        else:
            found.append(letter)
    return found


def _grouped(dues: Sequence[Due]) -> list[list[Due]]:
    """Those that share a letter: of one kind, to one address; few of them have letters of their own."""
    groups: dict[tuple[str, ...], list[Due]] = {}
    for due in dues:
        end = due.endpoint
        groups.setdefault((end.partner, end.role, end.recipient, end.target, due.notice.kind), []).append(due)
    shared = []
    for group in groups.values():
        shared += [group] if len(group) > FEW else [[due] for due in group]
    return shared


def composed(group: Sequence[Due], connection: Connection | None, now: datetime) -> Letter:
    """The letter for a group; to the outbox where there is no connection.

    Raises:
        UnsentError: where the address is none.
    """
    end, first = group[0].endpoint, group[0].notice
    answer_to = str(first.facts["questions"])
    name = message_name(end, [due.key for due in group])
    sender = mail.address(mail.sender_of(connection, answer_to), "Acequia")
    to = mail.address(end.target, _display_name(end, str(first.facts["name"])))
    raw = mail.compose(
        to, write([due.notice for due in group]), sender=sender, answer_to=answer_to, partner=end.partner, name=name,
        at=now,
    )  # fmt: skip
    outcome = "told" if connection else "written"
    notes = tuple((due.notice.place, due.draft(outcome, name)) for due in group)  # type: ignore[arg-type]
    return Letter(name, to.addr_spec, sender.addr_spec, end.name, raw, notes)


def message_name(end: Endpoint, keys: Sequence[str]) -> str:
    """What names a letter: always the same for the same notices to the same address."""
    return hashlib.sha256("\n".join([end.target, *sorted(keys)]).encode()).hexdigest()[:32]


def _display_name(end: Endpoint, partner_name: str) -> str:
    if end.role == "partner":
        return partner_name
    return end.recipient.replace("_", " ")


def _to_outbox(current: Round, group: Sequence[Due]) -> None:
    try:
        letter = composed(group, None, current.now)
    except UnsentError as error:
        _refused(current, group[0].endpoint, group, error)
        return
    mail.put(current.folder / "outbox", letter.name, letter.raw)
    current.note(letter.notes)
    current.done.told += len(group)
    current.done.written += len(group)


def _by_server(
    current: Round, connection: Connection, under_way: Sequence[Letter], groups: Sequence[Sequence[Due]]
) -> None:
    until = time.monotonic() + _A_ROUND_LASTS_S
    todo: list[tuple[Letter | None, Sequence[Due]]] = [*((letter, ()) for letter in under_way)]
    todo += [(None, group) for group in groups]
    with ExitStack() as session:
        try:
            post = session.enter_context(mail.post(connection))
            while todo and time.monotonic() < until:
                letter, group = todo[0]
                _try(current, post, connection, letter, group)
                todo.pop(0)
            current.trying.succeeded(SERVER)
        except AcequiaError as error:
            _server_failed(current, error.code)
        except UnsentError as error:
            _server_failed(current, error.what)
    current.done.left += sum(max(len(group), 1) for _, group in todo)


def _try(current: Round, post: mail.Post, connection: Connection, letter: Letter | None, group: Sequence[Due]) -> None:
    """Send one letter. What is wrong with the server is raised; what is wrong with the address is remembered.

    Raises:
        UnsentError: with the scope "server".
    """
    name = letter.endpoint if letter else group[0].endpoint.name
    if not current.trying.may(name):
        current.done.left += len(group)
        return
    path: Path | None = None
    try:
        letter = letter or composed(group, connection, current.now)
        path = letter.save(current.folder / "under_way")
        post.send(letter.sender, letter.to, letter.raw)
    except UnsentError as error:
        if path is not None and not error.unknown:
            path.unlink()
        if error.scope == "server":
            raise
        _refused(current, group[0].endpoint if group else None, group, error, name)
        return
    current.note(letter.notes)
    path.unlink()
    current.trying.succeeded(name)
    current.done.told += len(letter.notes)
    current.say(f"{len(letter.notes)} notice(s) told: {name}")


def _refused(current: Round, end: Endpoint | None, group: Sequence[Due], error: UnsentError, name: str = "") -> None:
    """The address was refused: tried again after a while, until what is due for days is given up."""
    name = name or (end.name if end else "")
    current.trying.failed(name, error.what)
    left = current.give_up(name, group, name, what=error.what)
    current.done.left += len(left)
    current.done.troubles.append(f"{name}: {error.what}")


def _server_failed(current: Round, what: str) -> None:
    current.trying.failed(SERVER, what, _SERVER_GAP_MINUTES)
    current.done.troubles.append(f"{SERVER}: {what}")


def pending(folder: Path) -> Iterator[Path]:
    """The letters that are under way."""
    yield from sorted((folder / "under_way").glob("*.json"))
