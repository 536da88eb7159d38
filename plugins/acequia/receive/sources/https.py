"""Files of an HTTPS server. It cannot be listed: one path is asked for, or the files that the manifest names."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from acequia.errors import AcequiaError
from acequia.receive.connections import Connection
from acequia.receive.manifest import SIGNED_NAME, parse
from acequia.receive.names import ENCRYPTED, Pattern, joined
from acequia.receive.signed import TOKEN_AT_MOST, unverified
from acequia.receive.sources.source import Bounded, Found, Listing, bounded, changed

if TYPE_CHECKING:
    import httpx

CHUNK = 1 << 20
REDIRECTS_AT_MOST = 3
NO_SUCH_FILE, NO_SUCH_METHOD, NOT_ALLOWED = frozenset((404, 410)), frozenset((405, 501)), frozenset((401, 403, 407))


@dataclass(frozen=True)
class HttpsFiles:
    """The files below the client's base address; `manifests` are the names of a manifest that may be agreed."""

    client: httpx.Client
    pattern: Pattern
    manifests: tuple[str, ...]
    atomic: bool = False

    def listing(self) -> Listing:
        """What is there now: manifests first, since they may name the files."""
        if self.pattern.varying:
            raise AcequiaError("path_escapes", "an https source may have wildcards in the file's name only")
        folder = joined(self.pattern.fixed)
        exact = self._exact_names()
        asked = (
            self._head(folder, name) for form in self.manifests for name in (*(f"{own}.{form}" for own in exact), form)
        )
        manifest = next((found for found in asked if found), None)
        files = (self._head(folder, name) for name in exact or self._named(manifest))
        return bounded(Listing(tuple(found for found in files if found), (manifest,) if manifest else ()))

    def _exact_names(self) -> tuple[str, ...]:
        """The names of the one file that a path without wildcard names: encrypted, it has a longer one."""
        name = self.pattern.name
        if not self.pattern.is_exact:
            return ()
        return (name + ENCRYPTED, name) if self.pattern.encrypted else (name,)

    def fetch(self, found: Found, target: Path, at_most: int) -> None:
        """Download the file."""
        with self._open("GET", found.place) as answer, target.open("wb") as file:
            if answer.status_code != 200 or _fingerprint(answer) != found.fingerprint:
                raise changed()
            copy = Bounded(file, at_most)
            for chunk in answer.iter_raw(CHUNK):
                copy.write(chunk)

    def _named(self, manifest: Found | None) -> list[str]:
        """The files that the manifest names; none when it cannot be read, which is told when it is judged."""
        if manifest is None:
            return []
        raw = b""
        with self._open("GET", manifest.place) as answer:
            for chunk in answer.iter_raw(CHUNK):
                raw += chunk
                if len(raw) > TOKEN_AT_MOST:
                    return []
        try:
            said = unverified(raw) if manifest.name.endswith(SIGNED_NAME) else parse(raw)
            return [name for name in sorted(said.by_name) if self.pattern.takes(name)]
        except AcequiaError:
            return []

    def _head(self, folder: str, name: str) -> Found | None:
        """What the server says of a file before its content; some servers know no HEAD."""
        place = joined((folder, name))
        for method in ("HEAD", "GET"):
            with self._open(method, place) as answer:
                if answer.status_code in NO_SUCH_FILE:
                    return None
                if answer.status_code == 200:
                    length = answer.headers.get("content-length", "")
                    size = int(length) if length.isdecimal() else None
                    return Found(place, folder, name, name, size, _fingerprint(answer), *_moments(answer))
        raise AcequiaError("source_unreachable", "the HTTPS server answers neither HEAD nor GET")

    @contextmanager
    def _open(self, method: str, place: str) -> Iterator[httpx.Response]:
        """An answer with status 200, or one that says that there is no such file or method."""
        url = quote(place)
        with _naming_errors():
            for _ in range(REDIRECTS_AT_MOST + 1):
                with self.client.stream(method, url) as answer:
                    if not answer.is_redirect:
                        _require_success(answer)
                        yield answer
                        return
                    url = _same_server(answer)
            raise AcequiaError("source_denied", "the server redirects in a circle")


@contextmanager
def https_files(connection: Connection, pattern: Pattern, manifests: tuple[str, ...]) -> Iterator[HttpsFiles]:
    """Open a client, and close it when the block ends. Plain http is refused as `connection_invalid`."""
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes every address, with its file name, to the log
    connection.require("base_url")
    base = httpx.URL(str(connection.base_url).rstrip("/") + "/")
    if base.scheme != "https" or not base.host:
        raise AcequiaError("connection_invalid", "base_url does not begin with https://")
    headers = {"Accept-Encoding": "identity", "User-Agent": "acequia"}
    if connection.token:
        headers["Authorization"] = f"Bearer {connection.token}"
    login = (connection.user, connection.password or "") if connection.user else None
    with httpx.Client(
        base_url=base,
        auth=login,
        headers=headers,
        verify=_trusted(connection.ca_file),
        follow_redirects=False,
        timeout=httpx.Timeout(60, connect=15),
        trust_env=base.host not in ("127.0.0.1", "localhost"),  # no proxy on the way to ourselves
    ) as client:
        yield HttpsFiles(client, pattern, manifests)


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise AcequiaError("connection_invalid", "ca_file cannot be read as PEM") from None


def _require_success(answer: httpx.Response) -> None:
    status = answer.status_code
    if status in NOT_ALLOWED:
        raise AcequiaError("source_denied", f"the HTTPS server answered {status}")
    if status != 200 and status not in NO_SUCH_FILE | NO_SUCH_METHOD:
        raise AcequiaError("source_unreachable", f"the HTTPS server answered {status}")


def _same_server(answer: httpx.Response) -> str:
    """Where a redirect leads, provided that it stays on the server: the login is for no one else."""
    import httpx

    try:
        target = answer.url.join(answer.headers.get("location", ""))
    except httpx.InvalidURL:
        raise AcequiaError("source_denied", "the server redirects to an address that is none") from None
    own = answer.url
    if (target.scheme, target.host, target.port) != (own.scheme, own.host, own.port):
        raise AcequiaError("source_denied", "the server redirects to another one, which the agreement does not name")
    return str(target)


@contextmanager
def _naming_errors() -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.ConnectError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error) or "SSL" in str(error):
            raise AcequiaError("source_denied", "the HTTPS server's certificate is not one that we trust") from None
        raise AcequiaError("source_unreachable", "the HTTPS server does not answer") from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        raise AcequiaError("source_unreachable", f"the HTTPS transfer failed ({type(error).__name__})") from None


def _fingerprint(answer: httpx.Response) -> str:
    return "|".join(answer.headers.get(name, "") for name in ("etag", "last-modified", "content-length"))


def _moments(answer: httpx.Response) -> tuple[float | None, float | None]:
    """Its age in seconds, and when it last changed, by the server's clock; None each where the server does not say."""
    now, last = (_moment(answer, name) for name in ("date", "last-modified"))
    return (None if now is None or last is None else now - last), last


def _moment(answer: httpx.Response, name: str) -> float | None:
    try:
        return parsedate_to_datetime(answer.headers[name]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
