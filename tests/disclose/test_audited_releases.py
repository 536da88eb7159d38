"""What runs release: the auditor finds nothing; with suppression switched off it finds much, and stops the release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acequia import auditing
from acequia.disclose import control
from acequia.errors import AcequiaError
from acequia.publish.files import Files
from tests.disclose import shops


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    made = shops.settings_in(tmp_path_factory.mktemp("shops"))
    for day in shops.DAYS[:2]:
        shops.run(made, day)
    return made


def without_suppression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only unsafe cells are withheld; nothing is withheld besides."""
    real = control.decide

    def unsafe_alone(*args: object, **named: object) -> control.Decision:
        made = real(*args, **named)  # type: ignore[arg-type]
        kept = [reason if reason not in ("secondary", "difference") else None for reason in made.reasons]
        return control.Decision(kept, made.pattern)

    monkeypatch.setattr(control, "decide", unsafe_alone)


def test_the_auditor_finds_nothing_in_what_runs_release(settings) -> None:  # type: ignore[no-untyped-def]
    audited = auditing.audit_table(shops.lake_in(settings).files, f"{shops.PARTNER}.sales_by_region")
    assert len(audited.releases) == 6
    assert any(one.because == "min_contributors" for one in audited.seen)
    assert audited.findings == []


def test_without_suppression_the_release_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = shops.settings_in(tmp_path)
    without_suppression(monkeypatch)
    monkeypatch.setitem(shops.FEW, "Salto", 31)  # one region alone: the total gives it away
    with pytest.raises(AcequiaError, match="worked out") as stopped:
        shops.run(settings, shops.DAYS[0])
    assert (stopped.value.code, stopped.value.exit_code) == ("release_stopped", 6)
    assert not any(digit in stopped.value.what for digit in shops.hidden_sums(shops.DAYS[0]).values())
    assert shops.lake_in(settings).files.listing("open") == []
    assert shops.lake_in(settings).tables() == []


def test_without_suppression_the_auditor_finds_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = shops.settings_in(tmp_path)
    without_suppression(monkeypatch)
    monkeypatch.setitem(shops.FEW, "Salto", 31)
    monkeypatch.setattr(auditing.stop, "require", lambda known, *_, **__: auditing.audit(known))
    shops.run(settings, shops.DAYS[0])
    audited = auditing.audit_table(shops.lake_in(settings).files, f"{shops.PARTNER}.sales_by_region")
    truth = int(shops.hidden_sums(shops.DAYS[0])["Artigas"])
    exact = [one for one in audited.seen if one.found == "exactly_known" and one.measure == "amount_uyu_sum"]
    assert {one.cell["region"] for one in exact} == {"Artigas"}
    assert all(abs(one.known.low - truth) <= 1 for one in exact)


def test_an_unsafe_cell_that_is_open_stops_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = shops.settings_in(tmp_path)
    real = control.decide

    def nothing(*args: object, **named: object) -> control.Decision:
        made = real(*args, **named)  # type: ignore[arg-type]
        return control.Decision([None] * len(made.reasons), made.pattern)

    monkeypatch.setattr(control, "decide", nothing)
    with pytest.raises(AcequiaError, match="unsafe cells are open") as stopped:
        shops.run(settings, shops.DAYS[0])
    assert stopped.value.exit_code == 6
    assert shops.lake_in(settings).files.listing("open") == []


def test_every_certificate_can_be_worked_out_again(settings) -> None:  # type: ignore[no-untyped-def]
    files = shops.lake_in(settings).files
    folders = [path.rsplit("/", 1)[0] for path in files.listing("open") if path.endswith("/certificate.json")]
    assert len(folders) == 6
    assert {folder: auditing.recompute(files, folder) for folder in folders} == {folder: [] for folder in folders}
    for folder in folders:
        assert "certificate.json" in (files.read(f"{folder}/SHA256SUMS") or b"").decode()


def test_a_certificate_that_says_otherwise_is_found(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import shutil

    shutil.copytree(Path(settings.lake) / "open", tmp_path / "open")
    files = Files(str(tmp_path))
    path = next(
        path for path in files.listing("open") if "sales_by_region/" in path and path.endswith("certificate.json")
    )
    said = json.loads(files.read(path) or b"")
    said["smallest_relative_interval"]["amount_uyu_sum"] = 1.9
    said["cells_withheld"]["secondary"] += 1
    said["content_sha256"] = "0" * 64
    (tmp_path / path).chmod(0o644)
    (tmp_path / path).write_text(json.dumps(said))
    found = auditing.recompute(files, path.rsplit("/", 1)[0])
    assert found == ["cells_withheld", "smallest_relative_interval", "content_sha256"]


def test_an_outsider_recomputes_the_certificate_without_this_library(settings) -> None:  # type: ignore[no-untyped-def]
    """With pyarrow and scipy alone, from the files of one release: the first one, which had nothing before it."""
    import numpy as np
    import pyarrow.parquet as pq
    from scipy.optimize import linprog

    top = Path(settings.lake) / "open" / shops.PARTNER / "sales_by_region"
    folder = next((top / shops.DAYS[0]).glob("release-*"))
    said = json.loads((folder / "certificate.json").read_text())
    shape = json.loads((folder / "datapackage.json").read_text())["acequia"]["structure"]
    rows = pq.read_table(folder / "data.parquet").to_pylist()
    parents = shape["by"][0]["parents"]
    equation = [1.0 if row["region"] in parents.values() else -1.0 for row in rows]
    widths = []
    for n, row in enumerate(rows):
        if row["withheld_because"] not in (None, "secondary"):
            bounds = [(0, None) if row["amount_uyu_sum"] is None else (row["amount_uyu_sum"],) * 2 for row in rows]
            goal = np.eye(len(rows))[n]
            low = linprog(goal, A_eq=[equation], b_eq=[0], bounds=bounds).fun
            high = -linprog(-goal, A_eq=[equation], b_eq=[0], bounds=bounds).fun
            widths.append((high - low) / ((high + low) / 2))
    reasons = [row["withheld_because"] for row in rows]
    assert said["cells_withheld"]["secondary"] == reasons.count("secondary")
    assert said["cells_withheld"]["primary"] == {"min_contributors": reasons.count("min_contributors")}
    assert said["smallest_relative_interval"]["amount_uyu_sum"] == pytest.approx(min(widths), abs=1e-5)
