"""Files in the formats of an agreement: the same bytes for the same rows, so no clock and no file name inside."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

from acequia.agreement.delivery import FormatOptions
from acequia.agreement.model import Feed
from acequia.errors import AcequiaError

_ENDINGS = {"csv": ".csv", "parquet": ".parquet", "jsonl": ".jsonl"}


def render(table: Any, feed: Feed, path: Path, *, append: bool = False) -> None:
    """Write one part as a file; `append` adds it to what is there (CSV without a second header, JSONL)."""
    form = feed.delivery.format
    if form not in _ENDINGS:
        raise AcequiaError("usage", f"simulated deliveries are {', '.join(_ENDINGS)}, not {form}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "parquet":
        _parquet(table, path)
        return
    ready = _as_text(table, feed)
    data = _csv(ready, feed.delivery.options, header=not append) if form == "csv" else _jsonl(ready)
    data = _encoded(data, feed.delivery.options.encoding, first=not append)
    with path.open("ab" if append else "wb") as file:
        file.write(packed(data) if path.suffix == ".gz" else data)


def packed(data: bytes) -> bytes:
    """Gzip without time or name, so that it depends on the data alone. Members one after another are one file."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=6) as file:
        file.write(data)
    return buffer.getvalue()


def _parquet(table: Any, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")


def _as_text(table: Any, feed: Feed) -> Any:
    """Times as text: in the way the agreement says, else ISO 8601."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if pa.types.is_temporal(field.type):
            usual = "%Y-%m-%d" if pa.types.is_date(field.type) else "%Y-%m-%d %H:%M:%S"
            text = pc.strftime(table.column(place), format=feed.columns[field.name].parse or usual)
            table = table.set_column(place, field.name, text)
    return table


def _csv(table: Any, options: FormatOptions, *, header: bool) -> bytes:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    if options.quote != '"' or "" not in options.null_values:
        raise AcequiaError("usage", 'simulated CSV is quoted with " and writes nothing for null')
    for place, field in enumerate(table.schema):
        if options.decimal_comma and pa.types.is_floating(field.type):
            text = pc.replace_substring(table.column(place).cast(pa.string()), ".", ",")
            table = table.set_column(place, field.name, text)
    write = csv.WriteOptions(include_header=header and options.header, delimiter=options.delimiter)
    buffer = pa.BufferOutputStream()
    csv.write_csv(table, buffer, write)
    data: bytes = buffer.getvalue().to_pybytes()
    return data


def _encoded(data: bytes, encoding: str, *, first: bool) -> bytes:
    """UTF-8 in the agreed encoding; a byte order mark stands at the start of the file alone."""
    if encoding.lower() in ("utf-8", "utf8"):
        return data
    changed = data.decode().encode(encoding)
    mark = len("".encode(encoding))
    return changed if first else changed[mark:]


def _jsonl(table: Any) -> bytes:
    text: str = table.to_pandas().to_json(orient="records", lines=True, force_ascii=False, double_precision=6)
    return (text if text.endswith("\n") or not text else text + "\n").encode()
