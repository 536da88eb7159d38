"""A feed made of a few columns, a real landing, and the gate between them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acequia.agreement.model import Feed
from acequia.flow import DeliveryId, LandedFile, Protected, Raw
from acequia.keys import FileKeyStore
from acequia.protect.gate import protect
from acequia.receive.landing import Landing


@dataclass(frozen=True)
class Through:
    """What came through the gate, and what did not."""

    protected: Protected
    table: pa.Table
    aside: pa.Table | None
    out: Path

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.table.to_pylist()

    def column(self, name: str) -> list[Any]:
        return self.table.column(name).to_pylist()


@pytest.fixture
def feed() -> Callable[..., Feed]:
    def make(
        columns: Mapping[str, Mapping[str, Any]],
        *,
        format: str = "csv",  # noqa: A002
        options: Mapping[str, Any] | None = None,
        rows: Mapping[str, Any] | None = None,
        **delivery: Any,
    ) -> Feed:
        return Feed.model_validate(
            {
                "delivery": {
                    "source": {"type": "folder", "path": "{period}/*"},
                    "format": format,
                    "options": dict(options or {}),
                    "schedule": "0 6 * * *",
                    "timezone": "Africa/Gaborone",
                    "period": "day",
                    "due_within_hours": 30,
                    **delivery,
                },
                "columns": {name: dict(column) for name, column in columns.items()},
                "rows": dict(rows or {}),
                "tables": {
                    "all": {
                        "describe": "Everything.",
                        "by": (),
                        "measures": {"rows_count": {"count": "rows"}},
                        "protect": {"none_because": "a test"},
                    }
                },
            }
        )

    return make


@pytest.fixture
def gate(tmp_path: Path, keys: FileKeyStore) -> Callable[..., Through]:
    """Land files, take them through the gate, and read back what it wrote."""
    landing = Landing(str(tmp_path / "landing"), keys)
    reference = tmp_path / "reference"
    reference.mkdir()
    runs = 0

    def run(
        feed: Feed,
        *contents: bytes,
        partner: str = "pula_mobile",
        feed_name: str = "events",
        period: str = "2026-11-16",
        references: Mapping[str, str] | None = None,
        memory_limit: str = "1GB",
        country: str = "BW",
        language: str = "en",
    ) -> Through:
        nonlocal runs
        runs += 1
        for name, text in (references or {}).items():
            (reference / f"{name}.csv").write_text(text, encoding="utf-8")
        files = []
        for number, content in enumerate(contents):
            digest = hashlib.sha256(content).hexdigest()
            key = f"{partner}/{feed_name}/{period}/{digest[:16]}/{number}.age"
            plain = tmp_path / f"sent-{runs}-{number}"
            plain.write_bytes(content)
            landing.put(key, plain)
            files.append(LandedFile(name=f"{number}", stored=key, bytes=len(content), sha256=digest))
        raw = Raw(
            delivery=DeliveryId(partner=partner, feed=feed_name, period=period, version=1),
            files=tuple(files),
            content_sha256=hashlib.sha256(b"".join(contents)).hexdigest(),
        )
        scratch = tmp_path / f"scratch-{runs}"
        scratch.mkdir()
        out = tmp_path / "workspace" / f"{runs}" / "protected.parquet"
        protected = protect(
            raw,
            feed,
            country=country,
            language=language,
            landing=landing,
            keys=keys,
            reference=reference,
            memory_limit=memory_limit,
            scratch=scratch,
            out=out,
        )
        aside = None
        if protected.set_aside_stored:
            landing.fetch(protected.set_aside_stored, tmp_path / f"aside-{runs}.parquet")
            aside = pq.read_table(tmp_path / f"aside-{runs}.parquet")
        return Through(protected, pq.read_table(out), aside, out)

    return run
