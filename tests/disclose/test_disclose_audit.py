"""The auditor on tables of others: textbook cases, brute force, and nonsense that is refused."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.cli import cli
from acequia.disclose.audit import audit, between
from acequia.disclose.public import Told, told
from acequia.disclose.third_party import Asked, read
from acequia.errors import AcequiaError

Table = dict[tuple[str, str], int]


def written(folder: Path, cells: dict[tuple[str, ...], int | None], names: tuple[str, ...] = ("row", "column")) -> Path:
    columns = {name: [key[place] for key in cells] for place, name in enumerate(names)}
    path = folder / "table.parquet"
    pq.write_table(pa.table({**columns, "n": pa.array(cells.values(), pa.int64())}), path)
    return path


def with_totals(inside: Table) -> Table:
    rows, columns = sorted({row for row, _ in inside}), sorted({column for _, column in inside})
    made = dict(inside)
    for row in rows:
        made[row, "_T"] = sum(inside[row, column] for column in columns)
    for column in [*columns, "_T"]:
        made["_T", column] = sum(made[row, column] for row in rows)
    return made


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, set[tuple[str, str]]]:
    inside = {key: draw(st.integers(0, 2)) for key in product("ab", "xyz"[: draw(st.integers(2, 3))])}
    whole = with_totals(inside)
    return whole, draw(st.sets(st.sampled_from(sorted(inside)), min_size=1, max_size=4))


@settings(max_examples=25, deadline=None)
@given(tables())
def test_intervals_are_those_of_every_table_that_could_be(tmp_path_factory: pytest.TempPathFactory, made) -> None:  # type: ignore[no-untyped-def]
    """Every table with the same published numbers is written out; two-way tables are totally unimodular, so that the
    ends of the intervals are whole.
    """
    whole, hidden = made
    shown = {key: None if key in hidden else number for key, number in whole.items()}
    folder = tmp_path_factory.mktemp("t")
    audited = audit([read(written(folder, shown), Asked(("row", "column"), ("n",)))], narrow_pct=0)
    wanted = sorted(hidden)
    most = max(whole[key] for key in whole if "_T" in key and key != ("_T", "_T"))
    possible = []
    for guess in product(range(most + 1), repeat=len(wanted)):
        inside = {key: whole[key] for key in whole if "_T" not in key} | dict(zip(wanted, guess, strict=True))
        if with_totals(inside) == whole | inside:
            possible.append(guess)
    for place, key in enumerate(wanted):
        (seen,) = [one for one in audited.seen if (one.cell["row"], one.cell["column"]) == key]
        assert (seen.known.low, seen.known.high) == (min(p[place] for p in possible), max(p[place] for p in possible))
        exact = seen.known.low == seen.known.high != 0
        assert (seen.found == "exactly_known") == exact


def test_a_hierarchy_comes_from_a_file(tmp_path: Path) -> None:
    cells = {("north",): 30, ("a",): None, ("b",): 20, ("south",): 12, ("c",): None, ("d",): None, ("all",): 42}
    above = tmp_path / "above.csv"
    above.write_text("a,north\nb,north\nc,south\nd,south\nnorth,all\nsouth,all\n")
    path = written(tmp_path, cells, ("place",))
    audited = audit([read(path, Asked(("place",), ("n",), hierarchy={"place": above}))])
    found = {one.cell["place"]: (one.known.low, one.known.high, one.found) for one in audited.seen}
    assert found == {"a": (10, 10, "exactly_known"), "c": (0, 12, None), "d": (0, 12, None)}


def test_secondary_cells_are_not_sensitive(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("k,n,s\na,,primary\nb,,secondary\nc,5,\n_T,9,\n")
    (one, other) = audit([read(path, Asked(("k",), ("n",), status="s"))], narrow_pct=0).seen
    assert (one.because, other.because) == ("primary", "secondary")
    path.write_text("k,n,s\na,,secondary\nc,5,\n_T,9,\n")
    assert audit([read(path, Asked(("k",), ("n",), status="s"))]).findings == []


def test_rounded_totals_leave_room(tmp_path: Path) -> None:
    path = written(tmp_path, {("a",): None, ("b",): 20, ("_T",): 25}, ("k",))
    (seen,) = audit([read(path, Asked(("k",), ("n",), rounded_to=5))]).seen
    assert (seen.known.low, seen.known.high) == (0, 10)
    assert seen.found is None


STRUCTURE = {"feed": "f", "by": [{"name": "k", "levels": ["k"]}], "min_contributors": 10, "additive": ["n"],
             "measures": [{"name": "n", "kind": "rows", "of": "rows", "at_least": 0}], "rules": []}  # fmt: skip


def vintage(name: str, numbers: list[int | None], structure: dict[str, object] = STRUCTURE) -> Told:
    rows = pa.table(
        {
            "k": [f"k{n}" for n in range(len(numbers))],
            "n": pa.array(numbers, pa.int64()),
            "cell_status": ["withheld" if number is None else "published" for number in numbers],
            "withheld_because": ["min_contributors" if number is None else None for number in numbers],
        }
    )
    return told(rows, structure, id=name, table="p.t", period="2026-11", current=True)


@pytest.mark.parametrize(("before", "after", "few"), [(50, 50, 0), (50, 59, 1), (50, 60, 0), (50, 41, 1), (50, 40, 0)])
def test_vintages_that_differ_by_few(before: int, after: int, few: int) -> None:
    found = list(between(vintage("one", [before, None]), vintage("two", [after, 12])))
    assert len(found) == few
    audited = audit([vintage("one", [before, 90]), vintage("two", [after, 90])])
    assert len(audited.findings) == few


def test_rounding_hides_a_difference_that_may_be_none() -> None:
    rounded = {**STRUCTURE, "rounding": {"base": 5, "method": "conventional"}}
    assert not list(between(vintage("one", [50], rounded), vintage("two", [50], rounded)))
    assert not list(between(vintage("one", [50], rounded), vintage("two", [55], rounded)))
    wide = {**rounded, "min_contributors": 15}
    assert not list(between(vintage("one", [50], wide), vintage("two", [55], wide)))
    (found,) = between(vintage("one", [50], wide), vintage("two", [58], wide))
    assert (found.low, found.high) == (3, 13)


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["audit", *words])
    return done.exit_code, done.output


def test_the_command_ends_with_six_when_something_is_known(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("region,sex,n\nA,f,20\nA,m,\nA,_T,25\nB,f,30\nB,m,40\nB,_T,70\n_T,f,50\n_T,m,45\n_T,_T,95\n")
    code, said = command("--file", str(path), "--by", "region,sex", "--value", "n")
    assert code == 6
    assert "1 known exactly" in said
    code, said = command("--file", str(path), "--by", "region,sex", "--value", "n", "--json")
    told_ = json.loads(said)
    assert (code, told_["intervals"][0]["low"], told_["intervals"][0]["high"]) == (6, 5, 5)
    path.write_text("region,n\nA,20\nB,\nC,\n_T,95\n")
    assert command("--file", str(path), "--by", "region", "--value", "n")[0] == 0


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        ("k,n\na,1\na,2\n", Asked(("k",), ("n",)), "two rows describe the same cell"),
        ("k,n\na,one\n", Asked(("k",), ("n",)), "no number"),
        ("k,n\na,inf\n", Asked(("k",), ("n",)), "not finite"),
        ("k,n\na,1e31\n", Asked(("k",), ("n",)), "beyond"),
        ("\0" * 200_000, Asked(("k",), ("n",)), "neither as Parquet nor as CSV"),
        ("k,n\na,1\n", Asked(("k",), ("n",), total="all"), "--total"),
        ("k,n,s\na,1,s\nb,2,u\n", Asked(("k",), ("n",), "s"), "--withheld"),
        ("k,n,s\na,1,s\nb,2,u\n", Asked(("k",), ("n",), "s", withheld=("x",)), "every code of --withheld"),
        ("k,n\n", Asked(("k",), ("n",)), "no row"),
        ("k,n\na,1\n", Asked(("x",), ("n",)), "no column 'x'"),
        ("k,n\na,1\n", Asked(("k",), ("k",)), "given twice"),
        ("k,n\na,1\n", Asked(("k",), ("n",), hierarchy={"z": Path("z.csv")}), "not in --by"),
        ("k,n\na,1\n", Asked(("k",), ("n",), hierarchy={"k": Path("none.csv")}), "no such file"),
    ],
    ids=["twice", "word", "infinite", "huge", "zeros", "total", "letters", "code", "empty", "column", "same",
         "stranger", "file"],
)  # fmt: skip
def test_nonsense_is_refused(tmp_path: Path, text: str, asked: Asked, says: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(AcequiaError, match=says) as refused:
        read(path, asked)
    assert refused.value.code == "usage"


@pytest.mark.parametrize(
    ("above", "says"),
    [("a,b\nb,a\n", "circle"), ("a,b\na,c\n", "lies in two"), ("a\n", "every line"), ("x,y\n", "no value of")],
    ids=["circle", "two", "short", "foreign"],
)  # fmt: skip
def test_a_hierarchy_that_contradicts_itself_is_refused(tmp_path: Path, above: str, says: str) -> None:
    path, file = tmp_path / "t.csv", tmp_path / "above.csv"
    path.write_text("k,n\na,1\nb,\n")
    file.write_text(above)
    with pytest.raises(AcequiaError, match=says):
        read(path, Asked(("k",), ("n",), hierarchy={"k": file}))


def test_what_a_status_means_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("k,n,status\na,1,s\nb,2,u\nc,3,x\n_T,6,s\n")
    asked = Asked(("k",), ("n",), "status", withheld=("u", "x"))
    assert read(path, asked).because == (None, "u", "x", None)


def test_totals_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, {("a",): None, ("b",): 20, ("_T",): 15}, ("k",))
    with pytest.raises(AcequiaError) as refused:
        audit([read(path, Asked(("k",), ("n",)))])
    assert refused.value.code == "tables_contradict"
