"""What a machine proposes of generated drifts is exactly what they are, and a version written from it says so."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.agreement.load import load
from acequia.agreement.model import Feed
from acequia.drift.observed import observe
from acequia.drift.proposal import Drift, likeness, proposal
from acequia.drift.rewriting import rewritten
from acequia.drift.words import EN, ES, told
from acequia.engine.duck import connect
from acequia.errors import AcequiaError
from tests.drift.generated import RETYPED, Case, cases


def feed_of(case: Case, folder: Path) -> Feed:
    path = folder / "trams.yaml"
    path.write_text(case.agreement(), encoding="utf-8")
    return load(path).agreement.feed("rides")


def drift_of(feed: Feed, text: str, folder: Path) -> Drift:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    with closing(connect("256MB", folder, threads=1)) as connection:
        return proposal(observe(connection, path, feed, folder), feed)


def named(drift: Drift) -> set[tuple[str, str | None, str | None]]:
    return {(one.kind, one.column, one.found) for one in drift.changes}


@given(case=cases(), seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_proposal_names_exactly_the_drift(case, seed):
    with TemporaryDirectory() as folder:
        feed = feed_of(case, Path(folder))
        drift = drift_of(feed, case.csv(seed, drifted=True), Path(folder))
        assert named(drift) == case.truth()
        for change in drift.changes:
            if change.kind == "retyped":
                assert {"type": change.type, "parse": change.parse} == RETYPED[str(change.column)][1]
        assert drift_of(feed, case.csv(seed, drifted=False), Path(folder)).changes == ()
        assert Drift.of_json(drift.as_json()) == drift


@given(case=cases(), seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_version_written_from_it_fits_the_file_and_keeps_every_comment(case, seed):
    with TemporaryDirectory() as name:
        folder = Path(name)
        feed = feed_of(case, folder)
        text = case.csv(seed, drifted=True)
        drift = drift_of(feed, text, folder)
        before = case.agreement()
        after = rewritten(before, "rides", drift, version="1.1", effective_from=date(2026, 3, 1))
        for line in before.splitlines():
            assert "#" not in line or line.partition("#")[2] in after
        (folder / "trams.yaml").write_text(after, encoding="utf-8")
        agreement = load(folder / "trams.yaml").agreement
        assert (agreement.terms.version, agreement.terms.effective_from) == ("1.1", date(2026, 3, 1))
        new = agreement.feed("rides")
        assert drift_of(new, text, folder).changes == ()
        assert set(feed.kept) == set(new.kept)  # tables see the same columns
        assert {new.columns[name].treat for name in case.added} <= {"drop"}
        assert after.count("a person must decide") == len(case.gone)


def test_no_value_is_said_and_both_languages_say_the_same(tmp_path):
    case = Case(("rider", "zone", "fare", "channel"), renamed={"zone": "Zone"}, gone=("channel",), added=("weather",))
    drift = drift_of(feed_of(case, tmp_path), case.csv(1, drifted=True), tmp_path)
    for language in ("en", "es"):
        said = "\n".join(told(drift, language))
        for value in ("north", "south", "r00", "snowing", "app"):
            assert value not in said
        assert "“weather”" in said or "«weather»" in said
    assert EN.keys() == ES.keys()


def test_a_header_that_is_missing_is_not_taken_for_names(tmp_path):
    case = Case(("rider", "zone", "fare", "begun_at"))
    feed = feed_of(case, tmp_path)
    text = case.csv(3, drifted=False).partition("\n")[2]
    drift = drift_of(feed, text, tmp_path)
    assert drift.counts == {"header_missing": 1}
    assert text.split(",")[0] not in str(drift.as_json())
    with pytest.raises(AcequiaError, match="for the partner to correct"):
        rewritten(case.agreement(), "rides", drift, version="1.1", effective_from=date(2026, 3, 1))


def test_a_header_that_comes_again_and_columns_of_one_name(tmp_path):
    case = Case(("rider", "zone", "fare"))
    feed = feed_of(case, tmp_path)
    lines = case.csv(3, drifted=False).splitlines()
    assert drift_of(feed, "\n".join([*lines, lines[0], ""]), tmp_path).counts == {"header_repeated": 1}
    twice = "\n".join([f"{line},{line.split(',')[1]}" for line in lines] + [""])
    assert drift_of(feed, twice, tmp_path).counts == {"named_twice": 1}


def test_values_that_leave_their_set_are_no_other_type(tmp_path):
    case = Case(("rider", "zone", "fare"))
    text = case.csv(3, drifted=False).replace("north", "N").replace("south", "S").replace("east", "E")
    (change,) = drift_of(feed_of(case, tmp_path), text, tmp_path).changes
    assert (change.kind, change.column, change.fit) == ("unfit", "zone", 0.0)


@pytest.mark.parametrize("form", ["parquet", "jsonl", "xlsx"])
def test_other_formats_are_read_as_well(tmp_path, form):
    case = Case(("rider", "zone", "fare", "seats"), renamed={"zone": "Zone", "fare": "fare_amount"}, added=("weather",))
    path = tmp_path / "trams.yaml"
    path.write_text(case.agreement().replace("format: csv", f"format: {form}"), encoding="utf-8")
    feed = load(path).agreement.feed("rides")
    rows = case.rows(5, drifted=True).rename(columns=case.renamed)
    rows = rows.astype({"fare_amount": float, "seats": int})
    file = tmp_path / f"file.{form}"
    if form == "parquet":
        rows.to_parquet(file)
    elif form == "jsonl":
        rows.to_json(file, orient="records", lines=True)
    else:
        rows.to_excel(file, index=False)
    with closing(connect("256MB", tmp_path, threads=1)) as connection:
        drift = proposal(observe(connection, file, feed, tmp_path), feed)
    assert named(drift) == case.truth()


def test_what_a_file_of_an_older_partner_looks_like_when_nothing_fits(tmp_path):
    case = Case(("rider", "zone", "fare"))
    drift = drift_of(feed_of(case, tmp_path), "a,b\n1,2\n3,4\n", tmp_path)
    assert drift.counts == {"added": 2, "missing": 3}


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("amount", "AMOUNT", 1, 1),
        ("started_at", "startedAt", 1, 1),
        ("teléfono", "TELEFONO", 1, 1),
        ("price_uyu", "price", 0.5, 0.9),
        ("zone", "weather", 0, 0.4),
        ("", "x", 0, 0),
    ],
)
def test_likeness_of_names(one, other, least, most):
    assert least <= likeness(one, other) <= most
    assert likeness(one, other) == likeness(other, one)


def test_an_anchor_is_left_to_a_person(tmp_path):
    text = Case(("rider", "zone", "fare")).agreement()
    columns = yaml.safe_load(text)["feeds"]["rides"]["columns"]
    assert "zone" in columns
    lines = [line for line in text.splitlines() if not line.strip().startswith(("zone:", "fare:"))]
    place = next(n for n, line in enumerate(lines) if line.strip().startswith("rider:"))
    lines[place + 1 : place + 1] = ["      zone: &z {type: string, treat: drop}", "      fare: *z"]
    drift = drift_of(feed_of(Case(("rider", "zone", "fare")), tmp_path), "rider,Zone,fare\nr0001,north,1\n", tmp_path)
    with pytest.raises(AcequiaError, match="by alias"):
        rewritten("\n".join(lines), "rides", drift, version="1.1", effective_from=date(2026, 3, 1))
