"""Where things are, read from the environment once, by whoever starts the work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acequia.errors import AcequiaError


@dataclass(frozen=True)
class Settings:
    """Places and engine. Paths are absolute; `lake` and `landing` are a folder's path or `s3://bucket/prefix`."""

    home: Path
    config: Path
    lake: str
    landing: str
    database: str
    engine: Literal["duckdb", "spark"] = "duckdb"
    memory_limit: str = "4GB"
    openlineage_url: str = ""
    keys: str = "file"
    escrow: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read `ACEQUIA_*`; every setting has a default that works on one machine."""
        env = os.environ if environ is None else environ
        home = Path(env.get("ACEQUIA_HOME") or ".acequia").absolute()
        engine = env.get("ACEQUIA_ENGINE") or "duckdb"
        if engine not in ("duckdb", "spark"):
            raise AcequiaError("usage", "ACEQUIA_ENGINE is neither duckdb nor spark")
        if engine == "spark":
            raise AcequiaError("usage", "ACEQUIA_ENGINE=spark is agreed on but not built yet; leave it out")
        return cls(
            home=home,
            config=Path(env.get("ACEQUIA_CONFIG") or "config").absolute(),
            lake=_place(env.get("ACEQUIA_LAKE"), home / "lake"),
            landing=_place(env.get("ACEQUIA_LANDING"), home / "landing"),
            database=env.get("ACEQUIA_DATABASE") or f"sqlite:///{home / 'ledger.db'}",
            engine=engine,  # type: ignore[arg-type]
            memory_limit=env.get("ACEQUIA_MEMORY_LIMIT") or "4GB",
            openlineage_url=env.get("ACEQUIA_OPENLINEAGE_URL") or "",
            keys=env.get("ACEQUIA_KEYS") or "file",
            escrow=env.get("ACEQUIA_ESCROW_RECIPIENT") or "",
        )

    @property
    def partners(self) -> Path:
        """The folder of agreement files."""
        return self.config / "partners"

    @property
    def reference(self) -> Path:
        """The folder of public reference tables."""
        return self.config / "reference"

    @property
    def expectations(self) -> Path:
        """Checks that the agreements cannot say, beside the configuration."""
        own = self.config / "expectations"
        return own if own.is_dir() else self.config.parent / "expectations"

    @property
    def workspace(self) -> Path:
        """The restricted store of protected rows, by delivery."""
        return self.home / "workspace"


def _place(given: str | None, default: Path) -> str:
    if not given:
        return str(default)
    return given.rstrip("/") if "://" in given else str(Path(given).absolute())
