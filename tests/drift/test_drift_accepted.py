"""A drift from the refusal to the tables: proposed, accepted by a new version, and both kinds of periods run."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from acequia import pipeline
from acequia.agreement.load import find, versions
from acequia.amending import amend
from acequia.checking import check
from acequia.cli import cli
from acequia.drift.proposal import Change, Drift
from acequia.errors import AcequiaError
from acequia.flow import DeliveryId
from acequia.opening import lake_of, landing_of, ledger_of, open_work
from acequia.period import Period
from acequia.settings import Settings
from tests.drift.generated import Case

OLD, NEW = ("2026-01", "2026-02"), ("2026-03", "2026-04")
COMBINED = Case(
    ("rider", "zone", "fare", "begun_at", "channel", "seats", "plate"),
    renamed={"zone": "Zone", "rider": "RIDER_ID", "plate": "Plate"},
    gone=("channel",),
    added=("weather", "vehicle model"),
    retyped=("begun_at", "seats"),
    order=3,
)


@dataclass
class World:
    settings: Settings
    case: Case

    def send(self, month: str, seed: int, *, drifted: bool) -> None:
        inbox = self.settings.home / "inbox" / "trams"
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / f"rides-{month}.csv").write_text(self.case.csv(seed, drifted=drifted), encoding="utf-8")

    def run(self, month: str) -> pipeline.Outcome:
        return pipeline.run(open_work(self.settings, "trams", "rides", month))

    def published(self, table: str) -> pd.DataFrame:
        return lake_of(self.settings).read(f"trams.{table}").to_pandas()


def make(folder: Path, case: Case, monkeypatch: pytest.MonkeyPatch) -> World:
    (folder / "config" / "partners").mkdir(parents=True)
    (folder / "config" / "reference").mkdir()
    (folder / "config" / "partners" / "trams.yaml").write_text(case.agreement(), encoding="utf-8")
    environment = {"ACEQUIA_HOME": str(folder / "home"), "ACEQUIA_CONFIG": str(folder / "config")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return World(Settings.from_environment(environment), case)


def drift_command(*more: str) -> str:
    done = CliRunner().invoke(cli, ["drift", "trams", "rides", NEW[0], *more])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def expected(sent: dict[str, pd.DataFrame], keys: list[str]) -> dict[tuple[str | None, ...], tuple[float, ...]]:
    rows = pd.concat([part.assign(period=label) for label, part in sent.items()])
    rows["fare"] = rows["fare"].astype(float)
    found = rows.groupby(["period", *keys], dropna=False)["fare"]
    return {
        tuple("_U" if pd.isna(key) else key for key in group): (len(part), round(part.sum(), 6))
        for group, part in found
    }


def test_a_drift_is_refused_proposed_accepted_and_the_tables_go_on(tmp_path, monkeypatch):
    world = make(tmp_path, COMBINED, monkeypatch)
    for n, month in enumerate(OLD):
        world.send(month, n, drifted=False)
        world.run(month)
    world.send(NEW[0], 7, drifted=True)
    with pytest.raises(AcequiaError) as refused:
        world.run(NEW[0])
    assert refused.value.code == "column_unlisted"

    # The ledger counts; the names lie in landing, encrypted, beside the delivery, and nowhere else.
    ledger = ledger_of(world.settings)
    delivery = DeliveryId(partner="trams", feed="rides", period=NEW[0], version=1)
    (entry,) = [one for one in ledger.history(delivery) if one.kind == "refused"]
    assert entry.said["drift"] == {"added": 2, "missing": 1, "renamed": 3, "retyped": 2}
    kept = [key for key in landing_of(world.settings).list("trams/rides/2026-03/") if "/_drift." in key]
    assert len(kept) == 1
    for path in world.settings.home.rglob("*"):
        if path.is_file() and "inbox" not in path.parts:
            assert b"vehicle model" not in path.read_bytes(), path

    said = drift_command()
    assert "Column 9" not in said.splitlines()[0]
    assert "seems to be the agreed `zone` under another name" in said
    assert {change["kind"] for change in json.loads(drift_command("--json"))[0]["changes"]} == {
        "added", "missing", "renamed", "retyped",
    }  # fmt: skip
    assert "La columna" in drift_command("--language", "es")

    told = drift_command("--write", "--version", "1.1", "--effective-from", "2026-03-01")
    assert "config/partners/trams.yaml is now version 1.1, and holds from 2026-03-01 on" in told
    assert [one.agreement.terms.version for one in versions(world.settings.partners, "trams")] == ["1.0", "1.1"]
    assert (world.settings.partners / "trams" / "1.0.yaml").read_text(encoding="utf-8") == COMBINED.agreement()
    assert not [one for one in check(world.settings) if one.severity == "error"]

    sent = {month: COMBINED.rows(n, drifted=False) for n, month in enumerate(OLD)}
    for n, month in enumerate(NEW):
        world.send(month, 7 + n, drifted=True)
        world.run(month)
        sent[month] = COMBINED.rows(7 + n, drifted=False).assign(channel=None)
    world.send(OLD[1], 50, drifted=False)  # a correction of an old period, written as it was agreed then
    outcome = world.run(OLD[1])
    assert ledger.state(outcome.delivery).agreement_version == "1.0"
    sent[OLD[1]] = COMBINED.rows(50, drifted=False)

    rows = world.published("rides_by_zone")
    found = rows[rows["cell_status"] != "zero"].astype(object)
    assert set(found["cell_status"]) == {"published"}
    told_cells = {
        (row.period, row.zone, "_U" if pd.isna(row.channel) else row.channel): (row.rides_count, round(row.fare_sum, 6))
        for row in found.itertuples()
    }
    assert told_cells == expected(sent, ["zone", "channel"])
    quarter = world.published("rides_by_zone_quarter")
    by_quarter: dict[str, pd.DataFrame] = {}
    for label, part in sent.items():
        name = Period.parse(label).within("quarter").label
        by_quarter[name] = pd.concat([by_quarter[name], part]) if name in by_quarter else part
    assert {
        (row.period, row.zone): (row.rides_count, round(row.fare_sum, 6)) for row in quarter.itertuples()
    } == expected(by_quarter, ["zone"])


def test_a_column_of_another_type_is_proposed_too_and_the_receipt_counts(tmp_path, monkeypatch):
    case = Case(("rider", "zone", "fare", "begun_at"), retyped=("begun_at",))
    world = make(tmp_path, case, monkeypatch)
    world.send(NEW[0], 1, drifted=True)
    with pytest.raises(AcequiaError) as refused:
        world.run(NEW[0])
    assert refused.value.code == "rows_invalid"
    said = drift_command("--language", "en")
    assert "`begun_at` was agreed as another type of value: 0 % of its values can be read as agreed" in said
    assert "written like `dd/mm/yyyy hh:mm:ss`" in said
    receipts = list((world.settings.home / "receipts").rglob("*-refused.jws"))
    (claims,) = [json.loads(base64.urlsafe_b64decode(one.read_text().split(".")[1] + "==")) for one in receipts]
    assert claims["refusal"]["drift"] == {"retyped": 1}
    drift_command("--write", "--version", "1.1", "--effective-from", "2026-03-01")
    world.run(NEW[0])


def test_nothing_is_written_that_would_not_pass_or_is_there(tmp_path, monkeypatch):
    case = Case(("rider", "zone", "fare", "seats"), gone=("seats",), renamed={"zone": "Zone"})
    world = make(tmp_path, case, monkeypatch)
    world.send(NEW[0], 1, drifted=True)
    with pytest.raises(AcequiaError):
        world.run(NEW[0])
    before = (world.settings.partners / "trams.yaml").read_bytes()
    for version, first, code in (("1.0", "2026-03-01", "usage"), ("1.1", "2026-01-01", "usage")):
        with pytest.raises(AcequiaError) as stopped:
            drift_command("--write", "--version", version, "--effective-from", first)
        assert stopped.value.code == code
    (world.settings.partners / "trams").mkdir()
    (world.settings.partners / "trams" / "1.0.yaml").write_text("another file")
    with pytest.raises(AcequiaError):
        drift_command("--write", "--version", "1.1", "--effective-from", "2026-03-01")
    assert (world.settings.partners / "trams.yaml").read_bytes() == before
    assert (world.settings.partners / "trams" / "1.0.yaml").read_text() == "another file"


def test_written_again_after_a_kill_between_both_files_it_ends_the_same(tmp_path, monkeypatch):
    case = Case(("rider", "zone", "fare"), renamed={"zone": "Zone"})
    world = make(tmp_path, case, monkeypatch)
    world.send(NEW[0], 1, drifted=True)
    with pytest.raises(AcequiaError):
        world.run(NEW[0])
    newest = world.settings.partners / "trams.yaml"
    drift_command("--write", "--version", "1.1", "--effective-from", "2026-03-01")
    after = newest.read_bytes()
    newest.write_text(case.agreement())  # as it lay when the process was killed: copied, and not replaced yet
    drift = Drift((Change("renamed", "zone", "Zone", 2),), 10)
    amend(world.settings, "trams", "rides", drift, version="1.1", effective_from=date(2026, 3, 1))
    assert newest.read_bytes() == after
    assert find(world.settings.partners, "trams").agreement.terms.version == "1.1"
    world.run(NEW[0])
