"""Webhooks: JSON signed as the Standard Webhooks specification says, to verified servers, with bounds on everything.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import logging
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from acequia.errors import AcequiaError
from acequia.notices.outcome import UnsentError
from acequia.receive.connections import Connection

if TYPE_CHECKING:
    import httpx

PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)  # as the specification asks
ANSWERED_WITHIN_S, TAKEN_WITHIN_S, READ_AT_MOST = 10.0, 30.0, 65536
# An answer about this one message; after any other one, the endpoint itself is taken to be out of order.
_OF_MESSAGE = frozenset({400, 406, 409, 413, 415, 422})
_LOCAL = frozenset({"127.0.0.1", "localhost"})


def secret_of(connection: Connection) -> bytes:
    """The key that the connection's `token` holds: `whsec_` and 24 to 64 bytes in Base64.

    Raises:
        AcequiaError: `connection_invalid`.
    """
    connection.require("token")
    try:
        secret = base64.b64decode(str(connection.token).removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) not in SECRET_BYTES:
        raise AcequiaError("connection_invalid", "token is no webhook secret: whsec_ and 24 to 64 bytes in Base64")
    return secret


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 over id, timestamp and body, in Base64."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def body_of(payload: Mapping[str, Any]) -> bytes:
    """The JSON that is posted: one spelling, so that the same notice is the same bytes again."""
    return json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(secret: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What is sent with the body. The id is the same at every try, the timestamp is that of the try."""
    return {
        "content-type": "application/json",
        "user-agent": "acequia",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }


class Hook:
    """An open client for one endpoint."""

    def __init__(self, client: httpx.Client, url: str, secret: bytes) -> None:
        self._client, self._url, self._secret = client, url, secret

    def post(self, message_id: str, timestamp: int, payload: Mapping[str, Any]) -> None:
        """Post one message; any answer of 2xx means that it was taken. Redirects are not followed.

        Raises:
            UnsentError: otherwise.
        """
        body = body_of(payload)
        headers = headers_of(self._secret, message_id, timestamp, body)
        sent = self._client.stream("POST", self._url, content=body, headers=headers)
        with _naming_errors(), _bounded(self._client), sent as answer:
            status = answer.status_code
            _read_out(answer)
        if not 200 <= status < 300:
            raise UnsentError(f"the endpoint answered {status}", scope="address" if status in _OF_MESSAGE else "server")


@contextmanager
def hook(connection: Connection) -> Iterator[Hook]:
    """Open a client for the connection's `url` (or `base_url`), which must begin with https://.

    Raises:
        AcequiaError: `connection_invalid`.
    """
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes every address to the log, which may be a secret
    secret = secret_of(connection)
    try:
        url = httpx.URL(str(connection.url or connection.base_url or ""))
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme != "https" or not url.host:
        raise AcequiaError("connection_invalid", "url does not begin with https://")
    with httpx.Client(
        verify=_trusted(connection.ca_file),
        follow_redirects=False,
        timeout=httpx.Timeout(ANSWERED_WITHIN_S),
        trust_env=url.host not in _LOCAL,  # no proxy on the way to ourselves
    ) as client:
        yield Hook(client, str(url), secret)


def _read_out(answer: httpx.Response) -> None:
    """Read the rest, up to a bound, so that the line can be used again. What it says is of no interest."""
    import httpx

    read = 0
    with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
        for chunk in answer.iter_raw():
            read += len(chunk)
            if read > READ_AT_MOST:
                return


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise AcequiaError("connection_invalid", "ca_file cannot be read as PEM") from None


@contextmanager
def _bounded(client: httpx.Client) -> Iterator[None]:
    """Close the client after so many seconds: a server that sends a byte now and then would never time out."""
    timer = threading.Timer(TAKEN_WITHIN_S, client.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _naming_errors() -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.ConnectError as error:
        told = "CERTIFICATE_VERIFY_FAILED" in str(error) or "SSL" in str(error)
        what = "the endpoint's certificate is not one that we trust" if told else "the endpoint does not answer"
        raise UnsentError(what, scope="server") from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, RuntimeError) as error:
        raise UnsentError(f"the transfer failed ({type(error).__name__})", scope="server", unknown=True) from None
