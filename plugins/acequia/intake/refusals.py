"""How the server says no: an HTTP status and a short JSON body, which says what is wrong and quotes nothing."""

from __future__ import annotations

from collections.abc import Mapping

CHECKSUM_MISMATCH = 460  # of the tus checksum extension


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """An answer other than the wanted one: a status of HTTP, a code, a sentence, and headers."""

    def __init__(self, status: int, code: str, what: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, code, what)
        self.status, self.code, self.what, self.headers = status, code, what, dict(headers or {})


def not_found() -> Refusal:
    """What is not there, and what is another's: the same answer to both."""
    return Refusal(404, "not_found", "there is no such place")


def not_known() -> Refusal:
    """No token, or none that is valid."""
    return Refusal(401, "token_invalid", "a valid token is needed", {"WWW-Authenticate": 'Bearer realm="acequia"'})


def too_much(seconds: int) -> Refusal:
    """Too many requests."""
    return Refusal(429, "too_many_requests", "too many requests; try again later", {"Retry-After": str(seconds)})


def too_large(what: str) -> Refusal:
    """More bytes than the agreement covers."""
    return Refusal(413, "file_too_large", what)
