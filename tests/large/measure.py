"""Takes a large generated delivery through receive, protect and validate in a process of its own, and measures it."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from acequia.agreement.model import Feed
from acequia.flow import DeliveryId, Raw
from acequia.keys import FileKeyStore
from acequia.period import Period
from acequia.protect.gate import protect
from acequia.receive.arrive import receive
from acequia.receive.landing import Landing
from acequia.validate.verdict import validate

DAY = "2026-11-16"
COLUMNS = {
    "msisdn": {"type": "string", "treat": "pseudonym"},
    "imei": {"type": "string", "treat": "drop"},
    "started_at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "started_hour"},
    "cell": {"type": "string", "treat": "keep"},
    "duration_s": {"type": "integer", "treat": "keep", "between": (0, 86400)},
    "kind": {"type": "string", "treat": "keep", "one_of": ("call", "sms", "data")},
    "amount": {"type": "number", "treat": {"round_to": 0.5}},
}


@dataclass(frozen=True)
class Measured:
    """Of one run: rows, the largest resident set of the process and its children, the most that lay in scratch and in
    landing at once (bytes), and how long each room took (seconds).
    """

    rows_in: int
    rows_out: int
    passed: bool
    rss: int
    scratch: int
    landing: int
    seconds: dict[str, float]


def feed(packed: bool) -> Feed:
    """A daily feed of call records; equal ones are set aside, which needs the most memory of all."""
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}/*.csv" + (".gz" if packed else "")},
                "format": "csv",
                "schedule": "0 6 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 30,
                "bytes_at_most": 40 * 2**30,
            },
            "columns": COLUMNS,
            "rows": {"period_column": "started_at", "duplicates": "set_aside", "set_aside_at_most_pct": 1},
            "tables": {
                "calls": {
                    "describe": "One row per cell.",
                    "by": ("cell",),
                    "measures": {"n": {"count": "rows"}},
                    "protect": {"contributor": "msisdn", "min_contributors": 5},
                    "recipients": ("office",),
                }
            },
        }
    )


def make(folder: Path, size: int, *, files: int = 1, packed: bool = False) -> int:
    """Write call records of about so many bytes (unpacked) in all, in so many files. Returns the rows."""
    import duckdb

    folder.mkdir(parents=True)
    rows = size // 76
    for number in range(files):
        path, part = folder / f"part-{number}.csv", rows // files
        query = (
            "SELECT '+26771' || lpad(((i * 7919) % greatest($rows // 5, 1))::VARCHAR, 7, '0') AS msisdn, "
            "(100000000000000 + i * 12345678901 % 899999999999999)::VARCHAR AS imei, "
            f"strftime(TIMESTAMP '{DAY}' + INTERVAL (i % 86400) SECOND, '%Y-%m-%d %H:%M:%S') AS started_at, "
            "'C' || lpad((i % 500)::VARCHAR, 3, '0') AS cell, i % 7200 AS duration_s, "
            "CASE i % 3 WHEN 0 THEN 'call' WHEN 1 THEN 'sms' ELSE 'data' END AS kind, "
            "(i % 100000) / 100 AS amount FROM range($start, $start + $part) AS made(i)"
        ).replace("$rows", str(rows)).replace("$start", str(number * part)).replace("$part", str(part))  # fmt: skip
        duckdb.connect(config={"memory_limit": "1GB"}).execute(f"COPY ({query}) TO '{path}' (HEADER)")
        if packed:
            with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=1) as target:
                shutil.copyfileobj(plain, target, 1 << 20)
            path.unlink()
    return rows // files * files


def measure(inbox: Path, work: Path, memory_limit: str, *, packed: bool = False) -> Measured:
    """Fork a process for the three rooms, and look how much lies in its folders while it works."""
    work.mkdir(parents=True)
    answer, most = work / "answer.json", {"scratch": 0, "landing": 0}
    child = os.fork()
    if not child:
        try:
            answer.write_text(json.dumps(asdict(_rooms(inbox, work, memory_limit, packed))))
        except BaseException as error:  # noqa: BLE001 - the parent says it
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
        os._exit(0)
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        for name in most:
            most[name] = max(most[name], _lies_in(work / name))
        if ended:
            break
        time.sleep(0.2)
    if status:
        raise RuntimeError(f"the process ended with {os.waitstatus_to_exitcode(status)}")
    said = json.loads(answer.read_text())
    return Measured(**said | most | {"rss": used.ru_maxrss * 1024})


def _rooms(inbox: Path, work: Path, memory_limit: str, packed: bool) -> Measured:
    agreed, period, keys = feed(packed), Period.parse(DAY), FileKeyStore(work / "keys")
    landing, scratch, seconds = Landing(str(work / "landing"), keys), work / "scratch", {}
    scratch.mkdir()
    started = time.monotonic()
    arrived = receive(agreed.delivery, partner="bench", feed_name="calls", period=period, connect=_nowhere,
                      landing=landing, inbox=inbox, scratch=scratch, from_dir=inbox)  # fmt: skip
    assert arrived.refusal is None, arrived.refusal
    seconds["receive"] = time.monotonic() - started
    delivery = DeliveryId(partner="bench", feed="calls", period=DAY, version=1)
    raw = Raw(delivery=delivery, files=arrived.files, content_sha256=arrived.content_sha256)
    started = time.monotonic()
    protected = protect(
        raw,
        agreed,
        country="BW",
        language="en",
        landing=landing,
        keys=keys,
        reference=work,
        memory_limit=memory_limit,
        scratch=scratch,
        out=work / "rows" / "protected.parquet",
    )
    seconds["protect"] = time.monotonic() - started
    started = time.monotonic()
    docs = work / "docs"
    none = work / "none"
    validated = validate(protected, agreed, expectations=none, docs=docs, memory_limit=memory_limit)
    seconds["validate"] = time.monotonic() - started
    count, children = protected.count, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Measured(count.rows_in, count.rows_out, validated.passed, children, 0, 0, seconds)


def _nowhere(name: str) -> object:
    raise AssertionError(name)


def _lies_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:
            continue  # gone meanwhile
    return total
