"""The privacy budget: charges add up exactly, stand for ever, and never pass the limit, however many come at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acequia.agreement.privacy import Budget
from acequia.errors import AcequiaError
from acequia.ledger import budget
from acequia.ledger.book import Ledger
from acequia.ledger.budget import Charge
from acequia.period import Period

ASKED = Charge(
    partner="pula",
    feed="events",
    unit="msisdn",
    table="calls",
    window="2026-11",
    deliveries=("pula.events.2026-11-01.v1", "pula.events.2026-11-02.v1"),
    terms="0" * 64,
    epsilon=Decimal("0.1"),
    delta=Decimal("1e-7"),
    noisy_sha256="a" * 64,
)
LIMIT = Budget(epsilon=1, delta=1e-6, per="year")


def of(number: int, **more: object) -> Charge:
    return replace(ASKED, table=f"table{number}", **more)  # type: ignore[arg-type]


def test_a_release_is_charged_once_and_keeps_its_first_noise(ledger: Ledger) -> None:
    first = budget.charge(ledger, ASKED, LIMIT)
    again = budget.charge(ledger, replace(ASKED, noisy_sha256="b" * 64, deliveries=ASKED.deliveries[::-1]), LIMIT)
    assert again == first == replace(ASKED, at=first.at)
    assert budget.charges(ledger, "pula", "events") == [first]
    assert budget.charged(ledger, ASKED.key) == first
    assert ledger.verify() == []


def test_ten_tenths_are_one_and_an_eleventh_is_refused(ledger: Ledger) -> None:
    for number in range(10):
        budget.require_room(ledger, of(number), LIMIT)
        budget.charge(ledger, of(number), LIMIT)
    before = ledger.length()
    for attempt in (budget.require_room, budget.charge):
        with pytest.raises(AcequiaError, match=r"epsilon 1\.0 of 1\.0") as stopped:
            attempt(ledger, of(10), LIMIT)
        assert (stopped.value.code, stopped.value.exit_code) == ("budget_exceeded", 6)
    assert ledger.length() == before
    budget.charge(ledger, of(3), LIMIT)  # what is charged stays charged, also when nothing is left
    assert ledger.length() == before


def test_delta_has_a_limit_of_its_own(ledger: Ledger) -> None:
    budget.charge(ledger, of(1, epsilon=Decimal("0.001"), delta=Decimal("1e-6")), LIMIT)
    with pytest.raises(AcequiaError, match="delta 0.000001 of 0.000001"):
        budget.charge(ledger, of(2, epsilon=Decimal("0.001")), LIMIT)


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        ({"window": "2027-01"}, True),  # another year
        ({"unit": "imei"}, True),
        ({"feed": "locations"}, True),
        ({"partner": "kgale"}, True),
        ({"window": "2026-02"}, False),
        ({"table": "other"}, False),
        ({"deliveries": ("pula.events.2026-11-01.v2",)}, False),  # restated
        ({"terms": "1" * 64}, False),
    ],
    ids=lambda change: ",".join(change) if isinstance(change, dict) else "",
)
def test_what_has_a_budget_of_its_own(sqlite_ledger: Ledger, change: dict[str, object], is_another: bool) -> None:
    whole = replace(ASKED, epsilon=Decimal(1))
    budget.charge(sqlite_ledger, whole, LIMIT)
    asked = replace(whole, **change)  # type: ignore[arg-type]
    if is_another:
        budget.charge(sqlite_ledger, asked, LIMIT)
    else:
        with pytest.raises(AcequiaError, match="budget_exceeded"):
            budget.charge(sqlite_ledger, asked, LIMIT)


@pytest.mark.parametrize(
    ("window", "per", "spans"),
    [
        ("2026-11-30", "month", ("2026-11",)),
        ("2026-W49", "month", ("2026-11", "2026-12")),  # 30 November to 6 December: both
        ("2026-W53", "year", ("2026", "2027")),
        ("2026-Q4", "month", ("2026-10", "2026-11", "2026-12")),
        ("2026", "ever", ("ever",)),
        ("2026-02", "quarter", ("2026-Q1",)),
    ],
)
def test_a_window_counts_to_every_span_that_it_touches(window: str, per: str, spans: tuple[str, ...]) -> None:
    assert budget.spans_of(window, per) == spans


@given(
    st.dates(Period.parse("2020").start, Period.parse("2030").start),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.sampled_from(["month", "quarter", "year"]),
)
def test_spans_cover_every_day_of_the_window(day: object, kind: str, per: str) -> None:
    window = Period.holding(kind, day)  # type: ignore[arg-type]
    spans = [Period.parse(label) for label in budget.spans_of(window.label, per)]
    assert spans[0].start <= window.start and window.end <= spans[-1].end
    assert all(one.end == other.start for one, other in zip(spans, spans[1:], strict=False))


def test_a_week_between_two_months_needs_room_in_both(sqlite_ledger: Ledger) -> None:
    monthly = LIMIT.model_copy(update={"per": "month"})
    budget.charge(sqlite_ledger, replace(ASKED, window="2026-12", epsilon=Decimal(1)), monthly)
    week = replace(ASKED, window="2026-W49", table="weekly")
    with pytest.raises(AcequiaError, match="in 2026-12"):
        budget.charge(sqlite_ledger, week, monthly)
    budget.charge(sqlite_ledger, replace(week, window="2026-W48"), monthly)


def test_a_smaller_budget_later_counts_what_was_spent_before(sqlite_ledger: Ledger) -> None:
    budget.charge(sqlite_ledger, replace(ASKED, epsilon=Decimal("0.9")), LIMIT)
    with pytest.raises(AcequiaError, match="budget_exceeded"):
        budget.charge(sqlite_ledger, of(2), LIMIT.model_copy(update={"epsilon": 0.5}))
    ever = LIMIT.model_copy(update={"per": "ever"})
    with pytest.raises(AcequiaError, match="in ever"):
        budget.charge(sqlite_ledger, of(3, window="2019-01", epsilon=Decimal("0.2")), ever)


def test_threads_at_once_spend_no_more_than_there_is(ledger: Ledger) -> None:
    def one(number: int) -> str:
        try:
            budget.charge(ledger, of(number, epsilon=Decimal("0.3")), LIMIT)
        except AcequiaError as error:
            return error.code
        return "charged"

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(one, range(8)))
    assert sorted(ends) == ["budget_exceeded"] * 5 + ["charged"] * 3
    assert sum(charge.epsilon for charge in budget.charges(ledger)) == Decimal("0.9")
    assert ledger.verify() == []


PROCESS = """
import sys
from decimal import Decimal
from acequia.agreement.privacy import Budget
from acequia.errors import AcequiaError
from acequia.keys import FileKeyStore
from acequia.ledger import budget
from acequia.ledger.book import open_ledger
from acequia.settings import Settings

settings = Settings.from_environment({"ACEQUIA_HOME": sys.argv[1]})
asked = budget.Charge("pula", "events", "msisdn", sys.argv[2], "2026-11", ("x",), "0", Decimal("0.6"), Decimal(0), "a")
ledger = open_ledger(settings, FileKeyStore(settings.home / "keys"))
print("ready", flush=True)
sys.stdin.readline()
try:
    budget.charge(ledger, asked, Budget(epsilon=1))
except AcequiaError as error:
    sys.exit(error.exit_code)
"""


def test_two_processes_cannot_both_pass(sqlite_ledger: Ledger) -> None:
    budget.charge(sqlite_ledger, of(1, delta=Decimal(0)), LIMIT)
    command = [sys.executable, "-c", PROCESS, str(sqlite_ledger.home)]
    both = [
        subprocess.Popen([*command, table], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for table in ("one", "other")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert sorted(process.wait(60) for process in both) == [0, 6]
    assert sum(charge.epsilon for charge in budget.charges(sqlite_ledger)) == Decimal("0.7")


def test_balances_say_what_is_spent_where(sqlite_ledger: Ledger) -> None:
    for asked in (of(1), of(2), of(1, window="2027-01"), of(1, unit="imei")):
        budget.charge(sqlite_ledger, asked, LIMIT)
    found = budget.balances(budget.charges(sqlite_ledger), {("pula", "events"): "year"})
    assert [(one.unit, one.span, one.epsilon, len(one.charges)) for one in found] == [
        ("imei", "2026", Decimal("0.1"), 1),
        ("msisdn", "2026", Decimal("0.2"), 2),
        ("msisdn", "2027", Decimal("0.1"), 1),
    ]
