"""Commands for those who run the installation: simulate, housekeeping, doctor, demo."""

from __future__ import annotations

from pathlib import Path

import click

from acequia.cli.show import as_json, progress, settings_now, show


@click.command()
@click.argument("partner")
@click.argument("feed")
@click.argument("period")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where to write the files."
)
@click.option("--rows", default=1000, show_default=True, help="How many rows.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--bad", help="A kind of bad delivery; `--bad list` lists them with the code that refuses each.")
@as_json
def simulate(
    partner: str, feed: str, period: str, out: Path, rows: int, seed: int, bad: str | None, as_json: bool
) -> None:
    """Write an invented delivery of a demo partner, with planted people whose truth is known."""
    from acequia.agreement.load import find
    from acequia.period import Period
    from acequia.simulate.bad import KINDS
    from acequia.simulate.write import write

    if bad == "list":
        show([{"kind": kind, "refused_with": code} for kind, code in KINDS.items()], as_json=as_json, empty="")
        return
    agreement = find(settings_now().partners, partner).agreement
    wanted = Period.parse(period, agreement.feed(feed).delivery.period)
    written = write(agreement, feed, wanted, out=out, rows=rows, seed=seed, bad=bad)
    names = [{"file": str(path.relative_to(out)), "bytes": path.stat().st_size} for path in written.files]
    show(names, as_json=as_json, empty="Nothing was written: that is this kind of bad delivery.")
    if not as_json:
        click.echo(f"{written.rows:,} rows, {len(written.planted)} planted people.")


@click.command()
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Act as if it were this day.")
@as_json
def housekeeping(today: object | None, as_json: bool) -> None:
    """Delete what the agreements say is to be deleted, with proof in the ledger; keep the lake small and clean."""
    from acequia.upkeep import keep

    deeds = keep(settings_now(), today=today.date() if today else None, say=progress(as_json))  # type: ignore[attr-defined]
    show([deed.as_row() for deed in deeds], as_json=as_json, empty="Nothing was due.")


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Look at this installation: settings, stores, keys, agreements, ledger. Exit code 1 if something is wrong."""
    from acequia.health import examine

    found = examine(settings_now())
    show([part.as_row() for part in found], as_json=as_json, empty="")
    if any(part.state == "wrong" for part in found):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--rows", default=10_000, show_default=True, help="Rows of a daily delivery.")
@click.option("--keep-running", is_flag=True, help="Leave Airflow and the servers running until Ctrl-C.")
def demo(rows: int, keep_running: bool) -> None:
    """Run the main job for four invented partners under a real Airflow, with real servers on the partners' side."""
    from acequia.demo.run import demonstrate

    raise click.exceptions.Exit(demonstrate(settings_now(), rows=rows, keep_running=keep_running))
