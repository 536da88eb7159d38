"""Starts the server: TLS with files of its own, or behind a proxy that has them; never in clear beyond this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.intake import partial
from acequia.intake.app import Intake
from acequia.intake.desk import Desk
from acequia.opening import keys_of, ledger_of
from acequia.receive import envelope
from acequia.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
CONNECTIONS_AT_MOST = 200


@dataclass(frozen=True)
class Binding:
    """Where the server listens, and how: with a certificate and its key, or behind a proxy at these addresses."""

    host: str = "127.0.0.1"
    port: int = 8443
    certificate: Path | None = None
    key: Path | None = None
    proxies: str | None = None

    def require_safe(self) -> None:
        """Refuse to carry tokens and files in clear over a network, as `usage`."""
        if (self.certificate is None) != (self.key is None):
            raise AcequiaError("usage", "TLS needs both, a certificate and its key")
        if self.certificate is None and self.proxies is None and self.host not in LOOPBACK:
            raise AcequiaError("usage", "without TLS it listens on this machine only, or behind a proxy")


def serve(settings: Settings, binding: Binding) -> None:
    """Serve until stopped.

    Raises:
        AcequiaError: `usage` for a binding that is not safe, or files of TLS that cannot be read.
    """
    import uvicorn

    binding.require_safe()
    desk = desk_of(settings)
    partial.expire(desk.uploads, desk.clock())
    try:
        config = uvicorn.Config(
            Intake(desk).app(),
            host=binding.host,
            port=binding.port,
            ssl_certfile=binding.certificate,
            ssl_keyfile=str(binding.key) if binding.key else None,
            proxy_headers=binding.proxies is not None,
            forwarded_allow_ips=binding.proxies,
            limit_concurrency=CONNECTIONS_AT_MOST,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=20,
            access_log=False,  # addresses hold file names, which are the partner's words
            server_header=False,
            log_level="warning",
        )
        config.load()
    except OSError:
        raise AcequiaError("usage", "the certificate or its key cannot be read") from None
    uvicorn.Server(config).run()


def desk_of(settings: Settings) -> Desk:
    """What the server works with. The intake key is made now if there is none, and the escrow key is looked at."""
    desk = Desk(settings, ledger_of(settings), keys_of(settings))
    envelope.recipients(settings, desk.keys)
    desk.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    return desk
