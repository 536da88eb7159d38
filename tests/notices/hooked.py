"""A real HTTPS endpoint, which keeps what is posted to it, and answers as it is told to."""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acequia.receive.connections import Connection


@dataclass
class HookServer:
    """`posted` holds headers and body of every request, by path; `answers` the status by path (204)."""

    base: str
    ca_file: str
    token: str
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    drips: set[str] = field(default_factory=set)

    def connection(self, path: str = "/partner") -> Connection:
        return Connection(url=f"{self.base}{path}", ca_file=self.ca_file, token=self.token)

    def at(self, path: str = "/partner") -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for place, headers, body in self.posted if place == path]

    def types(self, path: str = "/partner") -> list[str]:
        return [json.loads(body)["type"] for _, body in self.at(path)]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        told: HookServer = self.server.told
        body = self.rfile.read(int(self.headers["content-length"]))
        told.posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        if self.path in told.drips:
            self._drip()
            return
        status = told.answers.get(self.path, 204)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        """A byte now and then, and never an answer."""
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(200):
                self.wfile.write(b"X-A: b\r\n")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def hook_server(authority: Path) -> Iterator[HookServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    token = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    told = HookServer(f"https://127.0.0.1:{server.server_address[1]}", str(authority / "ca.pem"), token)
    server.told = told  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
