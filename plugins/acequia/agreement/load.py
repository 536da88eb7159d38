"""Reading agreement files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acequia.agreement.model import Agreement, Feed


@dataclass(frozen=True)
class Signed:
    """An agreement with the SHA-256 of the file's bytes, which names its exact wording in ledger and lineage."""

    agreement: Agreement
    sha256: str
    path: Path


def load(path: Path) -> Signed:
    """Read one agreement file; every error at once, as `agreement_invalid`."""
    raw = path.read_bytes()
    return Signed(Agreement.model_validate(_frozen(yaml.safe_load(raw))), hashlib.sha256(raw).hexdigest(), path)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


__all__ = ["Feed", "Signed", "load"]
