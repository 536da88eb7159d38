"""Tokens with which partners upload. The ledger knows who was given one, until when, and its SHA-256, not the token."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from acequia.errors import AcequiaError
from acequia.ledger import chain
from acequia.ledger.book import Ledger
from acequia.ledger.chain import Draft, Entry, Place
from acequia.ledger.database import reading

ISSUED, REVOKED = "upload_token", "upload_token_revoked"
DAYS_AT_MOST = 731
_FORM = re.compile(r"acequia_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")

State = Literal["valid", "expired", "revoked"]


@dataclass(frozen=True)
class Token:
    """What is known of a token. Moments are in UTC."""

    partner: str
    id: str
    state: State
    issued_at: str
    expires_at: str
    who: str

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def issue(ledger: Ledger, partner: str, *, days: int, who: str) -> tuple[str, Token]:
    """Make a token for a partner. The text is given once: what is kept cannot be turned back into it."""
    if not 1 <= days <= DAYS_AT_MOST:
        raise AcequiaError("usage", f"a token is valid for 1 to {DAYS_AT_MOST} days")
    number = secrets.token_hex(4)
    text = f"acequia_{number}_{secrets.token_urlsafe(32)}"
    expires = ledger.clock() + timedelta(days=days)
    body = {"id": number, "sha256": _digest(text), "expires_at": expires.astimezone(UTC).isoformat(), "who": who}
    ledger.note(Place(partner, None), Draft(ISSUED, f"{ISSUED}/{partner}/{number}", body))
    return text, next(token for token in listed(ledger, partner) if token.id == number)


def revoke(ledger: Ledger, partner: str, number: str, *, who: str) -> None:
    """Make a token worthless at once. Errors: `unknown_name`."""
    if number not in {token.id for token in listed(ledger, partner)}:
        raise AcequiaError("unknown_name", "the partner was given no token of that id")
    ledger.note(Place(partner, None), Draft(REVOKED, f"{REVOKED}/{partner}/{number}", {"id": number, "who": who}))


def listed(ledger: Ledger, partner: str | None = None) -> list[Token]:
    """Every token that was ever given, by partner and time."""
    entries = ledger.notes(ISSUED, REVOKED)
    revoked = {(entry.partner, entry.said["id"]) for entry in entries if entry.kind == REVOKED}
    given = [entry for entry in entries if entry.kind == ISSUED and partner in (None, entry.partner)]
    tokens = [
        _token(entry, revoked=(entry.partner, entry.said["id"]) in revoked, now=ledger.clock()) for entry in given
    ]
    return sorted(tokens, key=lambda token: (token.partner, token.issued_at, token.id))


class Doorkeeper:
    """Says whose a token is. What the ledger knows of tokens is read again as soon as the ledger has grown."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._read_at = -1
        self._known: dict[str, tuple[str, Entry]] = {}

    def whose(self, text: str) -> str | None:
        """The partner whose valid token this is; None for every other text, after the same work."""
        self._refresh()
        form = _FORM.fullmatch(text)
        kept, entry = self._known.get(form[1] if form else "", ("0" * 64, None))
        same = hmac.compare_digest(kept, _digest(text))
        if not same or entry is None or datetime.fromisoformat(entry.said["expires_at"]) <= self.ledger.clock():
            return None
        return entry.partner

    def _refresh(self) -> None:
        with reading(self.ledger.engine) as connection:
            length = chain.last_seq(connection)
        if length == self._read_at:
            return
        entries = self.ledger.notes(ISSUED, REVOKED)
        revoked = {(entry.partner, entry.said["id"]) for entry in entries if entry.kind == REVOKED}
        self._known = {
            entry.said["id"]: (entry.said["sha256"], entry)
            for entry in entries
            if entry.kind == ISSUED and (entry.partner, entry.said["id"]) not in revoked
        }
        self._read_at = length


def _digest(text: str) -> str:
    """256 bits of chance need no slow hash: nobody tries them all."""
    return hashlib.sha256(text.encode()).hexdigest()


def _token(entry: Entry, *, revoked: bool, now: datetime) -> Token:
    said = entry.said
    expired = datetime.fromisoformat(said["expires_at"]) <= now
    state: State = "revoked" if revoked else "expired" if expired else "valid"
    return Token(str(entry.partner), said["id"], state, entry.at, said["expires_at"], said["who"])
