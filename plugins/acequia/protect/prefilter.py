"""Which texts need no closer look: a quick test that says no only where every recognizer would find nothing.

Each condition is one that a finding cannot do without. Numbers, dates, phones, cards, accounts and IDs need a digit;
addresses need `@` or `.`; network and device addresses of letters alone need `::`, or letters in pairs; names need a
capital letter, a listed name, a word such as Mr or Sra, or a label, which needs `:` or `=`.
"""

from __future__ import annotations

import re
from functools import cache

from acequia.protect.person_names import HONORIFICS, listed, name_parts

_TELLING = re.compile(r"[\d@.:=]|(?:[0-9a-f]{2}-){5}", re.IGNORECASE)


def may_hold(text: str) -> bool:
    """Whether the text may hold anything that is looked for; False is certain."""
    if _TELLING.search(text) or text.lower() != text:
        return True
    if not text.isascii() and any(map(str.isupper, text)):
        return True  # some capitals have no small letter
    return not _tell_tales().isdisjoint(name_parts(text))


@cache
def _tell_tales() -> frozenset[str]:
    return listed().sure | HONORIFICS
