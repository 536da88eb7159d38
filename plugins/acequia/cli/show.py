"""Printing: tables for people, JSON for programs."""

from __future__ import annotations

import getpass
import json
import os
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from tabulate import tabulate

from acequia.settings import Settings

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def settings_now() -> Settings:
    """The settings of this command."""
    return Settings.from_environment()


def user() -> str:
    """Who gives this command, for the ledger."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # in a container whose user has no name


def show(
    rows: Iterable[Mapping[str, Any]],
    *,
    as_json: bool,
    columns: Sequence[str] | None = None,
    empty: str,
    wide: int | None = None,
) -> None:
    """Rows as a table or as a JSON list; `empty` is said when there are none. Texts of more than `wide` letters are
    broken at blanks.
    """
    found = list(rows)
    if as_json:
        click.echo(json.dumps(found, indent=1, default=str))
    elif not found:
        click.echo(empty)
    else:
        chosen = columns or list(found[0])
        body = [[_folded(_cell(row.get(name)), wide) for name in chosen] for row in found]
        heads = [name.replace("_", " ") for name in chosen]
        click.echo(tabulate(body, headers=heads, disable_numparse=True, colalign=_sides(found, chosen)))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".") if 1 <= abs(value) < 1e15 else f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    if isinstance(value, list | tuple | set):
        return ", ".join(str(item) for item in value)
    return str(value)


def _folded(text: str, wide: int | None) -> str:
    if wide is None or len(text) <= wide:
        return text
    return textwrap.fill(text, wide, break_long_words=False, break_on_hyphens=False)


def _sides(rows: list[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    def number(name: str) -> bool:
        values = [row.get(name) for row in rows if row.get(name) is not None]
        return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)

    return ["right" if number(name) else "left" for name in columns]


def progress(quiet: bool) -> Callable[[str], None]:
    """Says each step on standard error, so that standard output stays for the result."""
    return (lambda _: None) if quiet else (lambda text: click.echo(f"  {text}", err=True))
