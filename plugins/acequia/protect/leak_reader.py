"""Reads the values of kept columns: the recognizers that can refuse a delivery, asked directly, and no others.

Free text is read by all recognizers and with its context (`reader`); a value of a column has none. So Presidio's engine
is left out, and so are the recognizers of other countries' documents, of links, dates and long numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from acequia.agreement.privacy import Kind
from acequia.protect.kinds import kind_of
from acequia.protect.reader import _STOP, Finding, reader

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

    from acequia.protect.asking import Asked
    from acequia.protect.prefilter import Sieve

LEAKS: frozenset[Kind] = frozenset(
    {"phone", "email", "national_id", "tax_id", "passport", "plate", "card", "account", "ip"}
)
"""Kinds of which `privacy.leaks_at_most_pct` tolerates so many; `name` has its own tolerance. The others (a link, a
date, some long number) refuse nothing: by themselves they name nobody.
"""

STOPPED_FOR = LEAKS | {"name"}
"""Kinds that can refuse a delivery."""

_OWN = ("BW_", "UY_")


@dataclass(frozen=True)
class LeakReader:
    """The recognizers for one language and country, and what each needs of a text."""

    sieve: Sieve
    asked: Asked

    def read(self, texts: Sequence[str]) -> list[tuple[int, list[Finding]]]:
        """The findings in the texts that hold any, each with its text's place.

        Raises:
            RuntimeError: a part of a text was skipped, since it took too long.
        """
        import numpy as np
        import pyarrow as pa

        chosen = self.sieve.choose(pa.array(texts, pa.string()))
        _STOP.reading = True
        try:
            found = [
                (number, self._findings(texts[number], np.flatnonzero(chosen[number]).tolist()))
                for number in np.flatnonzero(chosen.any(axis=1)).tolist()
            ]
        finally:
            _STOP.reading = False
        return [(number, findings) for number, findings in found if findings]

    def _findings(self, text: str, columns: Sequence[int]) -> list[Finding]:
        return [finding for _, findings in self.asked.each(text, columns) for finding in findings]


@cache
def leak_reader(language: str, country: str) -> LeakReader:
    """The recognizers of the full reader that count here; libphonenumber is asked for the country's own region.

    Raises:
        RuntimeError: the full reader cannot be put together.
    """
    every = reader(language, country)
    if every is None:
        raise RuntimeError("texts in this language cannot be read here")
    from acequia.protect.asking import Asked
    from acequia.protect.prefilter import Sieve
    from acequia.protect.recognizers.stock import foreign

    abroad = foreign(country)
    found = [
        _at_home(recognizer, language, country)
        for recognizer in every.sieve.recognizers
        if any(_counts(entity, country, abroad) for entity in recognizer.supported_entities)
    ]
    sieve = Sieve([recognizer for recognizer in found if recognizer is not None])
    return LeakReader(sieve, Asked(sieve))


def _counts(entity: str, country: str, abroad: frozenset[str]) -> bool:
    """Whether a finding of this entity may refuse a delivery: a document of another country is right by chance."""
    own = not entity.startswith(_OWN) or entity.startswith(country)
    return own and entity not in abroad and kind_of(entity) in STOPPED_FOR


def _at_home(recognizer: EntityRecognizer, language: str, country: str) -> EntityRecognizer | None:
    regions = getattr(recognizer, "supported_regions", None)
    if regions is None:
        return recognizer
    from acequia.protect.recognizers.regions import RegionalPhoneRecognizer

    own = [region for region in regions if region == country]
    if not own:
        return None
    return RegionalPhoneRecognizer(supported_language=language, supported_regions=tuple(own))
