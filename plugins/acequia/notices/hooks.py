"""The webhooks of a round: every endpoint by itself, so that a dead or slow one delays no other."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from acequia.errors import AcequiaError
from acequia.notices.message import payload
from acequia.notices.notice import Due
from acequia.notices.outcome import UnsentError
from acequia.notices.round import Round
from acequia.notices.webhook import Hook, hook

_AT_ONCE, _A_ROUND = 8, 200
_A_ROUND_LASTS_S = 60.0


def post_hooks(current: Round, dues: Sequence[Due]) -> None:
    """Post what is due, to each endpoint in the order in which it became due."""
    by_target: dict[str, list[Due]] = {}
    for due in dues:
        by_target.setdefault(due.endpoint.target, []).append(due)
    if not by_target:
        return
    turn = threading.Lock()
    with ThreadPoolExecutor(min(_AT_ONCE, len(by_target)), thread_name_prefix="webhook") as pool:
        for ended in [pool.submit(_post_all, current, turn, target, own) for target, own in by_target.items()]:
            ended.result()


def message_id(due: Due) -> str:
    """What tells the receiver that it has the message already: always the same for the same notice."""
    return "msg_" + hashlib.sha256(due.key.encode()).hexdigest()[:32]


def _post_all(current: Round, turn: threading.Lock, target: str, dues: Sequence[Due]) -> None:
    """All that is due for one endpoint. `turn` guards the ledger and the record of tries."""
    name = dues[0].endpoint.name
    left = list(dues)
    with turn:
        if not current.trying.may(name):
            current.done.left += len(left)
            return
    until = time.monotonic() + _A_ROUND_LASTS_S
    try:
        with hook(current.connect(target)) as opened:
            for due in dues[:_A_ROUND]:
                if time.monotonic() > until:
                    break
                _post(current, turn, opened, due)
                left.remove(due)
    except (UnsentError, AcequiaError) as error:
        what = error.what if isinstance(error, UnsentError) else error.code
        with turn:
            current.trying.failed(name, what)
            current.done.troubles.append(f"{name}: {what}")
            left = current.give_up(name, left, name, what=what)
    with turn:
        current.done.left += len(left)


def _post(current: Round, turn: threading.Lock, opened: Hook, due: Due) -> None:
    """Post one. What is wrong with the endpoint is raised; what is wrong with the message is remembered.

    Raises:
        UnsentError: with the scope "server".
    """
    name = due.endpoint.name
    with turn:
        if not current.trying.may(due.key):
            current.done.left += 1
            return
    try:
        opened.post(message_id(due), int(current.now.timestamp()), payload(due.notice))
    except UnsentError as error:
        if error.scope == "server":
            raise
        with turn:
            current.trying.failed(due.key, error.what)
            current.done.troubles.append(f"{name}: {error.what}")
            current.done.left += len(current.give_up(name, [due], due.key, what=error.what))
        return
    with turn:
        current.note([(due.notice.place, due.draft("told", message_id(due)))])
        current.trying.succeeded(due.key, name)
        current.done.told += 1
        current.say(f"1 notice told: {name}")
