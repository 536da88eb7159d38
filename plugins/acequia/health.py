"""What `acequia doctor` looks at: each part says whether it is well, and what to do if it is not."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from acequia.errors import AcequiaError
from acequia.settings import Settings


@dataclass(frozen=True)
class Part:
    """One thing that was looked at."""

    part: str
    state: str
    found: str

    def as_row(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def examine(settings: Settings) -> list[Part]:
    """Look at every part; one that fails does not keep the others from being looked at."""
    looks: tuple[tuple[str, Callable[[Settings], tuple[str, str]]], ...] = (
        ("home", _home),
        ("keys", _keys),
        ("agreements", _agreements),
        ("names", _names),
        ("landing", _landing),
        ("ledger", _ledger),
        ("lake", _lake),
        ("notices", _notices),
    )
    return list(_each(settings, looks))


def _each(settings: Settings, looks: tuple[tuple[str, Callable[[Settings], tuple[str, str]]], ...]) -> Iterator[Part]:
    for name, look in looks:
        try:
            yield Part(name, *look(settings))
        except AcequiaError as error:
            yield Part(name, "wrong", f"{error.code}: {error.what}. {error.what_to_do}")
        except Exception as error:  # noqa: BLE001 - a diagnosis must go on; only the kind is shown
            yield Part(name, "wrong", f"an unforeseen {type(error).__name__}")


def _home(settings: Settings) -> tuple[str, str]:
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if stat.S_IMODE(settings.home.stat().st_mode) & 0o077:
        return "wrong", f"others can look into {settings.home}: chmod 700"
    free_gb = shutil.disk_usage(settings.home).free / 2**30
    return ("well" if free_gb > 5 else "look"), f"{settings.home}, {free_gb:,.0f} GiB free"


def _keys(settings: Settings) -> tuple[str, str]:
    from acequia.opening import keys_of

    files = [path for path in (settings.home / "keys").glob("*") if path.suffix in (".key", ".kms")]
    open_ones = [path.name for path in files if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if open_ones:
        return "wrong", f"others can read {', '.join(sorted(open_ones))}: chmod 600"
    store = keys_of(settings)
    states = [store.state(name) for name in store.names()]
    if "half destroyed" in states:
        return "look", "the destruction of a key was begun and not finished (acequia keys list)"
    if not states:
        return "well", "none made yet; they are made when first needed"
    where = "readable by their owner only" if settings.keys == "file" else f"in {settings.keys.partition(':')[0]}"
    return "well", f"{states.count('kept')} keys, {where}"


def _agreements(settings: Settings) -> tuple[str, str]:
    from acequia.checking import check

    findings = check(settings)
    errors = sum(finding.severity == "error" for finding in findings)
    state = "wrong" if errors else "look" if findings else "well"
    files = len(list(settings.partners.glob("*.yaml")))
    return state, f"{files} files, {errors} errors, {len(findings) - errors} warnings (acequia check)"


def _names(settings: Settings) -> tuple[str, str]:
    from acequia.protect.language import chosen, engine, recall
    from acequia.protect.language.engines import LANGUAGES

    for language in LANGUAGES:
        engine(language)
    measured = {language: recall(language).get("name") for language in LANGUAGES}
    told = ", ".join(
        f"{language} {'not measured' if of is None else f'{of:.0f} %'}" for language, of in measured.items()
    )
    state = "look" if None in measured.values() else "well"
    return state, f"{chosen().kind}; names found in texts: {told} (docs/detection.md)"


def _landing(settings: Settings) -> tuple[str, str]:
    from acequia.opening import landing_of

    return "well", f"{settings.landing}, {len(landing_of(settings).list('')):,} encrypted files"


def _ledger(settings: Settings) -> tuple[str, str]:
    from acequia.opening import ledger_of

    book = ledger_of(settings)
    findings = book.verify()
    if findings:
        return "wrong", f"{len(findings)} findings (acequia ledger verify)"
    return "well", f"{book.length():,} entries, the chain is whole"


def _lake(settings: Settings) -> tuple[str, str]:
    from acequia.opening import lake_of

    return "well", f"{settings.lake}, {len(lake_of(settings).tables())} tables"


def _notices(settings: Settings) -> tuple[str, str]:
    from acequia.ledger.book import now
    from acequia.notices.overview import look
    from acequia.receive.connections import resolver

    return look(settings, resolver(settings), now())
