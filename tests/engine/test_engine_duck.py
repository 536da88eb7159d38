from pathlib import Path

import duckdb
import pytest

from acequia.engine.duck import connect, literal, quoted


def test_memory_is_bounded_and_work_spills_to_scratch(tmp_path: Path) -> None:
    connection = connect("64MB", tmp_path, threads=1)
    connection.execute("CREATE TEMP TABLE t AS SELECT range AS n, hash(range)::VARCHAR AS text FROM range(3000000)")
    assert list((tmp_path / "spill").iterdir())
    connection.close()


def test_the_zone_of_the_machine_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Montevideo")
    with connect("1GB", tmp_path) as connection:
        assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_nothing_is_installed_or_loaded_by_itself(tmp_path: Path) -> None:
    with connect("1GB", tmp_path) as connection, pytest.raises(duckdb.Error):
        connection.execute("SELECT * FROM read_xlsx('nothing.xlsx')")


@pytest.mark.parametrize("name", ["plain", 'with "quotes"', "it's", "año", "a; DROP TABLE b"])
def test_names_and_texts_are_quoted(name: str, tmp_path: Path) -> None:
    with connect("1GB", tmp_path) as connection:
        result = connection.execute(f"SELECT {literal(name)} AS {quoted(name)}")
        assert [column[0] for column in result.description] == [name]
        assert result.fetchone() == (name,)
