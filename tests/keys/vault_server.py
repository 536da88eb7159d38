"""A small KV engine of version 2 as Vault serves it over HTTP: versions, check-and-set, metadata, destruction, tokens.

Written from Vault's API documentation of the KV secrets engine, version 2. It is no Vault: seals, policies, leases and
everything else are absent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

STAMP = "2026-11-22T10:00:00.000000Z"


@dataclass
class Vault:
    """What is stored: path -> versions and the mark of its owner. `token` is the only one that is let in."""

    token: str = "token-of-the-tests"
    url: str = ""
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop_before: str = ""  # an action at which the connection breaks, as if the client were killed there

    def metadata(self, path: str) -> dict[str, Any] | None:
        found = self.kept.get(path)
        if found is None:
            return None
        versions = {
            str(number): {"created_time": STAMP, "deletion_time": one["deleted"], "destroyed": one["destroyed"]}
            for number, one in found["versions"].items()
        }
        return {
            "cas_required": False,
            "created_time": STAMP,
            "current_version": max(found["versions"], default=0),
            "custom_metadata": found["custom"],
            "versions": versions,
        }


@contextmanager
def vault_server() -> Iterator[Vault]:
    """Serve the mount `secret` on a free port of 127.0.0.1."""
    vault = Vault()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"vault": vault}))
    vault.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    vault: Vault

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = json.loads(body) if body else {}
        parts = urlsplit(self.path)
        _, _, mount, action, path = (*parts.path.split("/", 4), "")[:5]
        if self.headers.get("X-Vault-Token") != self.vault.token:
            return self._answer(403, {"errors": ["permission denied"]})
        if mount != "secret":
            return self._answer(404, {"errors": [f'no handler for route "{mount}/{action}/{path}"']})
        if action == self.vault.stop_before:
            return self.connection.close()
        if parse_qs(parts.query).get("list") == ["true"]:
            method = "LIST"
        with self.vault.lock:
            status, answer = getattr(self, f"_{action}")(method, path.rstrip("/"), given)
        return self._answer(status, answer)

    def do_GET(self) -> None:
        self._handle("GET")

    def do_LIST(self) -> None:
        self._handle("LIST")

    def do_POST(self) -> None:
        self._handle("POST")

    do_PUT = do_POST

    def _data(self, method: str, path: str, given: Any) -> tuple[int, Any]:
        kept, blank = self.vault.kept, {"versions": {}, "custom": None}
        current = max(kept.get(path, blank)["versions"], default=0)
        if method == "POST":
            if "cas" in given.get("options", {}) and given["options"]["cas"] != current:
                return 400, {"errors": ["check-and-set parameter did not match the current version"]}
            one = kept.setdefault(path, blank)
            one["versions"][current + 1] = {"data": given["data"], "deleted": "", "destroyed": False}
            made = {"version": current + 1, "created_time": STAMP, "deletion_time": "", "destroyed": False}
            return 200, {"data": {**made, "custom_metadata": one["custom"]}}
        if path not in kept or not current:
            return 404, {"errors": []}
        latest = kept[path]["versions"][current]
        gone = latest["destroyed"] or latest["deleted"]
        metadata = {"version": current, "created_time": STAMP, "deletion_time": latest["deleted"],
                    "destroyed": latest["destroyed"], "custom_metadata": kept[path]["custom"]}  # fmt: skip
        data = None if gone else latest["data"]
        return (404 if gone else 200), {"data": {"data": data, "metadata": metadata}}

    def _metadata(self, method: str, path: str, given: Any) -> tuple[int, Any]:
        if method == "LIST":
            inside = [name.removeprefix(f"{path}/") for name in self.vault.kept if name.startswith(f"{path}/")]
            names = sorted({name if "/" not in name else name.split("/")[0] + "/" for name in inside})
            return (200, {"data": {"keys": names}}) if names else (404, {"errors": []})
        if method == "POST":
            one = self.vault.kept.setdefault(path, {"versions": {}, "custom": None})
            one["custom"] = given.get("custom_metadata", one["custom"])
            return 204, None
        found = self.vault.metadata(path)
        return (200, {"data": found}) if found else (404, {"errors": []})

    def _destroy(self, _: str, path: str, given: Any) -> tuple[int, Any]:
        for number in given["versions"]:
            if one := self.vault.kept[path]["versions"].get(int(number)):
                one |= {"data": None, "destroyed": True}
        return 204, None

    def _answer(self, status: int, answer: Any) -> None:
        sent = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)
