"""What one version changes of another: all that differs is told, and what protects less is told first."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

import pytest
import yaml
from click.testing import CliRunner

from acequia.agreement.changes import changes
from acequia.agreement.changes_words import EN, ES
from acequia.agreement.explain import outline
from acequia.agreement.load import load
from acequia.agreement.model import Agreement
from acequia.agreement.weaker import weaker
from acequia.cli import cli

HERE = Path(__file__).parent


def version(tmp_path: Path, *edits: tuple[str, ...]) -> Agreement:
    """The example with values set at places; the last part of each is the value, as YAML; `-` takes a key away."""
    said = yaml.safe_load((HERE / "example.yaml").read_text(encoding="utf-8"))
    for *place, key, value in edits:
        at = said
        for part in place:
            at = at[part]
        if value == "-":
            del at[key]
        else:
            at[key] = yaml.safe_load(value)
    path = tmp_path / "example.yaml"
    path.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    return load(path).agreement


COLUMNS = ("feeds", "events", "columns")
LATER = (("terms", "version", "'9'"), ("terms", "effective_from", "2027-01-01"))


def test_both_languages_have_the_same_phrases_with_the_same_blanks():
    assert list(EN) == list(ES)
    for phrase in EN:
        blanks = [{name for _, name, _, _ in Formatter().parse(words[phrase]) if name} for words in (EN, ES)]
        assert blanks[0] == blanks[1], phrase


def test_nothing_weaker_in_the_same_terms(tmp_path):
    old, new = version(tmp_path), version(tmp_path, *LATER)
    assert weaker(old, new) == ()
    for language, said in (("en", "Nothing was found in which"), ("es", "No se encontró nada")):
        text = changes(old, new, language)
        assert said in text
        assert "2027-01-01" in text


def table_of() -> tuple[str, ...]:
    agreement = load(HERE / "example.yaml").agreement
    (name,) = list(agreement.feed("events").tables)[:1]
    return ("feeds", "events", "tables", name)


T = table_of()
WEAKER = [
    (("terms", "raw_kept_days", "900"), "raw_kept_days"),
    (("terms", "protected_kept_days", "3000"), "protected_kept_days"),
    (("terms", "purposes", "[official_statistics, disaster_response, marketing]"), "purposes"),
    (("terms", "recipients", "[ministry_of_transport, statistics_office, ministry_of_trade]"), "recipients"),
    ((*COLUMNS, "imei", "treat", "pseudonym"), "column_not_dropped"),
    ((*COLUMNS, "extra", "{type: integer, treat: keep}"), "column_new"),
    ((*COLUMNS, "started_at", "treat", "{truncate_to: minute}"), "column_finer"),
    ((*COLUMNS, "duration_s", "treat", "{round_to: 10}"), None),
    ((*T, "protect", "min_contributors", "2"), "min_contributors"),
    ((*T, "protect", "min_contributors", "50"), None),
    ((*T, "protect", "{none_because: somebody said so}"), "unprotected"),
    ((*T, "protect", "dominance", "-"), "dominance_gone"),
    ((*T, "protect", "round_to", "-"), "round_to"),
    (("feeds", "events", "privacy", "{leaks_at_most_pct: 3}"), "leaks_at_most_pct"),
    (("feeds", "events", "privacy", "{recall_at_least_pct: {phone: 10}}"), "recall"),
    (("feeds", "events", "privacy", "{rotate: month}"), None),
]


@pytest.mark.parametrize(
    ("edit", "phrase"), WEAKER, ids=lambda value: ".".join(value) if type(value) is tuple else None
)
def test_what_protects_less_is_told_first_and_what_does_not_is_not(tmp_path, edit, phrase):
    old = version(tmp_path)
    new = version(tmp_path, *LATER, edit)
    found = {one.phrase for one in weaker(old, new)}
    assert (phrase in found) if phrase else not found, found
    text = changes(old, new, "en")
    assert ("**People are protected less" in text) == bool(phrase)
    assert text.index("## The protection of people") < text.index("- ") if "- " in text else True
    # Whatever is said otherwise is in the text, and a change back is never weaker in the same way.
    before, after = outline(old, "en"), outline(new, "en")
    for key in before.keys() | after.keys():
        if before.get(key) != after.get(key):
            assert key[-1] in text
    assert phrase not in {one.phrase for one in weaker(new, old)}


ALSO = {"contributor": "district", "min_contributors": 3, "dominance": {"n": 1, "k_pct": 75},
        "p_percent": {"p_pct": 10}}  # fmt: skip
FIRST = {"p_percent": {"p_pct": 10, "q_pct": 50}, "also": [ALSO], "rounding": "controlled",
         "secondary": {"range_pct": 30}}  # fmt: skip
KEYS = {"noise_at_most": 5, "variance": 3, "never": 2}
PRIVATE = {"epsilon": 1, "delta": 1e-7, "cells_at_most": 10}
BUDGET = {"epsilon": 12, "delta": 1e-5, "per": "year"}


@pytest.mark.parametrize(
    ("first", "then", "phrase"),
    [
        (FIRST, {"p_percent": None}, "p_percent_gone"),
        (FIRST, {"p_percent": {"p_pct": 10}}, "p_percent"),
        (FIRST, {"p_percent": {"p_pct": 20}}, None),  # 20 of 100 is as strict as 10 of 50
        (FIRST, {"p_percent": {"p_pct": 20, "of": ["events_count"]}}, "p_percent"),
        (FIRST, {"also": []}, "also_gone"),
        (FIRST, {"also": [{**ALSO, "min_contributors": 2}]}, "also"),
        (FIRST, {"also": [{**ALSO, "dominance": None}]}, "dominance_gone_of"),
        (FIRST, {"also": [{**ALSO, "dominance": {"n": 1, "k_pct": 80}}]}, "dominance_of"),
        (FIRST, {"also": [{**ALSO, "p_percent": None}]}, "p_percent_gone_of"),
        (FIRST, {"also": [{**ALSO, "p_percent": {"p_pct": 9}}]}, "p_percent_of"),
        (FIRST, {"also": [{**ALSO, "p_percent": {"p_pct": 11}}]}, None),
        (FIRST, {"secondary": {"range_pct": 20}}, "range_pct"),
        (FIRST, {"rounding": "conventional"}, "rounding"),
    ],
)
def test_rules_that_are_weakened(tmp_path, first, then, phrase):
    assert weaker_of(tmp_path, first, {**first, **then}) == ([phrase] if phrase else [])
    if phrase:
        assert weaker_of(tmp_path, {**first, **then}, first) == []


@pytest.mark.parametrize(
    ("first", "then", "phrase"),
    [
        ({"cell_key": KEYS}, {"cell_key": {**KEYS, "noise_at_most": 4}}, "noise_at_most"),
        ({"cell_key": KEYS}, {"cell_key": {**KEYS, "variance": 2.5}}, "variance"),
        ({"cell_key": KEYS}, {"cell_key": {**KEYS, "never": 1}}, "never"),
        ({"differential_privacy": PRIVATE}, {"differential_privacy": {**PRIVATE, "epsilon": 2}}, "epsilon"),
        ({"differential_privacy": PRIVATE}, {"differential_privacy": {**PRIVATE, "delta": 1e-6}}, "delta"),
    ],
)
def test_noise_that_is_weakened(tmp_path, first, then, phrase):
    assert weaker_of(tmp_path, first, then, only=True) == [phrase]
    assert weaker_of(tmp_path, then, first, only=True) == []


def test_another_kind_of_protection_is_for_a_person_to_judge(tmp_path):
    assert "noise_judge" in weaker_of(tmp_path, {}, {"cell_key": KEYS}, only=True)
    assert "noise_judge" in weaker_of(tmp_path, {"differential_privacy": PRIVATE}, {}, only=True)


@pytest.mark.parametrize(
    ("then", "phrase"),
    [
        (None, "budget_gone"),
        ({**BUDGET, "epsilon": 13}, "budget_epsilon"),
        ({**BUDGET, "delta": 1e-4}, "budget_delta"),
        ({**BUDGET, "per": "month"}, "budget_per"),
    ],
)
def test_a_budget_that_is_weakened(tmp_path, then, phrase):
    place = ("feeds", "events", "privacy")
    old = version(tmp_path, (*place, yaml.safe_dump({"budget": BUDGET})))
    new = version(tmp_path, *LATER, (*place, yaml.safe_dump({"budget": then} if then else {})))
    assert [one.phrase for one in weaker(old, new)] == [phrase]
    if then:
        assert [one.phrase for one in weaker(new, old)] == []
    assert "**People are protected less" in changes(old, new, "en")
    assert "**Las personas están menos protegidas" in changes(old, new, "es")


def weaker_of(tmp_path, first, then, only=False):
    """The phrases, between two versions of the example's first table with these keys of `protect`."""
    versions = []
    for keys in (first, then):
        base = {"contributor": "msisdn", "min_contributors": 15}
        protect = {**base, **({} if only else {"round_to": 5}), **keys}
        measures = {"events_count": {"count": "rows"}}
        edits = [(*T, key, yaml.safe_dump(value)) for key, value in (("measures", measures), ("protect", protect))]
        versions.append(version(tmp_path, *LATER, *edits))
    for language in ("en", "es"):
        changes(*versions, language)
    return [one.phrase for one in weaker(*versions)]


def test_the_commands(tmp_path, monkeypatch):
    folder = tmp_path / "config" / "partners"
    (folder / "example").mkdir(parents=True)
    (folder.parent / "reference").mkdir()
    version(tmp_path)
    (folder / "example" / f"{load(tmp_path / 'example.yaml').agreement.terms.version}.yaml").write_bytes(
        (tmp_path / "example.yaml").read_bytes()
    )
    version(tmp_path, *LATER, (*T, "protect", "min_contributors", "2"))
    (folder / "example.yaml").write_bytes((tmp_path / "example.yaml").read_bytes())
    monkeypatch.setenv("ACEQUIA_CONFIG", str(folder.parent))
    run = CliRunner()
    first = load(folder / "example.yaml").agreement.terms
    assert f"version {first.version}" in run.invoke(cli, ["explain", "example"]).output
    on = run.invoke(cli, ["explain", "example", "--on", "2026-06-01"]).output
    assert "version 9" not in on
    assert "2 contributors are enough for a row" not in on
    told = run.invoke(cli, ["explain", "example", "--changes", "--language", "en"]).output
    assert "2 contributors are enough for a row" in told
    assert run.invoke(cli, ["explain", "example", "--version", "77"]).exception.code == "unknown_name"
    assert run.invoke(cli, ["explain", "example", "--on", "2050-01-01"]).exception.code == "unknown_name"
