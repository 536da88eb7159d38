"""No planted person anywhere under ACEQUIA_HOME but in encrypted landing: not in one byte of one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from acequia.errors import AcequiaError
from acequia.simulate.leaks import leaked
from acequia.simulate.people import Person
from tests.pipeline.world import DAY, World

FEEDS = (
    ("pula_mobile", "events", DAY),
    ("ceibo_pay", "transactions", DAY),
    ("rambla_market", "scanner", "2026-W46"),
    ("kgale_rides", "trips", "2026-10"),
    ("kgale_rides", "driver_hours", "2026-10"),
)


def leaks(folder: Path, people: Sequence[Person], skip: tuple[str, ...]) -> list[tuple[str, str]]:
    """(file, what of whom) wherever something of a planted person stands, packed Parquet columns included."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(skip):
            for content in (path.read_bytes(), unpacked(path)):
                found += [(str(path.relative_to(folder)), hit) for hit in leaked(content, people)]
    return found


def unpacked(path: Path) -> bytes:
    """The text of a Parquet file's columns, which are compressed on disk; nothing of one that was never finished."""
    if path.suffix != ".parquet" or not path.read_bytes().endswith(b"PAR1"):
        return b""
    import pyarrow.parquet as pq

    return "\n".join(str(column.to_pylist()) for column in pq.read_table(path).itercolumns()).encode()


def test_nobody_is_left_behind(world: World) -> None:
    people: list[Person] = []
    for partner, feed, period in FEEDS:
        people += world.deliver(partner, feed, period, rows=1500).planted
        world.run(partner, feed, period)
    written = world.deliver("pula_mobile", "events", "2026-11-11", rows=1500, bad="out_of_range")
    people += written.planted
    try:
        world.run("pula_mobile", "events", "2026-11-11")
    except AcequiaError as error:
        assert error.code == "rows_invalid"
    assert len(people) > 20
    inbox = leaks(world.settings.home, people, skip=("landing", "lake", "workspace"))
    assert {file.split("/")[0] for file, _ in inbox} == {"inbox"}, "the search finds what is there, and only there"
    assert leaks(world.settings.home, people, skip=("inbox", "landing")) == []


def test_landing_is_encrypted(world: World) -> None:
    written = world.deliver("ceibo_pay", "transactions", DAY, rows=1500)
    world.run("ceibo_pay", "transactions", DAY)
    assert world.landed()
    only = tuple(p.name for p in world.settings.home.iterdir() if p.name != "landing")
    assert leaks(world.settings.home, written.planted, skip=only) == []
