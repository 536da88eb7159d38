"""What the benchmarks of the gate share, no benchmark itself: a landing with one delivery, the folders beside it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acequia.agreement.model import Feed
from acequia.flow import DeliveryId, LandedFile, Protected, Raw
from acequia.keys import FileKeyStore
from acequia.protect import gate
from acequia.receive.landing import Landing

PERIOD = "2026-11-16"


@dataclass(frozen=True)
class Workshop:
    """A key store, a landing, 500 cells in 16 districts to look up, and scratch, all below one folder."""

    folder: Path

    def land(self, plain: Path, feed: str) -> Raw:
        """A file as the delivery of a feed."""
        digest = hashlib.sha256(plain.read_bytes()).hexdigest()
        key = f"bench/{feed}/{PERIOD}/{digest[:16]}/1.age"
        self._landing.put(key, plain)
        file = LandedFile(name=plain.name, stored=key, bytes=plain.stat().st_size, sha256=digest)
        delivery = DeliveryId(partner="bench", feed=feed, period=PERIOD, version=1)
        return Raw(delivery=delivery, files=(file,), content_sha256=digest)

    def protect(self, raw: Raw, feed: Feed, *, country: str, language: str) -> Protected:
        """The delivery through the real gate."""
        return gate.protect(
            raw,
            feed,
            country=country,
            language=language,
            landing=self._landing,
            keys=self._keys,
            reference=self.folder / "reference",
            memory_limit="2GB",
            scratch=self.folder / "scratch",
            out=self.folder / "protected.parquet",
        )

    @property
    def _keys(self) -> FileKeyStore:
        return FileKeyStore(self.folder / "keys")

    @property
    def _landing(self) -> Landing:
        return Landing(str(self.folder / "landing"), self._keys)


@contextmanager
def workshop() -> Iterator[Workshop]:
    """One that is gone at the end."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in ("reference", "scratch"):
            (folder / name).mkdir()
        cells = "".join(f"C{n:03d},district {n % 16}\n" for n in range(500))
        (folder / "reference" / "cell_to_district.csv").write_text("cell_id,district\n" + cells, encoding="utf-8")
        yield Workshop(folder)
