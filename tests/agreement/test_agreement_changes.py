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
