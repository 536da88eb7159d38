"""How fast personal data leaves a table, against Presidio's own ways, in one run.

Usage: python bench/privacy.py [ROWS [SAMPLE]]     (default 1,000,000 and 400)

The table has twelve columns, of which some seven hold text in each row; of the remarks one in twenty holds a person's
data. Four ways to protect it, in rows per second of CPU:

- presidio-structured as documented: an analysis of the frame, then an operator on every cell of the columns it found.
- Presidio's BatchAnalyzerEngine over every text cell (which finds, and changes nothing), with the recognizers that are
  on by default, and with all that we use.
- ours: the gate, from the Parquet file that arrived, encrypted, to protected Parquet.

The first three take hours for a million rows, so they are timed on a sample of the same rows. At the end the findings
of the sieve are compared with those of Presidio's own engine with every recognizer, on sampled remarks: they must be
equal.
"""

from __future__ import annotations

import logging
import random
import resource
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workshop import PERIOD, workshop

from acequia.agreement.model import Feed
from acequia.protect import gate, leaks
from acequia.protect.scrub import find_all, scrub_texts

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, Any] = {
    "ticket_id": {"type": "string", "treat": "drop"},
    "customer_id": {"type": "string", "treat": "pseudonym"},
    "omang": {"type": "string", "treat": "drop"},
    "phone": {"type": "string", "treat": "pseudonym"},
    "email": {"type": "string", "treat": "drop"},
    "opened_at": {"type": "timestamp", "treat": {"truncate_to": "hour"}, "as": "opened_hour"},
    "cell_id": {"type": "string", "treat": {"lookup": "cell_to_district"}, "as": "district"},
    "channel": {"type": "string", "treat": "keep", "one_of": ("call", "shop", "web", "app")},
    "amount": {"type": "number", "treat": {"round_to": 0.5}},
    "waited_s": {"type": "integer", "treat": "keep", "between": (0, 86400)},
    "age": {"type": "integer", "treat": {"band": (18.0, 30.0, 45.0, 65.0)}, "as": "age_band"},
    "note": {"type": "string", "treat": "scrub_text", "required": False},
}
TEXTS = ("ticket_id", "customer_id", "omang", "phone", "email", "cell_id", "channel", "note")
ABOUT = ("line", "internet", "invoice", "roaming", "data plan", "new phone", "signal", "payment")
COMPARED = 800
SAID = ("slow since", "no service since", "asked for a copy since", "wants to change it on", "will come back on",
        "paid in cash on", "paid for it on", "called about it on")  # fmt: skip
WHEN = ("monday", "tuesday", "wednesday", "thursday", "friday", "the weekend", "this morning", "last month")
FIRST = ("Kagiso", "Lesego", "Thabo", "Neo", "Boitumelo", "Mpho", "Tebogo", "Gorata")
LAST = ("Molefe", "Mobokwanelo", "Kgosi", "Seretse", "Moeng", "Tau", "Phiri", "Dube")


def remark(rng: random.Random) -> str | None:
    """What somebody wrote: in four rows of ten something, in one of twenty of those with a person's data."""
    if rng.random() > 0.4:  # noqa: PLR2004
        return None
    text = f"{rng.choice(ABOUT)} {rng.choice(SAID)} {rng.choice(WHEN)}"
    if rng.random() < 0.3:  # noqa: PLR2004
        text += f", paid {rng.randrange(20, 400)} pula"
    if rng.random() < 0.05:  # noqa: PLR2004
        number = rng.randrange(10**6)
        person = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        text += rng.choice((
            f". Call {person} on 71 {number // 1000:03d} {number % 1000:03d}",
            f", mail {person.lower().replace(' ', '.')}{number % 1000}@example.com",
            f", omang {number % 9000 + 1000}1{number % 10000:04d}",
            f" for {person}",
            f", phone +26772{number:06d}",
        ))  # fmt: skip
    return text


def frame(rows: int) -> pd.DataFrame:
    """Made-up tickets, always the same."""
    import pandas as pd

    rng = random.Random(20261116)
    people = max(rows // 5, 1)
    made: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in range(rows):
        who = rng.randrange(people)
        made["ticket_id"].append(f"T{row:08d}")
        made["customer_id"].append(f"C{who:07d}")
        made["omang"].append(f"{who % 9000 + 1000}2{who % 10000:04d}")
        made["phone"].append(f"+26771{who % 10**6:06d}")
        made["email"].append(f"{FIRST[who % 8].lower()}{who}@example.com")
        made["opened_at"].append(f"{PERIOD} {rng.randrange(24):02d}:{rng.randrange(60):02d}:00")
        made["cell_id"].append(f"C{rng.randrange(500):03d}")
        made["channel"].append(rng.choice(("call", "shop", "web", "app")))
        made["amount"].append(rng.randrange(10**5) / 100)
        made["waited_s"].append(rng.randrange(3600))
        made["age"].append(rng.randrange(16, 90))
        made["note"].append(remark(rng))
    made["opened_at"] = list(pd.to_datetime(made["opened_at"]))
    return pd.DataFrame(made)


def agreed_feed() -> Feed:
    """A daily feed of such tickets."""
    return Feed.model_validate(
        {
            "delivery": {
                "source": {"type": "folder", "path": "{period}.parquet"},
                "format": "parquet",
                "schedule": "0 6 * * *",
                "timezone": "Africa/Gaborone",
                "period": "day",
                "due_within_hours": 30,
            },
            "columns": COLUMNS,
            "rows": {"period_column": "opened_at"},
            "tables": {
                "tickets": {
                    "describe": "One row per district.",
                    "by": ("district",),
                    "measures": {"tickets_count": {"count": "rows"}},
                    "protect": {"contributor": "customer_id", "min_contributors": 10},
                }
            },
        }
    )


def gate_seconds(table: pd.DataFrame) -> tuple[float, float, float]:
    """CPU seconds (all threads) and wall seconds of the real gate, and CPU seconds of its leak scan."""
    with workshop() as here:
        plain = here.folder / "sent.parquet"
        table.to_parquet(plain, index=False)
        raw = here.land(plain, "tickets")
        scans: list[float] = []

        def scanned(*args: Any, **kwargs: Any) -> Any:
            found: list[Any] = []
            scans.append(timed(lambda: found.append(scan(*args, **kwargs)))[0])
            return found[0]

        def run() -> None:
            here.protect(raw, agreed_feed(), country="BW", language="en")

        scan = leaks.scan
        vars(gate)["scan"] = scanned
        try:
            return (*timed(run), sum(scans))
        finally:
            vars(gate)["scan"] = scan


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of this process, and wall seconds."""
    began, began_cpu = time.perf_counter(), time.process_time()
    run()
    return time.process_time() - began_cpu, time.perf_counter() - began


def presidio(*, every_recognizer: bool) -> Any:
    """Presidio's analyzer without a model: with the recognizers that are on by default, or with all of ours."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.recognizer_registry import RecognizerRegistry, RecognizerRegistryProvider

    from acequia.protect.language.words import WordsNlpEngine
    from acequia.protect.recognizers import recognizers
    from acequia.protect.recognizers.addresses import addresses

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    if every_recognizer:
        registry = RecognizerRegistry(recognizers("en", "BW"), supported_languages=["en"])
    else:
        registry = RecognizerRegistryProvider(
            registry_configuration={"supported_languages": ["en"]}
        ).create_recognizer_registry()
        registry.remove_recognizer("EmailRecognizer")  # which asks the network
        registry.add_recognizer(addresses("en")[0])
    return AnalyzerEngine(registry=registry, nlp_engine=WordsNlpEngine("en"), supported_languages=["en"])


def batch_seconds(table: pd.DataFrame, *, every_recognizer: bool) -> float:
    """CPU seconds of BatchAnalyzerEngine over every text cell."""
    from presidio_analyzer import BatchAnalyzerEngine

    engine = BatchAnalyzerEngine(presidio(every_recognizer=every_recognizer))
    cells = {name: table[name].dropna().tolist() for name in TEXTS}
    list(engine.analyze_dict({"note": ["call 71 123 456"]}, language="en"))  # expressions are made once
    return timed(lambda: list(engine.analyze_dict(cells, language="en")))[0]


def structured_seconds(table: pd.DataFrame) -> float:
    """CPU seconds of presidio-structured, as its documentation has it: the whole frame, since it looks for itself which
    columns hold personal data; numbers and times are read as text.
    """
    from presidio_anonymizer.entities import OperatorConfig
    from presidio_structured import PandasAnalysisBuilder, StructuredEngine

    analyzer = presidio(every_recognizer=False)
    whole = table.fillna({"note": ""}).astype(str)

    def run() -> None:
        analysis = PandasAnalysisBuilder(analyzer=analyzer).generate_analysis(whole)
        operators = {"DEFAULT": OperatorConfig("replace", {"new_value": "<REDACTED>"})}
        StructuredEngine().anonymize(whole, analysis, operators=operators)

    return timed(run)[0]


def main(rows: int, sample: int) -> None:
    """Make the tickets, time the ways, compare the findings."""
    table = frame(rows)
    cells = sum(int(table[name].notna().sum()) for name in TEXTS) / rows
    notes = table["note"].dropna()
    print(
        f"{rows:,} rows of {len(COLUMNS)} columns, {cells:.1f} text cells a row, {notes.nunique():,} different remarks"
    )
    scrub_texts(["call 71 123 456"] * 2, language="en", country="BW")  # imports are paid before
    cpu, wall, scan = gate_seconds(table)
    ours = rows / cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = f"{wall:.1f} s, {cpu:.1f} s of CPU, peak {peak:,.0f} MB"
    print(f"{'ours, Parquet to protected Parquet':<42}: {ours:>8,.0f} rows/s of CPU ({spent})")
    print(f"{'of it the leak scan':<42}: {100 * scan / (cpu - scan):>8.0f} % on top of the rest")
    few = table.head(sample)
    for name, seconds in (
        ("BatchAnalyzerEngine, default recognizers", batch_seconds(few, every_recognizer=False)),
        ("BatchAnalyzerEngine, all recognizers", batch_seconds(few, every_recognizer=True)),
        ("presidio-structured, default recognizers", structured_seconds(few)),
    ):
        theirs = sample / seconds
        print(f"{name:<42}: {theirs:>8,.0f} rows/s of CPU; ours is {ours / theirs:,.0f} times as fast")
    distinct = sorted(set(notes))[:: max(1, notes.nunique() // COMPARED)]
    some = find_all(distinct, language="en", country="BW")
    every = find_all(distinct, language="en", country="BW", sieved=False)
    found = sum(len(findings or ()) for findings in every)
    verdict = "equal" if some == every else "DIFFERENT"
    print(f"findings on {len(distinct):,} remarks, sieved and with every recognizer: {found:,}, {verdict}")


if __name__ == "__main__":
    arguments = [int(text.replace(",", "")) for text in sys.argv[1:]]
    main(*(arguments + [1_000_000, 400][len(arguments) :]))
