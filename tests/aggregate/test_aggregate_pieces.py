"""Rows by the sets that they are in, against a computation with multisets."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acequia.aggregate.pieces import piece_cells, pieces
from acequia.period import Period
from tests.aggregate.made_feeds import a_feed, a_reference, frame, protected

PEOPLE = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=8)
TABLE = {"by": (), "measures": {"n": {"count": "rows"}}, "protect": {"contributor": "person", "min_contributors": 2}}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PEOPLE, PEOPLE, PEOPLE)
def test_versions_are_told_apart_row_by_row(
    day: list[str | None], old: list[str | None], new: list[str | None]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        a_reference(folder)
        feed = a_feed(tables={"t": TABLE})
        made = [protected(folder, frame([{"person": p} for p in people]), day=n)
                for n, people in enumerate((day, old, new), 1)]  # fmt: skip
        same_day = made[1].delivery
        other = made[2].model_copy(update={"delivery": same_day.model_copy(update={"version": 2})})
        found = pieces(feed, [[made[0], made[1]], [made[0], other]], memory_limit="1GB", scratch=folder)
        rows = {piece.sets: Counter(
            person for path in piece.made for person in pq.read_table(path).column("person").to_pylist()
        ) for piece in found}  # fmt: skip
        first, second = Counter(old), Counter(new)
        both, nothing = frozenset({0, 1}), Counter()
        assert rows.get(both, nothing) == Counter(day) + (first & second)
        assert rows.get(frozenset({0}), nothing) == first - second
        assert rows.get(frozenset({1}), nothing) == second - first
        assert set(rows) <= {both, frozenset({0}), frozenset({1})}


def test_the_cells_of_a_piece_are_those_of_its_rows(tmp_path: Path) -> None:
    a_reference(tmp_path)
    feed = a_feed(tables={"t": {**TABLE, "by": ("kind",), "over": "month"}})
    one, two = (protected(tmp_path, frame([{"person": p, "kind": "call"} for p in people]), day=day)
                for day, people in ((1, "abc"), (2, "cd")))  # fmt: skip
    found = pieces(feed, [[one, two], [one]], memory_limit="1GB", scratch=tmp_path)
    assert [sorted(piece.sets) for piece in found] == [[0], [0, 1]]
    window = Period.parse("2026-11")
    some = {"reference": tmp_path / "reference", "memory_limit": "1GB", "scratch": tmp_path}
    numbers = [piece_cells("t", feed.tables["t"], feed, [piece], window, **some).to_pylist() for piece in found]
    assert [[(row["kind"], row["n"], row["cell:contributors"]) for row in rows] for rows in numbers] == [
        [("call", 2, 2)], [("call", 3, 3)]
    ]  # fmt: skip
    (both,) = piece_cells("t", feed.tables["t"], feed, found, window, **some).to_pylist()
    assert (both["n"], both["cell:contributors"]) == (5, 4)
