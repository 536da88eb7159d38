"""`python -m acequia.training` makes the model and measures it and the scrubber; `… measure` measures the scrubber."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from acequia.protect.language.engines import MODEL, chosen, engine
from acequia.protect.language.measured import CARD, measured_at
from acequia.training import card
from acequia.training.measuring import of_model, of_scrubber
from acequia.training.model import save, train
from acequia.training.sentences import LANGUAGES, LEARNED, Labelled, sentences

SEED, SENTENCES, MEASURED, READ = 3, 240_000, 3_000, 1_500


@click.group(invoke_without_command=True)
@click.option("--sentences", "many", default=SENTENCES, show_default=True, help="How many texts to learn from.")
@click.option("--seed", default=SEED, show_default=True, help="The same seed, the same sentences.")
@click.option("--measured", default=MEASURED, show_default=True, help="How many texts to measure the model on.")
@click.option("--out", type=click.Path(path_type=Path), default=MODEL.parent, help="Where model/ and card.json go.")
@click.pass_context
def main(context: click.Context, many: int, seed: int, measured: int, out: Path) -> None:
    """Train the model of names and places from sentences made up on the spot, and measure what is found."""
    if context.invoked_subcommand:
        return
    click.echo(f"Training on {many} texts in {' and '.join(LANGUAGES)}, seed {seed} ...")
    digest = card.Digest()
    nlp = train(digest.watched(_mixed(seed)), many, seed, click.echo)
    size = save(nlp, out / "model")
    figures = of_model(nlp, measured)
    told = {
        "seed": seed,
        "sentences": digest.count,
        "sentences_sha256": digest.hash.hexdigest(),
        "spacy": version("spacy"),
        "bytes": size,
        "measured_on": measured,
        "figures": figures,
    }
    card.write({"model": told}, out / "card.json")
    click.echo(f"The model takes {size:,} bytes.\n\n{card.model_table({'model': told})}\n")
    if out == MODEL.parent:
        _measure_ours(min(measured, READ))


@main.command()
@click.option("--measured", default=READ, show_default=True, help="How many texts to measure on, per language.")
def measure(measured: int) -> None:
    """Measure what the whole scrubber finds under the setting ACEQUIA_NLP, and keep the figures."""
    setting = chosen()
    if setting.kind in ("own", "words"):
        _measure_ours(measured)
        return
    import os

    from acequia.protect.language.setting import SETTING

    for language in LANGUAGES:
        engine(language)  # says what is missing before anything is measured
    figures = of_scrubber(os.environ[SETTING], measured, click.echo)
    for language, rows in figures.items():
        key = setting.key(language)
        path = measured_at(key)
        before = card.read(path).get("scrubber", {}).get(key, {})
        card.write({"scrubber": {key: {**before, language: rows}}}, path)
        for kind, row in rows.items():
            click.echo(f"  {key} {language} {kind}: recall {row['recall_pct']} % of {row['planted']}")


def _measure_ours(measured: int) -> None:
    """Both settings that come with the package."""
    settings: dict[str, Any] = {setting: of_scrubber(setting, measured, click.echo) for setting in ("own", "words")}
    card.write({"scrubber": settings}, CARD)
    click.echo(f"\n{card.scrubber_table({'scrubber': settings})}\n")
    if card.PAGE.is_file():
        card.PAGE.write_text(card.on_page(card.PAGE.read_text(encoding="utf-8"), card.read()), encoding="utf-8")
        click.echo(f"Figures written to {CARD.name} and {card.PAGE}.")


def _mixed(seed: int) -> Iterator[Labelled]:
    """English and Spanish in turn."""
    streams = [sentences(seed, language, LEARNED) for language in LANGUAGES]
    while True:
        for stream in streams:
            yield next(stream)


if __name__ == "__main__":
    main()
