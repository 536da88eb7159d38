"""The command line: readable first, `--json` for programs, exit codes as the README lists them."""

from __future__ import annotations

import os
import sys

import click

from acequia import __version__
from acequia.cli.agreements import check, explain_, new_partner
from acequia.cli.audit import audit
from acequia.cli.budget import budget
from acequia.cli.deliveries import close, deliveries, run
from acequia.cli.drift import drift
from acequia.cli.intake import intake
from acequia.cli.keys import keys
from acequia.cli.lake import lineage, query, tables
from acequia.cli.notices import notices
from acequia.cli.operate import demo, doctor, housekeeping, simulate
from acequia.cli.preflight import preflight
from acequia.cli.privacy import canary, scan
from acequia.cli.promises import calendar, watch
from acequia.cli.proof import ledger, verify
from acequia.cli.risk import risk
from acequia.cli.versions import pause, replay, resume, set_aside, withdraw
from acequia.errors import OURS, AcequiaError


class InOrder(click.Group):
    """Lists its commands in the order of the work, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names as they were added."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="acequia")
def cli() -> None:
    """Recurring private-to-public data feeds: agreement, delivery, privacy, disclosure control and proof.

    Where things are is set by ACEQUIA_HOME (./.acequia), ACEQUIA_CONFIG (./config), ACEQUIA_LAKE, ACEQUIA_LANDING and
    ACEQUIA_DATABASE.
    """


for command in (check, explain_, scan, new_partner, preflight, run, watch, calendar, deliveries, drift, set_aside,
                replay, withdraw, pause, resume, verify, risk, budget, ledger, keys, intake, canary, close, tables,
                query, audit, lineage, notices, simulate, housekeeping, doctor, demo):  # fmt: skip
    cli.add_command(command)


def main() -> None:
    """Run a command; end with its exit code."""
    try:
        sys.exit(cli(standalone_mode=False) or 0)  # click hands `Exit` back as its code
    except AcequiaError as error:
        click.echo(_told(error), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - its text may hold data, so only its kind is shown
        if os.environ.get("ACEQUIA_DEBUG") == "1":
            raise
        click.echo(
            f"internal: an unforeseen {type(error).__name__} stopped the command.\n"
            "  who acts: operator\n  what to do: run it again with ACEQUIA_DEBUG=1 to see where, on a machine that may"
            " show data.",
            err=True,
        )
        sys.exit(OURS)


def _told(error: AcequiaError) -> str:
    place = f"\n  where: {error.where}" if error.where else ""
    return f"{error.code}: {error.what}{place}\n  who acts: {error.who_acts}\n  what to do: {error.what_to_do}"


__all__ = ["cli", "main"]
