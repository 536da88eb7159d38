"""What a feed promises about people: rotation that tables respect, columns that exist, sentences that say it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from acequia.agreement.explain import explain
from acequia.agreement.load import load
from acequia.agreement.privacy import TARGETS, Privacy

HERE = Path(__file__).parent


def test_the_defaults_are_the_strict_ones() -> None:
    privacy = Privacy()
    assert (privacy.rotate, privacy.leaks_at_most_pct, privacy.names_at_most_pct) == ("none", 0, 5)
    assert privacy.recall_at_least_pct == TARGETS


def feed_with(tmp_path: Path, privacy: dict[str, object], over: str = "month") -> Path:
    written = yaml.safe_load((HERE / "example.yaml").read_text(encoding="utf-8"))
    feed = written["feeds"]["events"]
    feed["privacy"] = privacy
    table = next(iter(feed["tables"].values()))
    table["over"] = over
    path = tmp_path / "example.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rotate", "over", "fits"),
    [
        ("none", "year", True),
        ("month", "delivery", True),
        ("month", "month", True),
        ("month", "quarter", False),
        ("quarter", "quarter", True),
        ("quarter", "year", False),
        ("year", "year", True),
    ],
)
def test_nobody_is_counted_over_longer_than_a_pseudonym_lasts(
    tmp_path: Path, rotate: str, over: str, fits: bool
) -> None:
    path = feed_with(tmp_path, {"rotate": rotate}, over)
    if fits:
        assert load(path).agreement
        return
    with pytest.raises(Exception, match=r"tables\..*\.over: is longer than pseudonyms last") as refused:
        load(path)
    assert refused.value.code == "agreement_invalid"


@pytest.mark.parametrize(
    ("privacy", "said"),
    [
        ({"rotate": "weekly"}, "none, month, quarter, year"),
        ({"recall_at_least_pct": {"phones": 99}}, "phones"),
        ({"recall_at_least_pct": {"phone": 101}}, "100"),
        ({"leaks_at_most_pct": -1}, "0"),
        ({"quasi_identifiers": ["distrito"]}, "distrito is not a column that passes the gate"),
        ({"sensitive": ["msisdn", "msisdn"]}, "names msisdn twice"),
        ({"leaks": 1}, "leaks"),
    ],
)
def test_slips_are_told(tmp_path: Path, privacy: dict[str, object], said: str) -> None:
    with pytest.raises(Exception, match=r"privacy") as refused:
        load(feed_with(tmp_path, privacy))
    assert said in str(refused.value)


def test_may_hold_needs_a_reason(tmp_path: Path) -> None:
    written = yaml.safe_load((HERE / "example.yaml").read_text(encoding="utf-8"))
    written["feeds"]["events"]["columns"]["kind"]["may_hold"] = ["number"]
    path = tmp_path / "example.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    with pytest.raises(Exception, match="needs `keep_because`"):
        load(path)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["changes with each quarter", "in more than 0.5 percent", "90 percent of names"]),
        ("es", ["cambia con cada trimestre", "más del 0.5 por ciento", "el 90 por ciento de los nombres"]),
    ],
)
def test_it_is_explained(tmp_path: Path, language: str, said: list[str]) -> None:
    privacy = {"rotate": "quarter", "leaks_at_most_pct": 0.5, "recall_at_least_pct": {"name": 90}}
    text = explain(load(feed_with(tmp_path, privacy)).agreement, language)  # type: ignore[arg-type]
    for part in said:
        assert part in text
    plain = explain(load(feed_with(tmp_path, {"recall_at_least_pct": {}})).agreement, language)  # type: ignore[arg-type]
    assert "0.5" not in plain
