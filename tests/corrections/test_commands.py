"""What the commands over versions say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.corrections.test_pauses import command
from tests.pipeline.world import DAY, World

PARTNER, FEED, TABLE = "ceibo_pay", "transactions", "ceibo_pay.payments_by_department_kind"


def test_a_vintage_before_stays_readable(world: World) -> None:
    for seed in (1, 2):
        world.clear(PARTNER)
        world.deliver(PARTNER, FEED, DAY, seed=seed)
        world.run(PARTNER, FEED, DAY)
    first, second = json.loads(command(world, "tables", TABLE, "--history", "--json").stdout)
    assert (first["what"], second["what"]) == ("published", "published")
    ask = f"select sum(payments_count) as payments from {TABLE}"
    answers = [
        json.loads(command(world, "query", ask, "--json", "--as-of", moment).stdout)
        for moment in (first["committed_at"], second["committed_at"])
    ]
    assert answers[0] != answers[1]
    assert answers[1] == json.loads(command(world, "query", ask, "--json").stdout)
    assert "published" in command(world, "tables", TABLE, "--history").stdout
    for words in (("tables", TABLE), ("tables", "--history"), ("query", ask, "--as-of", "yesterday")):
        assert command(world, *words).returncode == 2
    assert command(world, "query", ask, "--as-of", "2020-01-01T00:00:00+00:00").returncode == 2


def test_set_aside_and_replay(world: World, tmp_path: Path) -> None:
    world.deliver(PARTNER, FEED, DAY, rows=2000)
    world.run(PARTNER, FEED, DAY)
    out = tmp_path / "aside.csv"
    said = command(world, "set-aside", PARTNER, FEED, DAY, "--out", str(out))
    assert said.returncode == 0 and "range:amount_uyu" in said.stdout, said.stderr
    out.write_text(out.read_text().replace('"0.0"', '"9.5"'))
    made = command(world, "replay", PARTNER, FEED, DAY, "--from", str(out), "--quiet")
    assert made.returncode == 0 and f"{PARTNER}.{FEED}.{DAY}.v2: accepted; changed" in made.stdout, made.stderr
    again = command(world, "replay", PARTNER, FEED, DAY, "--from", str(out), "--quiet")
    assert again.stdout == f"{PARTNER}.{FEED}.{DAY}.v2: nothing to do.\n"
