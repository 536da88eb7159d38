"""A partner's HTTPS file server: a token opens it, its certificate is signed by an authority of its own."""

from __future__ import annotations

import http.server
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from acequia.demo.servers.child import LOOPBACK
from acequia.receive.connections import Connection

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class HttpsServer:
    """A running server: `connection` holds the token and the authority's certificate.

    `redirects` sends a path elsewhere (`/a` -> `https://…`), for trying how a client takes it.
    """

    folder: Path
    connection: Connection
    redirects: dict[str, str] = field(default_factory=dict)


@contextmanager
def https_server(folder: Path, keys: Path) -> Iterator[HttpsServer]:
    """Serve the folder until the block ends, in threads of this process; keys and certificates go to `keys`."""
    folder.mkdir(parents=True, exist_ok=True)
    keys.mkdir(parents=True, exist_ok=True)
    token, redirects = secrets.token_urlsafe(24), dict[str, str]()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificates(keys))
    server = _Server(folder.resolve(), token, redirects, context)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="https-server", daemon=True)
    thread.start()
    try:
        base = f"https://{LOOPBACK}:{server.server_address[1]}/"
        yield HttpsServer(folder, Connection(base_url=base, ca_file=str(keys / "ca.pem"), token=token), redirects)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, token: str, redirects: dict[str, str], context: ssl.SSLContext) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.folder, self.token, self.redirects = folder, token, redirects
        # The handshake happens in the thread of the connection: a client that never speaks must not stop the others.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self._may_pass():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._may_pass():
            super().do_HEAD()

    def translate_path(self, path: str) -> str:
        self.directory = str(self.server.folder)
        return super().translate_path(path)

    def list_directory(self, path: object) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Nothing is logged: paths may name people."""

    def _may_pass(self) -> bool:
        given = self.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            self.send_error(401)
            return False
        elsewhere = self.server.redirects.get(self.path)
        if elsewhere:
            self.send_response(302)
            self.send_header("Location", elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        if not Path(self.translate_path(self.path)).resolve().is_relative_to(self.server.folder):
            self.send_error(404)
            return False
        return True


def _certificates(keys: Path) -> tuple[Path, Path]:
    """Make an authority (`ca.pem`) and a certificate for 127.0.0.1; the paths of the certificate and its key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    certificate = serialization.Encoding.PEM
    (keys / "ca.pem").write_bytes(_signed("Demonstration authority", authority, None).public_bytes(certificate))
    (keys / "server.pem").write_bytes(_signed("partner", own, authority).public_bytes(certificate))
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (keys / "server.key").touch(mode=0o600)
    (keys / "server.key").write_bytes(key)
    return keys / "server.pem", keys / "server.key"


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey | None
) -> x509.Certificate:
    """A certificate; without `authority` one of an authority itself."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    issuer, now, is_authority = authority or key, datetime.now(UTC), authority is None
    issuer_name = "Demonstration authority"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if not is_authority:
        names = [x509.IPAddress(ipaddress.ip_address(LOOPBACK)), x509.DNSName("localhost")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
