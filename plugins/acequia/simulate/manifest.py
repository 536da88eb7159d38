"""The partner's list of what it sends: file names, sizes, rows and SHA-256, as docs/partners.md asks for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from acequia.period import Period

NAME = "manifest.json"


def write_manifest(files: list[Path], rows: list[int], period: Period) -> Path:
    """Write the manifest beside the data files. Row counts belong to the files in the same order."""
    listed = [
        {"name": file.name, "bytes": file.stat().st_size, "rows": count, "sha256": digest(file)}
        for file, count in zip(files, rows, strict=True)
    ]
    return save({"period": period.label, "files": listed}, files[0].parent / NAME)


def digest(file: Path) -> str:
    """SHA-256 of the file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def save(manifest: dict[str, object], path: Path) -> Path:
    """Write it as JSON."""
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return path
