"""Looking at a source for many periods with one connection, without a download."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from acequia.agreement.delivery import Delivery
from acequia.period import Period
from acequia.receive.arrive import arrival_of, look, placed
from acequia.receive.connections import Resolver
from acequia.receive.sources.opening import open_source, pattern_of
from acequia.receive.sources.source import Source


def look_at(
    terms: Delivery, *, partner: str, feed_name: str, periods: Iterable[Period], connect: Resolver, inbox: Path
) -> Iterator[tuple[Period, str | None]]:
    """What `look` says of each period, in their order: the digest of what lies there, or None.

    Errors: those of `look`. One ends the iteration: the server is the same for every period.
    """
    wanted = list(periods)
    if not wanted:
        return
    with open_source(terms, wanted[0], connect, inbox, feed_name=feed_name) as source:
        for period in wanted:
            own = _for(source, terms, period)
            if own is None:
                found = look(terms, partner=partner, feed_name=feed_name, period=period, connect=connect, inbox=inbox)
            else:
                with placed(f"{partner}.{feed_name} {period}"):
                    found = arrival_of(own, terms)
            yield period, found


def _for(source: Source, terms: Delivery, period: Period) -> Source | None:
    """The same open source, for another period; None where it must be opened anew."""
    opened: Any = source
    known: set[str] = {field.name for field in fields(opened)} if is_dataclass(opened) else set()
    if not hasattr(terms.source, "path") or not known & {"pattern", "patterns"}:
        return None
    pattern = pattern_of(terms, period)
    own: Source = replace(opened, **({"patterns": (pattern,)} if "patterns" in known else {"pattern": pattern}))
    return own
