"""How the server says no: an HTTP status and problem details (RFC 9457), which quote nothing of what was sent.

They say what is wrong, who must act and what to do, in the language that the request prefers.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from acequia.words.answers import ACTS
from acequia.words.figures import Language
from acequia.words.reasons import told

CHECKSUM_MISMATCH = 460  # of the tus checksum extension


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """An answer other than the wanted one: a status of HTTP, a code, a sentence, and headers."""

    def __init__(self, status: int, code: str, what: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, code, what)
        self.status, self.code, self.what, self.headers = status, code, what, dict(headers or {})


def problem(refusal: Refusal, accepted: str) -> JSONResponse:
    """The answer; `accepted` is the request's Accept-Language."""
    language = preferred(accepted)
    who, english, spanish = ACTS.get(refusal.code, ACTS["internal"])
    what = told(refusal.what, language)
    body = {
        "type": f"urn:acequia:problem:{refusal.code}",
        "title": _title(refusal.status),
        "status": refusal.status,
        "detail": what,
        "code": refusal.code,
        "what": what,
        "who_acts": who,
        "what_to_do": english if language == "en" else spanish,
    }
    headers = {**refusal.headers, "Content-Language": language, "Vary": "Accept-Language"}
    return JSONResponse(body, refusal.status, headers, media_type="application/problem+json")


def preferred(accepted: str) -> Language:
    """Spanish where the request wants it rather than English, by the weights of Accept-Language."""
    weights = {"en": 0.0, "es": 0.0}
    for part in accepted[:200].split(","):
        tag, _, weight = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in weights:
            weights[name] = max(weights[name], _weight(weight))
    return "es" if weights["es"] > weights["en"] else "en"


def _weight(text: str) -> float:
    name, _, value = text.replace(" ", "").partition("=")
    try:
        return min(max(float(value), 0.0), 1.0) if name.lower() == "q" else 1.0
    except ValueError:
        return 0.0


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Checksum Mismatch"


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
