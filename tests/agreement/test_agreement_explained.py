"""The agreement in plain words covers every column and table, in both languages, and needs no engineer to read it."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from acequia.agreement.explain import explain
from acequia.agreement.load import load
from acequia.agreement.model import Agreement
from acequia.agreement.phrases import EN, ES
from acequia.agreement.protection import NoProtection

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted([*(PROJECT / "config/partners").glob("*.yaml"), *PROJECT.glob("tests/**/partners/*.yaml"),
                Path(__file__).with_name("example.yaml"), Path(__file__).with_name("every_key.yaml")])  # fmt: skip


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_column_table_and_measure_is_explained(path, language):
    agreement = load(path).agreement
    text = explain(agreement, language)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(feed.columns) for feed in agreement.feeds.values())
    for feed in agreement.feeds.values():
        for key, column in feed.columns.items():
            row = next(row for row in rows if row.startswith(f"| `{key}`"))
            assert len(re.findall(r"(?<!\\)\|", row)) == 5
            left = re.split(r"(?<!\\)\|", row)[4].strip()
            assert left.startswith(f"`{column.as_ or key}`") != (column.treat == "drop")
        for name, table in feed.tables.items():
            section = text.partition(f"`{agreement.partner}.{name}`")[2].partition("\n## ")[0].partition("\n### ")[0]
            assert table.describe.rstrip(".") in section
            assert all(f"- `{measure}`: " in section for measure in table.measures)
            assert all(f"`{column}`" in section for column in table.by)
            if isinstance(table.protect, NoProtection):
                assert table.protect.none_because in section
            else:
                assert str(table.protect.min_contributors) in section
            for recipient in table.recipients or agreement.terms.recipients:
                assert recipient.replace("_", " ") in section
    terms = agreement.terms
    for said in (
        terms.legal_basis,
        terms.expires_on,
        terms.raw_kept_days,
        terms.protected_kept_days,
        terms.contacts.dpo,
    ):
        assert str(said) in text
    assert not re.search(r"\bNone\b|TruncateTo|\bTrue\b|\bFalse\b", text)


def test_both_languages_have_the_same_phrases_with_the_same_blanks():
    assert list(EN) == list(ES)
    for phrase in EN:
        blanks = [{name for _, name, _, _ in Formatter().parse(words[phrase]) if name} for words in (EN, ES)]
        assert blanks[0] == blanks[1], phrase
    assert [phrase for phrase in EN if EN[phrase] == ES[phrase]] == ["remains", "remains_unit"]


def every_key() -> Agreement:
    return load(Path(__file__).with_name("every_key.yaml")).agreement


def test_what_a_lawyer_reads_in_english():
    text = explain(every_key(), "en")
    for said in (
        "**In force**: from 2026-04-01 to 2028-02-29, both days included; signed on 2026-03-01.",
        "Every Monday and Thursday at 06:30 (America/Montevideo), the delivery of the day that ended last is fetched. "
        "It is in time until 30 hours after the end of that day. Until 12 hours after that it counts as late, then as "
        "missing; it is looked for until 90 days after the end of that day, also for corrections. Only these days are "
        "delivered: Sunday and Wednesday.",
        "Rows that break a rule are set aside; if they are more than 0.5 percent, the delivery is refused.",
        "| `dropped` | text, may be empty | deleted at the gate; it is in the encrypted raw file and nowhere else | "
        "nothing |",
        "| `code` (The product's code) | text, of the form `[A-Z]\\|x` | kept as it is; "
        "because: it names a thing | `code` |",
        "replaced by one of the bands <0, 0..18, 18+",
        "replaced by the column `region` of the public table `cells`",
        "replaced by the number of seconds since `begun_at`",
        "cut to its first 2 characters",
        "Before the tables are computed, the protected rows go through the statistical transform `trips.valid_trips`.",
        "A row stands for each combination of `day`, `district` and `kind`, for each month. It is released with each "
        "delivery, marked as provisional until the month is complete. Only rows with `minutes > 0` count. Combinations "
        "without any row are in the table too. Wider totals are published as well: `country`.",
        "- `speed_kmh`: the total of `km`, divided by the total of `minutes / 60`, only where `km > 0` (km/h): "
        "space-mean speed.",
        "- A row is withheld if its 2 largest contributors hold more than 60 percent of `km_sum` and `trips_count`.",
        "- Combinations without any row are withheld too.",
        "- A row behind which fewer than 5 records stand is withheld.",
        "- The table is not protected, because: the list is public.",
    ):
        assert said in text, said


def test_what_a_lawyer_reads_in_spanish():
    text = explain(every_key(), "es")
    for said in (
        "Cada lunes y jueves a las 06:30 (America/Montevideo) se busca la entrega del día que terminó por último.",
        "Solo se entregan estos días: domingo y miércoles.",
        "se recorta al comienzo de la hora",
        "se sustituye por un código",
        "por cada mes",
        "más del 60 por ciento de `km_sum` y `trips_count`",
        "La tabla no está protegida, porque: the list is public.",
    ):
        assert said in text, said
