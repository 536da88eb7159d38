"""A real upload server in a process of its own, over TLS, and a client that speaks to it as a partner would."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from acequia.demo.servers.child import free_port, wait_for_port
from acequia.intake.tokens import issue
from acequia.opening import ledger_of
from acequia.settings import Settings
from tests.pipeline.world import World, make_world

TUS = {"Tus-Resumable": "1.0.0"}
STREAM = TUS | {"Content-Type": "application/offset+octet-stream"}
PARTNER, FEED, DAY = "pula_mobile", "events", "2026-11-10"
BASE = f"/v1/{PARTNER}/{FEED}/{DAY}"


@dataclass
class Server:
    """One server. `kill` is what a power cut would do to it."""

    settings: Settings
    port: int
    authority: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, token: str = "", **more) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=self.address,
            verify=ssl.create_default_context(cafile=str(self.authority)),
            headers=headers,
            timeout=60,
            trust_env=False,
            **more,
        )


def upload_world(folder: Path, **terms) -> World:
    """The demo's installation, in which one partner uploads."""
    world = make_world(folder)
    path = world.settings.partners / f"{PARTNER}.yaml"
    agreement = yaml.safe_load(path.read_text())
    agreement |= terms.pop("agreement", {})
    delivery = agreement["feeds"][FEED]["delivery"]
    delivery |= {"source": {"type": "upload", "names": "*.csv.gz"}, **terms}
    path.write_text(yaml.safe_dump(agreement, sort_keys=False, allow_unicode=True))
    return world


def token_of(world: World, partner: str = PARTNER, days: int = 30) -> str:
    return issue(ledger_of(world.settings), partner, days=days, who="test")[0]


def certificate(folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not cert.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
    return cert, key


@contextmanager
def server(world: World, folder: Path, port: int = 0) -> Iterator[Server]:
    cert, key = certificate(folder)
    port = port or free_port()
    log = folder / "log"
    env = {**os.environ, "ACEQUIA_HOME": str(world.settings.home), "ACEQUIA_CONFIG": str(world.settings.config)}
    command = [sys.executable, "-m", "acequia", "intake", "serve", "--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--certificate", str(cert), "--key", str(key)], env=env, stdout=output, stderr=output
        )
    try:
        wait_for_port(port, process, log)
        yield Server(world.settings, port, cert, process)
    finally:
        process.kill()
        process.wait()


def named(name: str) -> dict[str, str]:
    return {"Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}"}


def begin(client: httpx.Client, name: str, length: int, base: str = BASE) -> httpx.Response:
    return client.post(f"{base}/", headers=TUS | named(name) | {"Upload-Length": str(length)})


def go_on(client: httpx.Client, where: str, offset: int, content, **headers: str) -> httpx.Response:
    return client.patch(where, content=content, headers=STREAM | {"Upload-Offset": str(offset)} | headers)


def upload(client: httpx.Client, name: str, content: bytes, chunk: int = 1 << 16, base: str = BASE) -> str:
    """The whole protocol for one file, in chunks with checksums; the upload's address."""
    begun = begin(client, name, len(content), base)
    assert begun.status_code == 201, begun.text
    where = begun.headers["location"]
    for offset in range(0, len(content), chunk):
        part = content[offset : offset + chunk]
        said = base64.b64encode(hashlib.sha256(part).digest()).decode()
        answer = go_on(client, where, offset, part, **{"Upload-Checksum": f"sha256 {said}"})
        assert answer.status_code == 204, answer.text
        assert answer.headers["upload-offset"] == str(offset + len(part))
    return where
