"""Sound files, damaged byte by byte at random places: as a bad disk, a bad line or a bad program would."""

from __future__ import annotations

import random

from tests.malformed import csv_cases, jsonl_cases, parquet_cases, xlsx_cases

TELLING = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b'"',
    b"'",
    b",",
    b"\n",
    b"\r",
    b"{",
    b"}",
    b"[",
    b"\\",
    b"\xef\xbb\xbf",
    b"\x1a",
)


def sound(form: str, seed: int) -> bytes:
    """A sound file; seeds give several of each format."""
    if form == "csv":
        return (csv_cases.PLAIN, csv_cases.GZIP, csv_cases.zipped({"a.csv": csv_cases.PLAIN}))[seed % 3]
    if form == "jsonl":
        return jsonl_cases.PLAIN.encode()
    if form == "xlsx":
        return xlsx_cases.plain()
    codec = ("none", "snappy", "zstd", "gzip", "lz4", "brotli")[seed % 6]
    version = ("1.0", "2.0")[seed % 2]
    many = parquet_cases.columns((1, 40, 300)[seed % 3])
    return parquet_cases.written(many, compression=codec, data_page_version=version, use_dictionary=bool(seed % 5),
                                 row_group_size=(7, 1000)[seed % 2])  # fmt: skip


def mutated(data: bytes, seed: int, *, parquet: bool = False) -> bytes:
    """The file with some bytes changed, taken out, put in, repeated, or cut off."""
    chance, made = random.Random(seed), bytearray(data)
    footer = parquet_cases.footer(data) if parquet else 0
    low = footer if parquet and chance.random() < 0.5 else 0
    for _ in range(chance.choice((1, 1, 1, 2, 5, 30))):
        if len(made) < 20:
            break
        place, kind = chance.randrange(min(low, len(made) - 1), len(made)), chance.random()
        if kind < 0.3:
            made[place] ^= 1 << chance.randrange(8)
        elif kind < 0.6:
            made[place : place + 1] = chance.choice(TELLING)
        elif kind < 0.75:
            del made[place : place + chance.choice((1, 4, 50))]
        elif kind < 0.9:
            made[place:place] = chance.randbytes(chance.choice((1, 4, 50)))
        elif kind < 0.97:
            made[place:place] = made[place : place + 200]
        else:
            del made[place:]
    return bytes(made)
