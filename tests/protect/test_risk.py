"""The report on like rows: exact against a computation by hand, and stable."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.agreement.load import find
from acequia.agreement.model import Feed
from acequia.engine.duck import connect
from acequia.flow import Risk
from acequia.protect import risk
from acequia.protect.risk import THRESHOLDS, measure, person_of, quasi_identifiers

CONFIG = Path(__file__).resolve().parents[2] / "config" / "partners"
TYPES = {"who": "string", "where": "string", "age": "string", "kind": "string", "pay": "number"}


def feed(contributor: str = "who", **privacy: Any) -> Feed:
    made = {
        "delivery": {"source": {"type": "folder", "path": "{period}.csv"}, "format": "csv", "schedule": "0 6 * * *",
                     "timezone": "UTC", "period": "day", "due_within_hours": 24, "rows_between": (1, 1000)},
        "columns": {
            "who": {"type": "string", "treat": "pseudonym"},
            "where": {"type": "string", "treat": {"first": 2}},
            "age": {"type": "integer", "treat": {"band": (18.0, 65.0)}},
            "kind": {"type": "string", "treat": "keep"},
            "pay": {"type": "number", "treat": "keep"},
            "note": {"type": "string", "treat": "scrub_text"},
        },
        "privacy": privacy,
        "tables": {"t": {"describe": "Rows.", "by": ("where",), "measures": {"n": {"count": "rows"}},
                         "protect": {"contributor": contributor, "min_contributors": 3}}},
    }  # fmt: skip
    return Feed.model_validate(made)


def measured(rows: list[tuple[Any, ...]], of: Feed, folder: Path, threads: int = 2) -> Risk:
    path = folder / "rows.parquet"
    schema = pa.schema([(name, pa.float64() if name == "pay" else pa.string()) for name in TYPES])
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in TYPES]
    pq.write_table(pa.table(columns, schema=schema), path)
    connection = connect("512MB", folder, threads=threads)
    try:
        return measure(connection, path, of, TYPES)
    finally:
        connection.close()


def naive(rows: list[tuple[Any, ...]], of: Feed) -> dict[str, Any]:
    """The same by hand: sets of people per class."""
    identifiers, person = quasi_identifiers(of, TYPES), person_of(of, TYPES)
    frame = pd.DataFrame(rows, columns=list(TYPES), dtype=object)
    frame["p"] = list(range(len(frame))) if person == "rows" else frame[person]
    frame = frame[frame["p"].notna()]
    frame["c"] = [tuple(row) for row in frame[list(identifiers)].itertuples(index=False)]
    groups = dict(tuple(frame.groupby("c", sort=False))) if len(frame) else {}
    size = {c: group["p"].nunique() for c, group in groups.items()}
    smallest = {p: min(size[c] for c in group["c"]) for p, group in frame.groupby("p")} if len(frame) else {}
    alone = {
        name: {next(iter(people)) for _, part in frame.groupby(name, dropna=False)
               if len(people := set(part["p"])) == 1}
        for name in identifiers
    }  # fmt: skip
    diversity = []
    for name in of.privacy.sensitive:
        counts = [group.groupby(name, dropna=False)["p"].nunique() for group in groups.values()]
        entropies = [-sum(f / sum(some) * math.log(f / sum(some)) for f in some) for some in map(list, counts)]
        same = {p for group, some in zip(groups.values(), counts, strict=True) if len(some) == 1 for p in group["p"]}
        diversity.append((min(map(len, counts), default=0),
                          min(map(math.exp, entropies), default=0.0), len(same)))  # fmt: skip
    return {
        "k": min(size.values(), default=0),
        "k_rows": min((len(group) for group in groups.values()), default=0),
        "classes": len(groups),
        "people": frame["p"].nunique(),
        "rows": len(frame),
        "below": {n: (sum(v < n for v in smallest.values()),
                      sum(len(groups[c]) for c in groups if size[c] < n)) for n in THRESHOLDS},
        "unique_by": {name: len(found) for name, found in alone.items()},
        "diversity": diversity,
    }  # fmt: skip


ROW = st.tuples(
    st.sampled_from([*"abcdefgh", None]), st.sampled_from(["UY", "BW", None]), st.sampled_from(["<18", "65+"]),
    st.sampled_from(["call", "sms"]), st.sampled_from([1.0, 2.0, None]),
)  # fmt: skip
SENSITIVE = {"sensitive": ("kind", "pay")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=40), contributor=st.sampled_from(["who", "rows"]))
def test_it_is_what_counting_by_hand_gives(rows: list[tuple[Any, ...]], contributor: str, tmp_path: Path) -> None:
    of = feed(contributor, **SENSITIVE)
    found, wanted = measured(rows, of, tmp_path), naive(rows, of)
    for name in ("k", "k_rows", "classes", "people", "rows", "unique_by"):
        assert getattr(found, name) == wanted[name], name
    assert {n: (part.people, part.rows) for n, part in found.below.items()} == wanted["below"]
    assert found.rows_of_nobody == len(rows) - wanted["rows"]
    for part, (distinct, entropy, alike) in zip(found.diversity, wanted["diversity"], strict=True):
        assert (part.distinct_l, part.people_alike) == (distinct, alike)
        assert part.entropy_l == pytest.approx(entropy, abs=1e-4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=60))
def test_who_is_alone_with_a_whole_trail(rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    """With as many points as somebody has, the drawn points are all of them: then it can be told by hand."""
    of = feed()
    found = measured(rows, of, tmp_path)
    trails: dict[str, set[Any]] = {}
    for who, *values, _ in rows:
        if who is not None:
            trails.setdefault(who, set()).add(tuple(values))
    for trail in found.trails:
        able = [who for who, points in trails.items() if len(points) >= trail.points]
        exact = [who for who in able if len(trails[who]) == trail.points]
        alone = [who for who in exact if sum(trails[who] <= other for other in trails.values()) == 1]
        assert trail.people == len(able)
        assert len(alone) <= trail.unique <= len(alone) + len(able) - len(exact)


def test_one_person_with_a_thousand_rows_is_nobody_hidden(tmp_path: Path) -> None:
    rows = [("a", "UY", "65+", "call", 1.0)] * 1000 + [(who, "BW", "65+", "call", 1.0) for who in "abc"]
    found = measured(rows, feed(), tmp_path)
    assert (found.k, found.k_rows, found.unique, found.below[2].rows) == (1, 3, 1, 1000)


def test_threads_change_nothing(tmp_path: Path) -> None:
    rows = [(f"p{n % 97}", f"{n % 7}", f"{n % 5}", f"{n % 3}", float(n % 11)) for n in range(3000)]
    of = feed(sensitive=("pay",))
    assert measured(rows, of, tmp_path, threads=1) == measured(rows, of, tmp_path, threads=4)


def test_large_comparisons_look_at_fewer_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"p{n % 50}", f"{n % 5}", "65+", f"{n % 3}", 1.0) for n in range(3000)]
    monkeypatch.setattr(risk, "PAIRS_AT_MOST", 100)
    first = measured(rows, feed(), tmp_path).trails[0]
    assert 0 < first.people < 50
    assert measured(rows, feed(), tmp_path).trails[0] == first


@pytest.mark.parametrize(
    ("partner", "name", "person", "wanted"),
    [
        ("pula_mobile", "events", "msisdn", ("started_hour", "district", "kind")),
        ("ceibo_pay", "transactions", "sender",
         ("made_on", "sender_birth_band", "department", "region", "kind", "status")),
        ("rambla_market", "scanner", "receipt",
         ("sold_on", "department", "age_band", "ean", "coicop_class", "is_promotion")),
        ("kgale_rides", "driver_hours", "driver", ("worked_week", "home_district", "gender", "birth_band")),
    ],
)  # fmt: skip
def test_what_is_looked_at_by_default(partner: str, name: str, person: str, wanted: tuple[str, ...]) -> None:
    of = find(CONFIG, partner).agreement.feed(name)
    types = {kept: of.columns[key].type for kept, key in of.kept.items()}
    for kept, key in of.kept.items():
        if of.columns[key].treatment in ("band", "lookup"):
            types[kept] = "string"
    assert (person_of(of, types), quasi_identifiers(of, types)) == (person, wanted)
