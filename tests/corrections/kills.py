"""`kill -9`, wherever: a story in stages, each killed at a moment, run again, and compared with a run in peace.

A child is forked from a warm parent and kills itself at the n-th *boundary* (a file about to be renamed, removed or
linked; a commit about to be made; before one is after the one before it), or is killed after some time. Then the stage
runs again, and everything that the installation holds is compared with what a run in peace left: the lake's rows and
releases, ledger entries, receipts, landing in clear, the workspace, what lineage tells; and no plain byte is left.

`python -m tests.corrections.kills 200` kills at every boundary and at 200 random moments, and says what came of it; a
second number has it kill at each n-th boundary alone (0: at none), names of stages after it in these alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from acequia import pipeline, returned, upkeep, withdrawal
from acequia.ledger import book
from acequia.ledger.receipts import verify_receipt
from acequia.opening import keys_of, lake_of, landing_of, ledger_of, open_work
from acequia.scratch import sweep_staged
from acequia.settings import Settings
from acequia.work import Work

PARTNER, FEED, DAYS = "northern_bus", "rides", ("2026-11-09", "2026-11-10", "2026-11-11")
AGREEMENT: dict[str, Any] = {
    "partner": PARTNER,
    "name": "Northern Bus (invented)",
    "country": "BW",
    "language": "en",
    "terms": {
        "version": "1.0",
        "legal_basis": "an invented act",
        "purposes": ["official_statistics"],
        "signed_on": date(2026, 3, 1),
        "expires_on": date(2028, 12, 31),
        "raw_kept_days": 7,
        "protected_kept_days": 400,
        "contacts": {"partner": "a@bus.example", "steward": "b@office.example", "dpo": "c@office.example"},
        "recipients": ["statistics_office"],
    },
    "feeds": {
        FEED: {
            "describe": "One row per ride.",
            "delivery": {
                "source": {"type": "folder", "path": "{period}-*.csv"},
                "format": "csv",
                "schedule": "0 6 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 24,
                "settle_seconds": 0,
                "rows_between": [1, 100000],
            },
            "columns": {
                "card": {"type": "string", "treat": "pseudonym", "as": "rider"},
                "rode_at": {"type": "timestamp", "treat": {"truncate_to": "day"}, "as": "rode_on"},
                "route": {"type": "string", "treat": "keep", "one_of": ["north", "south", "ring"]},
                "pula": {"type": "number", "treat": "keep", "between": [1, 500], "unit": "BWP"},
            },
            "rows": {"period_column": "rode_at", "set_aside_at_most_pct": 20},
            "tables": {
                "rides_by_route": {
                    "describe": "One row per day and route.",
                    "by": ["rode_on", "route"],
                    "measures": {"rides_count": {"count": "rows"}, "pula_sum": {"sum": "pula", "unit": "BWP"}},
                    "protect": {"contributor": "rider", "min_contributors": 3},
                },
                "riders_by_route_month": {
                    "describe": "One row per month and route.",
                    "by": ["route"],
                    "over": "month",
                    "release": "each_delivery",
                    "measures": {"riders_count": {"count_distinct": "rider"}},
                    "protect": {"contributor": "rider", "min_contributors": 3},
                },
            },
        }
    },
}
NOW = datetime(2026, 11, 12, 8, tzinfo=UTC)
LATER = timedelta(days=9)
PLAIN = ("Kgosi", "72114")  # what every raw row holds, and nothing else may


@dataclass
class Story:
    """One installation at a place of its own, which is put back to how it was before a stage as often as needed."""

    root: Path
    stages: dict[str, Callable[[Story], None]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Of the installation, always at the same place: paths stand in what it keeps."""
        return Settings.from_environment(
            {"ACEQUIA_HOME": str(self.root / "home"), "ACEQUIA_CONFIG": str(self.root / "config")}
        )

    def work(self, day: str) -> Work:
        """One day's delivery."""
        return open_work(self.settings, PARTNER, FEED, day)

    def send(self, day: str, seed: int) -> None:
        """Two files of a day, the first rows of each with a fare that is out of range; one moment for both."""
        inbox = self.root / "home" / "inbox" / PARTNER
        inbox.mkdir(parents=True, exist_ok=True)
        numbers = random.Random(f"{day} {seed}")
        for part in (1, 2):
            lines = ["card,rode_at,route,pula"]
            for row in range(40):
                fare = -1 if row < 3 else numbers.randint(5, 90)
                route = numbers.choice(["north", "south", "ring"])
                moment = f"{day} {6 + row % 14:02d}:15:00"
                lines.append(f"{PLAIN[0]} {PLAIN[1]}{numbers.randint(100, 160)},{moment},{route},{fare}")
            path = inbox / f"{day}-{part}.csv"
            path.write_text("\n".join(lines) + "\n")
            sent = (NOW + timedelta(minutes=seed)).timestamp() - 86_400
            os.utime(path, (sent, sent))

    def keep(self, name: str) -> None:
        """Remember how the installation is now."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        shutil.copytree(self.root / "home", self.root / name, symlinks=True)

    def restore(self, name: str) -> None:
        """Put it back."""
        shutil.rmtree(self.root / "home", ignore_errors=True)
        shutil.copytree(self.root / name, self.root / "home", symlinks=True)


def deliver(story: Story) -> None:
    """A first delivery."""
    pipeline.run(story.work(DAYS[0]))


def correct(story: Story) -> None:
    """Other bytes for the same day."""
    pipeline.run(story.work(DAYS[0]))


def replay(story: Story) -> None:
    """Rows that were set aside come back corrected."""
    returned.replay(story.work(DAYS[1]), story.root / "corrected.csv")


def take_back(story: Story) -> None:
    """A withdrawal, with every trace."""
    work = story.work(DAYS[1])
    withdrawal.withdraw(work, who="me", because="case 7", erase=True, delete=upkeep.delete_everything)


def housekeep(story: Story) -> None:
    """The night in which raw bytes go."""
    upkeep.keep(story.settings, today=(NOW + LATER).date())


STAGES: dict[str, Callable[[Story], None]] = {
    "deliver": deliver,
    "correct": correct,
    "replay": replay,
    "take_back": take_back,
    "housekeep": housekeep,
}


def prepare(root: Path) -> Story:
    """Run the story in peace, once to have its keys, then again from stage to stage.

    The installation before a stage lies in `before-<stage>`, what `told` says of it afterwards in `after-<stage>.json`.
    """
    story = Story(root)
    (root / "config" / "partners").mkdir(parents=True)
    (root / "config" / "reference").mkdir()
    text = yaml.safe_dump(AGREEMENT, sort_keys=False)
    (root / "config" / "partners" / f"{PARTNER}.yaml").write_text(text)
    story.send(DAYS[0], 1)
    story.keep("nothing")
    _all_of_it(story)
    shutil.copytree(root / "home" / "keys", root / "nothing" / "keys")
    for path in (root / "nothing" / "keys").rglob("*destroyed*"):
        path.unlink()
    story.restore("nothing")
    _all_of_it(story, keep=True)
    return story


def _all_of_it(story: Story, *, keep: bool = False) -> None:
    """Every stage with what happens between them, in this process: that warms it for those which are forked from it."""
    for name, stage in STAGES.items():
        _fixed_clock(later=name == "housekeep")
        _between(story, name)
        if keep:
            story.keep(f"before-{name}")
        stage(story)
        if keep:
            (story.root / f"after-{name}.json").write_text(json.dumps(told(story), indent=1))


def _between(story: Story, name: str) -> None:
    if name == "correct":
        for day in DAYS[1:]:
            story.send(day, 1)
            pipeline.run(story.work(day))
        story.send(DAYS[0], 2)
    elif name == "replay":
        out = story.root / "corrected.csv"
        out.unlink(missing_ok=True)
        returned.hand_out(story.work(DAYS[1]), out, who="me")
        out.write_text(out.read_text().replace('"-1"', '"33"', 4))


# Everything that an installation holds


def told(story: Story) -> dict[str, Any]:
    """All that is kept, without what differs from run to run: ids of snapshots, and hashes over them."""
    settings = story.settings
    ledger, lake, landing = ledger_of(settings), lake_of(settings), landing_of(settings)
    assert [finding.what for finding in ledger.verify()] == []
    snapshots: dict[str, str] = {}

    def plain(text: str) -> str:
        # The age of a file when it is looked at, the inode of one that was put back, keys that are made each time.
        text = re.sub(r'(\\?"(?:sent_at|arrival|landing_key|[a-z_]*fingerprint)\\?": ?\\?")[^"\\]*', r"\1…", text)
        numbered = r"(?<![0-9a-f])\d{15,20}(?![0-9a-f])"
        return re.sub(numbered, lambda found: snapshots.setdefault(found[0], f"snapshot {len(snapshots)}"), text)

    rows = [
        row.as_row() | {"who": row.who_acts, "done": row.finished, "raw": row.raw_deleted_at}
        for row in ledger.deliveries()
    ]
    deliveries = [plain(json.dumps(row, sort_keys=True)) for row in rows]
    with ledger.engine.connect() as connection:
        entries = [(e.at, e.kind, plain(e.key), plain(e.body)) for e in book.chain.everything(connection)]
        runs = connection.exec_driver_sql("SELECT job, state FROM ol_run").fetchall()
    lake_root, keys = Path(settings.lake), keys_of(settings)
    return {
        "entries": entries,
        "deliveries": deliveries,
        "receipts": _receipts(settings, plain),
        "rows": {info.name: str(lake.read(info.name).to_pylist()) for info in lake.tables()},
        "vintages": {info.name: _vintages(lake.history(info.name)) for info in lake.tables()},
        "open": {
            str(path.relative_to(lake_root)): plain(path.read_bytes().decode("latin-1"))
            for path in sorted((lake_root / "open").rglob("*"))
            if path.is_file() and ".partial" not in str(path) and path.name not in ("catalog.jsonld", "SHA256SUMS")
        },
        "landing": {key: _in_clear(landing, key) for key in landing.list("")},
        "workspace": {
            str(path.relative_to(settings.workspace)): plain(_content(path))
            for path in sorted(settings.workspace.rglob("*"))
            if path.is_file() and ".plain" not in path.parts and not path.name.endswith(".partial")
        },
        "lineage": sorted(Counter(map(tuple, runs)).items()),
        "keys": sorted((name, keys.state(name)) for name in keys.names()),
        "data files": {info.name: len(lake.load(info.name).inspect.files()) for info in lake.tables()},
    }


def _vintages(history: list[Any]) -> list[tuple[str, str, str]]:
    """In their order; the same said twice is said once: an erasure leaves a mark each time."""
    return [key for key, _ in groupby((one.what, one.period, one.content_sha256) for one in history)]


def _receipts(settings: Settings, plain: Callable[[str], str]) -> dict[str, str]:
    keys = settings.home / "keys" / "receipts.jwks.json"
    found = {}
    for path in sorted((settings.home / "receipts").rglob("*.jws")):
        said = dict(verify_receipt(path, keys).claims)
        said |= {"prev": said["prev"] is not None, "ledger": said["ledger"]["seq"]}
        found[str(path.relative_to(settings.home))] = plain(json.dumps(said, sort_keys=True))
    return found


def _in_clear(landing: Any, key: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        landing.fetch(key, Path(folder) / "plain")
        return hashlib.sha256((Path(folder) / "plain").read_bytes()).hexdigest()


def _content(path: Path) -> str:
    if path.suffix == ".parquet":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return path.read_text()


def left_behind(story: Story) -> list[str]:
    """Plain bytes of people outside of what may hold them: the inbox, and what the parent made."""
    found = []
    for path in sorted((story.root / "home").rglob("*")):
        if path.is_file() and "inbox" not in path.parts:
            content = path.read_bytes()
            if all(sign.encode() in content for sign in PLAIN):
                found.append(str(path.relative_to(story.root / "home")))
    return found


def litter(story: Story) -> list[str]:
    """What killed writers left beside their targets and a night of housekeeping does not find."""
    home, found = story.root / "home", []
    for path in upkeep._written_folders(story.settings):
        sweep_staged(path, older_than_s=0)
    for path in sorted(home.rglob("*")):
        staged = path.name.endswith(".partial") or ".incoming-" in path.name
        if staged and "lake" not in path.parts and "inbox" not in path.parts:
            found.append(str(path.relative_to(home)))
    return found


# Killing


class Boundaries:
    """Counts boundaries; kills this process at the n-th."""

    def __init__(self, story: Story, at: int | None) -> None:
        self.home, self.at, self.seen, self.armed = str(story.root / "home"), at, 0, True
        self.names: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.armed and event in ("os.rename", "os.remove", "os.link", "os.rmdir"):
            path = str(arguments[1] if event in ("os.rename", "os.link") else arguments[0])
            if path.startswith(self.home) and "/.plain/" not in path and "/scratch/" not in path:
                self.reached(f"{event} {path[len(self.home) :]}")

    def commits(self) -> None:
        """Listen to every engine that will be made."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        @event.listens_for(Engine, "commit")
        def before(connection: Any) -> None:
            self.reached("before a commit")

    def reached(self, name: str) -> None:
        """One more."""
        if not self.armed:
            return
        self.seen += 1
        self.names.append(re.sub(r"[0-9a-f-]{12,}|\d{4,}", "…", name))
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def _fixed_clock(later: bool) -> None:
    """The ledger's clock stands still, so that its entries are the same to the byte."""
    moment = NOW + LATER if later else NOW
    book.open_ledger.__defaults__ = (lambda: moment,)


def in_child(
    story: Story, what: Callable[..., Any], *arguments: Any, at: int | None = None, after_s: float | None = None
) -> tuple[int, float, list[str]]:
    """Run it in a forked child, killed at a boundary or after some time. Exit code, seconds, boundaries seen."""
    report = story.root / "boundaries.json"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            if at is not None or after_s is not None:
                os.dup2(null, 1)
            _fixed_clock(later=what is housekeep or "housekeep" in arguments)
            boundaries = Boundaries(story, at)
            boundaries.commits()
            what(story, *arguments)
            boundaries.armed = False
            report.write_text(json.dumps(boundaries.names))
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    names = json.loads(report.read_text()) if report.exists() else []
    return os.waitstatus_to_exitcode(status), time.monotonic() - began, names


def ends_as_in_peace(story: Story, name: str, *, at: int | None = None, after_s: float | None = None) -> Iterator[str]:
    """Kill a stage, run it again, and say everything that is not as a run in peace left it."""
    story.restore(f"before-{name}")
    exit_code, _, _ = in_child(story, STAGES[name], at=at, after_s=after_s)
    if exit_code not in (0, -signal.SIGKILL):
        yield f"it ended with {exit_code} by itself"
    exit_code, _, _ = in_child(story, _again, name)
    if exit_code:
        yield f"run again, it ended with {exit_code}"
        return
    wanted = json.loads((story.root / f"after-{name}.json").read_text())
    found = json.loads((story.root / "found.json").read_text())
    for part in wanted:
        if found[part] != wanted[part]:
            yield f"{part} differ: {_first_difference(wanted[part], found[part])}"
    yield from (f"plain bytes are left in {path}" for path in left_behind(story))
    yield from (f"{path} is left" for path in litter(story))


def _again(story: Story, name: str) -> None:
    STAGES[name](story)
    (story.root / "found.json").write_text(json.dumps(told(story)))


def _first_difference(wanted: Any, found: Any) -> str:
    """What stands where they part."""
    one, other = (json.dumps(part, sort_keys=True) for part in (wanted, found))
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"…{one[max(0, place - 100) : place + 60]}… | …{other[max(0, place - 20) : place + 60]}…"


def main(moments: int, every: int = 1, stages: tuple[str, ...] = tuple(STAGES)) -> int:
    """Every boundary (or each n-th), then so many random moments; how many ended otherwise than in peace."""
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        story = prepare(Path(folder))
        wrong, kills, began, lasts = 0, 0, time.monotonic(), {}
        for name in stages:
            story.restore(f"before-{name}")
            exit_code, lasts[name], names = in_child(story, STAGES[name])
            assert exit_code == 0
            print(f"{name}: {lasts[name]:.1f} s in peace, {len(names)} boundaries", flush=True)  # noqa: T201
            for at in range(1, len(names) + 1, every) if every else ():
                kills += 1
                for found in ends_as_in_peace(story, name, at=at):
                    wrong += 1
                    print(f"  killed at {at} ({names[at - 1]}): {found}", flush=True)  # noqa: T201
        chosen = random.Random(20261122)
        for _ in range(moments):
            name = chosen.choice(stages)
            after_s = chosen.uniform(0.0, 1.0) * lasts[name]
            kills += 1
            for found in ends_as_in_peace(story, name, after_s=after_s):
                wrong += 1
                print(f"  {name} killed after {after_s:.3f} s: {found}", flush=True)  # noqa: T201
        print(f"{kills} kills, {wrong} differences, {time.monotonic() - began:.0f} s")  # noqa: T201
    return wrong


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]] or [200]
    sys.exit(main(*numbers, *([tuple(sys.argv[3:])] if sys.argv[3:] else [])) and 1)
