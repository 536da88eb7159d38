"""Crooked Parquet files."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq

from tests.malformed.cases import OK, Case, case
from tests.malformed.crooked import ROWS

UNREADABLE, TRUNCATED, EMPTY, BOMB, INVALID = (
    "file_unreadable",
    "file_truncated",
    "file_empty",
    "archive_bomb",
    "rows_invalid",
)
UNLISTED, MISSING, REPEATED, RANGE = "column_unlisted", "column_missing", "column_repeated", "rows_outside_range"


def columns(count: int = ROWS) -> dict[str, pa.Array]:
    start = datetime(2026, 11, 10)  # noqa: DTZ001 - as it is written in Parquet
    return {
        "id": pa.array([f"p{n:03}" for n in range(count)]),
        "n": pa.array([n % 100 for n in range(count)], pa.int64()),
        "x": pa.array([n / 4 for n in range(count)], pa.float64()),
        "at": pa.array([start + timedelta(hours=n % 24) for n in range(count)], pa.timestamp("us")),
        "day": pa.array([date(2026, 11, 10)] * count, pa.date32()),
        "ok": pa.array([bool(n % 2) for n in range(count)]),
        "note": pa.array([f"note {n}" for n in range(count)]),
    }


def written(made: dict[str, pa.Array] | pa.Table, **options: object) -> bytes:
    table = made if isinstance(made, pa.Table) else pa.table(made)
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


@cache
def plain() -> bytes:
    return written(columns())


def footer(data: bytes) -> int:
    """Where the footer begins."""
    return len(data) - 8 - int(struct.unpack("<I", data[-8:-4])[0])


def _parquet(name: str, make: object, *ends: str) -> Case:
    return case("parquet", name, make, *ends, file="2026-11-10.parquet")  # type: ignore[arg-type]


def _with(**changed: pa.Array) -> bytes:
    return written(columns() | changed)


def cases() -> Iterator[Case]:
    yield from _files()
    yield from _types()
    yield from _sizes()


def _files() -> Iterator[Case]:
    yield _parquet("sound", plain, OK)
    for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
        yield _parquet(f"packed by {codec}", lambda codec=codec: written(columns(), compression=codec), OK)
    yield _parquet("pages of version 2", lambda: written(columns(), data_page_version="2.0", version="2.6"), OK)
    yield _parquet("empty", b"", EMPTY)
    yield _parquet("magic alone", b"PAR1", TRUNCATED)
    yield _parquet("magic twice", b"PAR1PAR1", TRUNCATED)
    yield _parquet("magic around zeros", b"PAR1" + bytes(100) + b"PAR1", UNREADABLE)
    yield _parquet("csv", b"id,n,x\n1,2,3\n", UNREADABLE)
    yield _parquet("wrong magic", lambda: b"PAR2" + plain()[4:], UNREADABLE)
    yield _parquet("encrypted footer magic", lambda: b"PARE" + plain()[4:-4] + b"PARE", UNREADABLE)
    for cut in (5, 100, 1000):
        yield _parquet(f"first {cut} bytes", lambda cut=cut: plain()[:cut], TRUNCATED)
    yield _parquet("last byte missing", lambda: plain()[:-1], TRUNCATED)
    yield _parquet("middle missing", lambda: plain()[:200] + plain()[900:], UNREADABLE)
    yield _parquet("twice", lambda: plain() * 2, OK, UNREADABLE)
    yield _parquet("rubbish before", lambda: b"rubbish" + plain(), UNREADABLE)
    for name, length in (("zero", 0), ("huge", 2**32 - 1), ("whole file", 10_000), ("one", 1)):
        yield _parquet(
            f"footer length {name}",
            lambda length=length: plain()[:-8] + struct.pack("<I", length) + b"PAR1",
            UNREADABLE,
            TRUNCATED,
        )
    yield _parquet(
        "footer of zeros",
        lambda: plain()[: footer(plain())] + bytes(500) + struct.pack("<I", 500) + b"PAR1",
        UNREADABLE,
    )
    yield _parquet(
        "footer of ones",
        lambda: plain()[: footer(plain())] + b"\xff" * 500 + struct.pack("<I", 500) + b"PAR1",
        UNREADABLE,
    )
    yield _parquet(
        "pages of zeros", lambda: plain()[:4] + bytes(footer(plain()) - 4) + plain()[footer(plain()) :], UNREADABLE
    )
    yield _parquet(
        "pages of ones", lambda: plain()[:4] + b"\xff" * (footer(plain()) - 4) + plain()[footer(plain()) :], UNREADABLE
    )
    yield _parquet("rows stated absurdly", lambda: _rows_stated(2**40), UNREADABLE, RANGE, BOMB)
    yield _parquet("rows stated below zero", lambda: _rows_stated(-5), UNREADABLE, RANGE, OK)
    yield _parquet("encrypted", _encrypted, UNREADABLE)
    yield _parquet("encrypted with a plain footer", lambda: _encrypted(plaintext_footer=True), UNREADABLE)


def _types() -> Iterator[Case]:
    count, base = ROWS, columns()
    yield _parquet("integers as text", lambda: _with(n=base["n"].cast(pa.string())), OK)
    yield _parquet("everything text", lambda: written({k: v.cast(pa.string()) for k, v in base.items()}), OK, INVALID)
    yield _parquet("a list", lambda: _with(note=pa.array([["a"]] * count)), UNREADABLE)
    yield _parquet("a record", lambda: _with(note=pa.array([{"a": 1}] * count)), UNREADABLE)
    yield _parquet(
        "a map", lambda: _with(note=pa.array([[("a", 1)]] * count, pa.map_(pa.string(), pa.int64()))), UNREADABLE
    )
    yield _parquet("deep records", _deep, UNREADABLE)
    yield _parquet("all null type", lambda: _with(note=pa.nulls(count)), OK, UNREADABLE)
    yield _parquet("all null required", lambda: _with(x=pa.nulls(count, pa.float64())), INVALID)
    yield _parquet("dictionary", lambda: _with(note=base["note"].dictionary_encode()), OK)
    yield _parquet("decimal", lambda: _with(x=pa.array([Decimal("1.5")] * count, pa.decimal128(38, 10))), OK)
    yield _parquet(
        "wide decimal",
        lambda: _with(x=pa.array([Decimal("1.5")] * count, pa.decimal256(70, 10))),
        OK,
        UNREADABLE,
        INVALID,
    )
    yield _parquet("int96", lambda: written(columns(), use_deprecated_int96_timestamps=True), OK)
    for unit in ("s", "ms", "us", "ns"):
        yield _parquet(f"timestamp in {unit}", lambda unit=unit: _with(at=base["at"].cast(pa.timestamp(unit))), OK)
    yield _parquet("timestamp with zone", lambda: _with(at=base["at"].cast(pa.timestamp("us", "UTC"))), OK)
    yield _parquet(
        "timestamps far away", lambda: _with(at=pa.array([2**62] * count, pa.int64()).cast(pa.timestamp("us"))), INVALID
    )
    yield _parquet(
        "dates far away", lambda: _with(day=pa.array([2**31 - 1] * count, pa.int32()).cast(pa.date32())), INVALID
    )
    yield _parquet("time of day", lambda: _with(at=pa.array([1] * count, pa.time64("us"))), INVALID)
    yield _parquet("duration", lambda: _with(n=pa.array([1] * count, pa.duration("us"))), OK, INVALID)
    yield _parquet("bytes that are text", lambda: _with(note=base["note"].cast(pa.binary())), OK)
    yield _parquet(
        "bytes that are no text", lambda: _with(note=pa.array([b"\xff\xfe"] * count, pa.binary())), OK, "encoding_wrong"
    )
    yield _parquet("text that is no utf-8", _no_utf8, "encoding_wrong", UNREADABLE)
    yield _parquet("fixed bytes", lambda: _with(note=pa.array([b"ab"] * count, pa.binary(2))), OK)
    yield _parquet("half floats", lambda: _with(x=pa.array([1.5] * count, pa.float16())), OK, UNREADABLE)
    yield _parquet("nan and infinity", lambda: _with(x=pa.array([float("nan"), float("inf")] * (count // 2))), INVALID)
    yield _parquet("unsigned", lambda: _with(n=pa.array([2**64 - 1] * count, pa.uint64())), INVALID)
    yield _parquet("nul in a text", lambda: _with(note=pa.array(["a\0b"] * count)), OK)
    yield _parquet("column twice", lambda: written(pa.table([*base.values(), base["n"]], names=[*base, "n"])), REPEATED)
    yield _parquet(
        "column twice but for case",
        lambda: written(pa.table([*base.values(), base["n"]], names=[*base, "N"])),
        UNLISTED,
    )
    yield _parquet(
        "column without name", lambda: written(pa.table([*base.values(), base["n"]], names=[*base, ""])), UNLISTED
    )
    yield _parquet(
        "names with sql", lambda: written(pa.table([*base.values(), base["n"]], names=[*base, '"); DROP'])), UNLISTED
    )
    yield _parquet("column missing", lambda: written({k: v for k, v in base.items() if k != "x"}), MISSING)
    yield _parquet("no column", lambda: written(pa.table({})), MISSING, UNREADABLE)
    yield _parquet("file_row_number as a column", lambda: _with(file_row_number=base["n"]), UNLISTED)


def _sizes() -> Iterator[Case]:
    yield _parquet("no row", lambda: written(columns(0)), RANGE)
    yield _parquet("no row group", _no_groups, RANGE)
    yield _parquet("a group for each row", lambda: written(columns(), row_group_size=1), OK)
    yield _parquet("20000 columns", lambda: written({f"c{n}": pa.array([1]) for n in range(20_000)}), UNLISTED)
    yield _parquet("too many rows", lambda: _repeated(200_000), RANGE)
    yield _parquet("fifty million rows of nothing", lambda: _repeated(50_000_000), RANGE, BOMB)
    yield _parquet(
        "one text of 50 MB", lambda: _with(note=pa.array(["z" * 50_000_000] + [""] * (ROWS - 1))), OK, UNREADABLE, BOMB
    )
    yield _parquet(
        "one text of 20 MB in every row", lambda: _amplified("note", 90_000, 20_000_000, True), UNREADABLE, BOMB
    )
    yield _parquet("one id of 20 MB in every row", lambda: _amplified("id", 90_000, 20_000_000, True), UNREADABLE, BOMB)
    yield _parquet("one text of 1 MB by deltas", lambda: _amplified("note", 90_000, 1_000_000, False), UNREADABLE, BOMB)
    yield _parquet("one id of 1 MB by deltas", lambda: _amplified("id", 90_000, 1_000_000, False), UNREADABLE, BOMB)
    yield _parquet(
        "packed a thousand times", lambda: _with(note=pa.array(["z" * 5_000_000] * ROWS)), BOMB, UNREADABLE, OK
    )


def _rows_stated(rows: int) -> bytes:
    """The footer's number of rows replaced (a zigzag varint behind the schema)."""
    data, number = plain(), rows * 2 if rows >= 0 else -2 * rows - 1
    packed = bytearray()
    while True:
        packed.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            break
    start = footer(data)
    old = data[start:-8]
    place = old.index(b"\x16" + bytes([ROWS * 2]))
    new = old[: place + 1] + bytes(packed) + old[place + 2 :]
    return data[:start] + new + struct.pack("<I", len(new)) + b"PAR1"


def _encrypted(plaintext_footer: bool = False) -> bytes:
    import pyarrow.parquet.encryption as pe

    class Kms(pe.KmsClient):
        def wrap_key(self, key: bytes, name: str) -> bytes:
            return key

        def unwrap_key(self, key: bytes, name: str) -> bytes:
            return key

    made = pe.EncryptionConfiguration(
        footer_key="k", column_keys={"k": list(columns())}, plaintext_footer=plaintext_footer
    )
    factory = pe.CryptoFactory(lambda _: Kms())
    properties = factory.file_encryption_properties(
        pe.KmsConnectionConfig(custom_kms_conf={"k": "0123456789012345"}), made
    )
    return written(columns(), encryption_properties=properties)


def _deep() -> bytes:
    kind: pa.DataType = pa.int64()
    for _ in range(50):
        kind = pa.struct([("a", kind)])
    return _with(note=pa.nulls(ROWS, kind))


def _no_utf8() -> bytes:
    wrong = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(struct.pack("<ii", 0, 2)), pa.py_buffer(b"\xff\xfe")]
    )
    return _with(id=pa.concat_arrays([wrong] * ROWS))


def _no_groups() -> bytes:
    target = io.BytesIO()
    with pq.ParquetWriter(target, pa.table(columns()).schema):
        pass
    return target.getvalue()


def _repeated(count: int) -> bytes:
    one = pa.table(columns(1))
    indices = pa.array(__import__("numpy").zeros(min(count, 5_000_000), "int32"))
    target = io.BytesIO()
    with pq.ParquetWriter(target, one.schema, compression="zstd") as writer:
        made = one.take(indices)
        for _ in range(max(1, count // 5_000_000)):
            writer.write_table(made)
    return target.getvalue()


def _amplified(column: str, count: int, size: int, by_dictionary: bool) -> bytes:
    """A text that every row points to: small on disk, huge once written out."""
    made = columns(count)
    if by_dictionary:
        target = io.BytesIO()
        values = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array(["z" * size]))
        pq.write_table(pa.table(made | {column: values}), target, compression="none", dictionary_pagesize_limit=2**30)
        return target.getvalue()
    # The writer needs the texts in memory, so the file is made of few rows in a group; there are many groups.
    target, part = io.BytesIO(), 100
    small = columns(part) | {column: pa.array(["z" * size] * part)}
    encodings = {column: "DELTA_BYTE_ARRAY"}
    with pq.ParquetWriter(
        target, pa.table(small).schema, use_dictionary=False, column_encoding=encodings, compression="zstd"
    ) as writer:
        for _ in range(3):
            writer.write_table(pa.table(small))
    return target.getvalue()
