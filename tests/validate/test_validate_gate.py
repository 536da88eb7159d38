"""What the gate counted, judged against what is agreed: exactly at the limit, and one row beyond."""

from __future__ import annotations

import pytest

from acequia.flow import Check, Validated
from tests.validate.judging import SMALL, Deliveries, feed_of


def rows(count: int) -> str:
    return f"SELECT 90::BIGINT AS duration_s, 'call' AS kind FROM range({count})"


def named(validated: Validated, name: str, column: str | None = None) -> Check:
    return next(check for check in validated.checks if (check.name, check.column) == (name, column))


@pytest.mark.parametrize(
    ("pct", "rows_kept", "aside", "passed"),
    [
        (0, 10, 0, True),
        (0, 999, 1, False),
        (1, 990, 10, True),  # exactly 1 %
        (1, 989, 11, False),
        (1, 98, 1, False),  # 1 of 99 is more than 1 %
        (0.1, 999, 1, True),
        (0.1, 998, 2, False),
        (33.3, 667, 333, True),
        (100, 0, 7, True),
    ],
)
def test_rows_set_aside(deliveries: Deliveries, pct: float, rows_kept: int, aside: int, passed: bool) -> None:
    feed = feed_of(SMALL, rows__set_aside_at_most_pct=pct)
    rules = (("duration_s", "range:duration_s", aside), ("kind", "set:kind", 0))
    validated = deliveries.judge(
        feed, deliveries.protected(sql=rows(rows_kept), aside={"range:duration_s": aside} if aside else {}, rules=rules)
    )
    assert validated.passed is passed
    total, rule = named(validated, "gate:set_aside"), named(validated, "gate:range:duration_s", "duration_s")
    assert (total.passed, total.rows_failing) == (passed, aside)
    assert (rule.passed, rule.rows_failing) == (passed, aside)
    assert named(validated, "gate:set:kind", "kind").rows_failing == 0


def test_two_rules_within_the_limit_may_break_it_together(deliveries: Deliveries) -> None:
    feed = feed_of(SMALL, rows__set_aside_at_most_pct=1)
    validated = deliveries.judge(
        feed,
        deliveries.protected(
            sql=rows(988),
            aside={"range:duration_s": 6, "set:kind": 6},
            rules=(("duration_s", "range:duration_s", 6), ("kind", "set:kind", 6)),
        ),
    )
    assert [check.name for check in validated.checks if not check.passed] == ["gate:set_aside"]
    assert named(validated, "gate:set_aside").describe == "12 of 1000 rows set aside; at most 10 agreed"


def test_duplicates_do_not_count_against_the_limit(deliveries: Deliveries) -> None:
    protected = deliveries.protected(sql=rows(10), aside={"duplicate": 500}, rules=(("", "duplicate", 500),))
    validated = deliveries.judge(feed_of(SMALL), protected)
    assert validated.passed
    assert named(validated, "gate:duplicate").rows_failing == 500


@pytest.mark.parametrize(("arrived", "passed"), [(4, False), (5, True), (7, True), (8, False)])
def test_rows_between(deliveries: Deliveries, arrived: int, passed: bool) -> None:
    feed = feed_of(SMALL, delivery__rows_between=[5, 7])
    validated = deliveries.judge(feed, deliveries.protected(sql=rows(arrived)))
    check = named(validated, "rows_between")
    assert (check.passed, check.rows_failing) == (passed, None)
    assert check.describe == f"{arrived} rows arrived; 5 to 7 agreed"


def test_rows_between_counts_rows_that_arrived(deliveries: Deliveries) -> None:
    feed = feed_of(SMALL, delivery__rows_between=[5, 7], rows__set_aside_at_most_pct=100)
    assert deliveries.judge(feed, deliveries.protected(sql=rows(4), aside={"outside_period": 1})).passed
