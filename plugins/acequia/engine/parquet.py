"""Writing small tables as Parquet so that the same rows are the same bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_OF_A_GROUP = 131_072


def write_parquet(table: pa.Table, path: Path) -> str:
    """Write a table whole or not at all; its rows must be in a total order. Returns the SHA-256 of the file."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.{os.getpid()}.partial")
    # pages follow the chunks of the columns, and these follow threads
    pq.write_table(table.combine_chunks(), staged, compression="zstd", row_group_size=ROWS_OF_A_GROUP)
    with staged.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    staged.replace(path)
    return digest
