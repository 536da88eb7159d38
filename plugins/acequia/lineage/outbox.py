"""Events on their way out: into the file, and to an OpenLineage endpoint.

Both take what the tables hold as not yet sent: nothing is lost to a crash, or to an endpoint that is down.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import ColumnElement, Engine, select, update

from acequia.ledger.database import reading, writing
from acequia.lineage import models

if TYPE_CHECKING:
    import httpx

NOT_SENT, SENT, REFUSED = 0, 1, 2
_TIMEOUT_S, _BUDGET_S, _PAUSE_S, _AT_ONCE = 2.0, 5.0, 60.0, 200
# Events that will never be taken; every other answer may change when the endpoint is set right.
_FINAL = frozenset({400, 406, 409, 413, 415, 422})


def file_events(engine: Engine, path: Path) -> None:
    """Append to the file, one line an event, what is not in it yet. A line that a crash tore is replaced."""
    with _locked(path.with_name(f".{path.name}.lock"), wait=True) as held:
        if not held:
            return
        while pending := _pending(engine, models.event.c.filed.is_(False)):
            _append(path, [body for _, body in pending])
            with writing(engine) as connection:
                done = models.event.c.id.in_([event_id for event_id, _ in pending])
                connection.execute(update(models.event).where(done).values(filed=True))


def forward(engine: Engine, url: str, state: Path, *, now: bool = False) -> int:
    """Send what was not sent yet, oldest first, for a few seconds at most. Returns how many events went.

    After a failure nothing is tried for a minute, so that a dead endpoint costs the steps of a run one wait in all;
    `now` tries nevertheless.
    """
    if not url or (not now and _paused(state)):
        return 0
    with _locked(state.with_name(f".{state.name}.lock"), wait=False) as held:
        return _forward(engine, url, state) if held else 0


def _forward(engine: Engine, url: str, state: Path) -> int:
    import httpx

    sent, until = 0, time.monotonic() + _BUDGET_S
    with httpx.Client(timeout=_TIMEOUT_S) as client:
        for event_id, body in _pending(engine, models.event.c.sent == NOT_SENT):
            answer = _post(client, endpoint(url), body)
            if answer is None:
                state.touch()
                return sent
            with writing(engine) as connection:
                of = models.event
                connection.execute(update(of).where(of.c.id == event_id).values(sent=answer))
            sent += answer == SENT
            if time.monotonic() > until:
                break
    state.unlink(missing_ok=True)
    return sent


def endpoint(url: str) -> str:
    """The address for events; of a bare server, Marquez's."""
    from urllib.parse import urlsplit

    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/api/v1/lineage"


def _post(client: httpx.Client, url: str, body: str) -> int | None:
    """How the endpoint took it; None if it may take it later."""
    import httpx

    try:
        answer = client.post(url, content=body.encode(), headers={"Content-Type": "application/json"})
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    if answer.is_success:
        return SENT
    return REFUSED if answer.status_code in _FINAL else None


def _pending(engine: Engine, which: ColumnElement[bool]) -> list[tuple[int, str]]:
    wanted = select(models.event.c.id, models.event.c.body).where(which).order_by(models.event.c.id).limit(_AT_ONCE)
    with reading(engine) as connection:
        return [(row.id, row.body) for row in connection.execute(wanted)]


def _paused(state: Path) -> bool:
    try:
        return time.time() - state.stat().st_mtime < _PAUSE_S
    except FileNotFoundError:
        return False


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _append(path: Path, bodies: list[str]) -> None:
    """Add lines. What an earlier try wrote before it was killed stands at the end, and is not written twice."""
    with path.open("a+b") as file:
        last = _last_lines(file, sum(len(body.encode()) + 1 for body in bodies))
        there = set(last)
        file.write(b"".join(body.encode() + b"\n" for body in bodies if body.encode() not in there))
        file.flush()
        os.fsync(file.fileno())


def _last_lines(file: BinaryIO, size: int) -> list[bytes]:
    """The whole lines among the last bytes; a torn one at the end is cut off."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - size))
    tail = file.read()
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        file.truncate(end - len(tail) + whole)
    return tail[:whole].splitlines()
