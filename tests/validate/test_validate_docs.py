"""Data Docs and results: they are there, they stay the same, and no value of the data is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from acequia.flow import Validated
from tests.conftest import PROJECT
from tests.validate.judging import Deliveries, feed_of

CANARIES = ("Boitumelo Kgosietsile", "71 987 654", "98765432")


class Links(HTMLParser):
    """Collects what a page refers to, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if tag not in ("meta", "br", "hr", "img", "link", "input"):
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.opened and self.opened[-1] == tag:
            self.opened.pop()


def links(page: Path) -> list[str]:
    parser = Links()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.opened == [], page
    return parser.links


def everything(root: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(root.rglob("*")) if path.is_file())


def test_pages_are_there_and_lead_nowhere_else(deliveries: Deliveries) -> None:
    validated = deliveries.judge()
    docs = deliveries.home / "data_docs"
    assert validated.docs == "pula_mobile/events/2026-11-16.v1/index.html"
    pages = [docs / validated.docs, docs / "pula_mobile/events/index.html", docs / "index.html"]
    for page in pages:
        found = links(page)
        assert found
        for link in found:
            assert "//" not in link
            assert link.startswith("#") or (page.parent / link).is_file(), link
    assert "2026-11-16.v1" in pages[1].read_text()
    assert "pula_mobile.events" in pages[2].read_text()
    assert "values must never be null" in pages[0].read_text()


def test_a_failed_check_lists_column_and_count(deliveries: Deliveries) -> None:
    validated = deliveries.judge(duration_s="99999::BIGINT")
    page = (deliveries.home / "data_docs" / str(validated.docs)).read_text()
    assert "<td>expect_column_values_to_be_between</td><td>duration_s</td><td>1</td>" in page
    index = (deliveries.home / "data_docs/pula_mobile/events/index.html").read_text()
    assert 'class="verdict failed"' in index


def test_no_value_of_the_data_is_kept(deliveries: Deliveries, write_check: Callable[[str, str], None]) -> None:
    write_check(
        "a.yaml",
        "\n".join(
            f"- {{expectation: {name}, {rest}}}"
            for name, rest in [
                ("expect_column_values_to_be_in_set", "column: note, value_set: [x]"),
                ("expect_column_values_to_be_unique", "column: note"),
                ("expect_column_values_to_match_regex", "column: note, regex: '^x$'"),
                ("expect_column_value_lengths_to_equal", "column: note, value: 1"),
                ("expect_column_distinct_values_to_be_in_set", "column: note, value_set: [x]"),
                ("expect_column_distinct_values_to_equal_set", "column: note, value_set: [x]"),
                ("expect_column_most_common_value_to_be_in_set", "column: note, value_set: [x]"),
                ("expect_column_max_to_be_between", "column: duration_s, max_value: 1"),
                ("expect_column_sum_to_be_between", "column: lasted_s, max_value: 1"),
                ("expect_column_min_to_be_between", "column: lasted_s, max_value: 1"),
                ("expect_column_mean_to_be_between", "column: lasted_s, max_value: 1"),
                ("expect_column_quantile_values_to_be_between",
                 "column: lasted_s, quantile_ranges: {quantiles: [0.5], value_ranges: [[0, 1]]}"),
                ("expect_column_pair_values_to_be_equal", "column_A: lasted_s, column_B: duration_s"),
                ("expect_compound_columns_to_be_unique", "column_list: [note, kind]"),
            ]
        ),
    )  # fmt: skip
    cells = {
        "note": f"'{CANARIES[0]} {CANARIES[1]}'",
        "kind": f"'{CANARIES[0]}'",
        "who": f"'{CANARIES[1]}'",
        "duration_s": f"{CANARIES[2]}::BIGINT",
    }
    usual = deliveries.protected(rows=1, **cells)
    twice = deliveries.protected(
        sql=f"SELECT * REPLACE ({CANARIES[2]}::BIGINT AS lasted_s) FROM '{usual.path}', range(3) t(n)".replace(
            "SELECT *", "SELECT * EXCLUDE (n)"
        ),
        version=2,
    )
    validated = deliveries.judge(protected=twice)
    assert sum(not check.passed for check in validated.checks) >= 16
    written = everything(deliveries.home / "data_docs") + validated.model_dump_json()
    assert [canary for canary in CANARIES if canary in written] == []


def test_the_same_delivery_gives_the_same_bytes(deliveries: Deliveries) -> None:
    protected = deliveries.protected(duration_s="99999::BIGINT")
    first = deliveries.judge(protected=protected)
    pages = everything(deliveries.home / "data_docs")
    again = deliveries.judge(protected=protected)
    assert again.model_dump_json() == first.model_dump_json()
    assert everything(deliveries.home / "data_docs") == pages
    assert not (deliveries.home / "workspace/v1/.judging").exists() or not any(
        (deliveries.home / "workspace/v1/.judging").iterdir()
    )


def test_the_result_is_stored_for_other_programs(deliveries: Deliveries) -> None:
    validated = deliveries.judge(kind="'fax'")
    path = deliveries.home / "data_docs/pula_mobile/events/2026-11-16.v1/validation.json"
    stored = json.loads(path.read_bytes())
    assert stored["success"] is False
    assert stored["statistics"]["unsuccessful_expectations"] == 1
    assert len(stored["results"]) == len(validated.checks)
    assert all(not result["exception_info"]["raised_exception"] for result in stored["results"])


JUDGE = """
import socket, sys, warnings
from pathlib import Path

def refuse(*_, **__):
    raise SystemExit("reached for the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
sys.path[:0] = [{project!r}, {plugins!r}]
from acequia.flow import Protected
from acequia.validate.verdict import validate
from tests.validate.judging import feed_of

# Great Expectations is imported late, without what only its tests of distributions need, and leaves no trace.
heavy = {{"great_expectations", "scipy", "sqlalchemy", "altair"}}
assert not heavy & {{name.split(".")[0] for name in sys.modules}}
from acequia.validate.arbiter import _library
shown = warnings.showwarning
_library()
assert warnings.showwarning is shown
assert not {{"scipy.stats", "altair"}} & set(sys.modules)

for path in {protected!r}:
    validated = validate(Protected.load(Path(path)), feed_of(), expectations=Path("none"), docs=Path({docs!r}),
                         memory_limit="1GB")
    print(validated.model_dump_json())
from scipy import stats
assert stats.norm.cdf(0) == 0.5
"""


def test_two_processes_at_once(deliveries: Deliveries) -> None:
    docs, running = deliveries.home / "data_docs", []
    records = []
    for version in (1, 2, 3):
        protected = deliveries.protected(version=version)
        records.append(str(Path(protected.path).with_suffix(".json")))
        protected.save(Path(records[-1]))
    for shared_and_own in ([records[0], records[1]], [records[0], records[2]]):
        code = JUDGE.format(
            project=str(PROJECT), plugins=str(PROJECT / "plugins"), protected=shared_and_own, docs=str(docs)
        )
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
            )
        )
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert not any("Metrics" in err for _, err in said)
    results = [Validated.model_validate_json(line) for out, _ in said for line in out.splitlines() if line[:1] == "{"]
    assert len(results) == 4
    assert all(result.passed for result in results)
    assert results[0] == results[2]
    index = (docs / "pula_mobile/events/index.html").read_text()
    for version in (1, 2, 3):
        assert f"2026-11-16.v{version}/index.html" in index
        assert (docs / f"pula_mobile/events/2026-11-16.v{version}/index.html").is_file()
    assert list(docs.rglob("*.partial")) == []


def test_the_feed_of_the_tests_has_every_type() -> None:
    assert {column.type for column in feed_of().columns.values()} == {
        "string", "integer", "number", "timestamp", "date", "boolean",
    }  # fmt: skip
