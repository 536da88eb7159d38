"""Commands for those who run the installation: simulate, housekeeping, doctor, demo."""

from __future__ import annotations

from pathlib import Path

import click

from acequia.cli.show import as_json, progress, settings_now, show


def _kinds(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from acequia.simulate.bad import ABOUT

        rows = [
            {"kind": kind, "what is wrong": about.describe, "refused with": about.code} for kind, about in ABOUT.items()
        ]
        show(rows, as_json=False, empty="")
        ctx.exit()


def _places(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from acequia.simulate.hiding import FILE_NAME, PLACES

        rows = [{"place": name, "how a value stands there": place.describe} for name, place in PLACES.items()]
        show(
            [*rows, {"place": FILE_NAME, "how a value stands there": "in a data file's name"}], as_json=False, empty=""
        )
        ctx.exit()


@click.command(short_help="Write an invented delivery of a demo partner.")
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where to write the files."
)
@click.option("--rows", default=1000, show_default=True, help="How many rows.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--bad", help="A kind of bad delivery (see --kinds).")
@click.option("--hide", multiple=True, help="Hide planted people so in free text: a place of --places, or all.")
@click.option("--kinds", is_flag=True, is_eager=True, expose_value=False, callback=_kinds,
              help="List the kinds of bad delivery with the code that refuses each.")  # fmt: skip
@click.option("--places", is_flag=True, is_eager=True, expose_value=False, callback=_places,
              help="List the hiding places.")  # fmt: skip
@as_json
def simulate(
    partner: str,
    feed: str,
    period: str,
    out: Path,
    rows: int,
    seed: int,
    bad: str | None,
    hide: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write an invented delivery of a demo partner, with planted people whose truth is known."""
    from acequia.agreement.load import find
    from acequia.period import Period
    from acequia.simulate.write import write

    agreement = find(settings_now().partners, partner, Period.parse(period)).agreement
    wanted = Period.parse(period, agreement.feed(feed).delivery.period)
    written = write(agreement, feed, wanted, out=out, rows=rows, seed=seed, bad=bad, hide=hide)
    names = [{"file": str(path.relative_to(out)), "bytes": path.stat().st_size} for path in written.files]
    show(names, as_json=as_json, empty="Nothing was written: that is this kind of bad delivery.")
    if not as_json:
        click.echo(f"{written.rows:,} rows, {len(written.planted)} planted people.")


@click.command(short_help="Delete what is due; keep the lake small.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Act as if it were this day.")
@as_json
def housekeeping(today: object | None, as_json: bool) -> None:
    """Delete what the agreements say is to be deleted, with proof in the ledger; keep the lake small and clean."""
    from acequia.upkeep import keep

    deeds = keep(settings_now(), today=today.date() if today else None, say=progress(as_json))  # type: ignore[attr-defined]
    show([deed.as_row() for deed in deeds], as_json=as_json, empty="Nothing was due.")


@click.command(short_help="Look at this installation for what is wrong.")
@as_json
def doctor(as_json: bool) -> None:
    """Look at this installation: settings, stores, keys, agreements, ledger. Exit code 1 if something is wrong."""
    from acequia.health import examine

    found = examine(settings_now())
    show([part.as_row() for part in found], as_json=as_json, empty="")
    if any(part.state == "wrong" for part in found):
        raise click.exceptions.Exit(1)


@click.command(short_help="Run the main job for four invented partners.")
@click.option("--rows", default=10_000, show_default=True, help="Rows of a daily delivery.")
@click.option("--keep-running", is_flag=True, help="Leave Airflow and the servers running until Ctrl-C.")
def demo(rows: int, keep_running: bool) -> None:
    """Run the main job for four invented partners under a real Airflow, with real servers on the partners' side."""
    from acequia.demo.run import demonstrate

    raise click.exceptions.Exit(demonstrate(settings_now(), rows=rows, keep_running=keep_running))
