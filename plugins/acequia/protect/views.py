r"""Other ways to read a text, for what is hidden in how it is written, by accident or not.

A text is also read in plain signs: full-width digits and those of other scripts, characters of no width, dashes of all
kinds, escapes of JSON (`\u0037`), HTML (`&#55;`) and addresses (`%40`), `(at)` for @, and base64 that decodes to
something readable. And it is read with one space for whatever separates digits, and for every line's end or tab; and,
where it looks like an address of the web, with spaces for its plus signs. Every sign of a view knows what part of the
text it stands for, so that findings are told in places of the text.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

ROUNDS = 3
"""How many times escapes are undone: JSON inside JSON inside a cell."""

_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});?")
_ESCAPE = re.compile(r"\\+(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2}))")
_JSON = re.compile(r"\\+([\"'/nrtbf])")
_AT = re.compile(r"\s*[\[({<]\s*(?:at|arroba)\s*[\])}>]\s*|(?<=\w)\s+arroba\s+(?=\w)", re.IGNORECASE)
_DOT = re.compile(
    r"\s*[\[({<]\s*(?:dot|punto)\s*[\])}>]\s*|(?<=\w)\s+(?:dot|punto)\s+(?=(?:com|org|net|bw|uy)\b)", re.IGNORECASE
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=\-])(?=.[a-z+/_\-]*[A-Z0-9])[A-Za-z0-9+/_\-]{10,}={0,2}(?![A-Za-z0-9+/_\-])")
"""Ten signs or more, one of them, but not only the first, a capital letter or a digit: other words are no base64."""

_BREAK = re.compile(r"(?<!\s) *+[^\S ]\s*+")
"""White space that is more than spaces, all of it. Nothing taken is given back: long stretches would take minutes."""

_BROKEN_AT = re.compile(r"(?<!\s) *+[^\S ]\s*+(?=@)|(?<=@) *+[^\S ]\s*+")
_FORM = re.compile(r"(?<==)[^\s&]*\+[^\s&]*")
"""What stands behind `=` in the address of a web page: there a plus sign is a space."""

_DOTS = frozenset("\u00b7\u2022\u2024\u2027\u2219\u22c5\u3002\u30fb\uff61\uff65")
_QUOTES = frozenset("\u00b4\u02bc\u2018\u2019\u2032")
_BETWEEN = re.compile(r"(?<=[0-9])(?:[\s.\-/_*~()\[\],;:|'`]{2,4}|[^\S ]|[_*~()\[\],;:|'`])(?=[0-9])")
_SHORTEST_DECODED = 6
_LETTERS_OF_TEXT = 0.6

_SIGN = r"[A-Za-z0-9+/_\-]"
TELLING = "|".join((
    r"\\|%[0-9A-Fa-f]{2}|&[#A-Za-z]|(?i:[\[({<]\s*(?:at|dot|arroba|punto)\s*[\])}>]|\s(?:arroba|dot|punto)\s)",
    r"[\t\n\r\x0B\x0C\x1C-\x1F]|=[^&]*\+",
    r"[0-9](?:[\s\x0B\x1C-\x1F.\-/_*~()\[\],;:|'`]{2,4}|[\t\n\r\x0B\x0C\x1C-\x1F_*~()\[\],;:|'`])[0-9]",
    *(f"{_SIGN}{{{place}}}[A-Z0-9]{_SIGN}{{{9 - place}}}" for place in range(1, 10)),
))  # fmt: skip
"""RE2: what a text of plain signs holds if it has further views; `odd_signs` is for the others."""


@dataclass(frozen=True)
class View:
    """A text, and for each of its signs the part of the original that it stands for: from, and to (exclusive)."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of what stands from `start` to `end` here."""
        return min(self.starts[start:end]), max(self.ends[start:end])


def views(text: str) -> Iterator[View]:
    """The text's other views; none for a text that is plain."""
    whole, told = _whole(text), {text}
    for read in (whole, _changed(whole, _FORM, lambda match: match.group().replace("+", " "))):
        plain = _undone(read)
        for view in (plain, _joined(plain)):
            if view.text not in told:
                told.add(view.text)
                yield view


def _joined(view: View) -> View:
    """With one space for whatever separates digits, and for the end of every line but at an @."""
    view = _changed(_changed(view, _BETWEEN, lambda _: " "), _BROKEN_AT, lambda _: "")
    return _changed(view, _BREAK, lambda _: " ")


def with_views(texts: Sequence[str]) -> list[int]:
    """The places of the texts that may have further views; all others have none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not texts:
        return []
    may_have = pc.match_substring_regex(pa.array(texts, pa.string()), f"{TELLING}|{odd_signs()}")
    return list(pc.indices_nonzero(may_have).to_pylist())


@cache
def odd_signs() -> str:
    """RE2: a class of the signs that are not plain."""
    from acequia.protect.necessary import BEYOND, KNOWN

    odd = "".join(f"\\x{{{code:X}}}" for code in KNOWN if _plain(chr(code)) != chr(code))
    return f"[{odd}{BEYOND}]"


def _whole(text: str) -> View:
    return View(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))


def _undone(view: View) -> View:
    view = _in_plain_signs(view)
    for _ in range(ROUNDS):
        before = view.text
        for pattern, become in _WRITINGS:
            view = _changed(view, pattern, become)
        if view.text == before:
            break
        view = _in_plain_signs(view)
    return view


def _in_plain_signs(view: View) -> View:
    if view.text.isascii():
        return view
    signs: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for sign, start, end in zip(view.text, view.starts, view.ends, strict=True):
        simple = _plain(sign)
        if not simple and ends:
            ends[-1] = max(ends[-1], end)  # what is left out belongs to the sign before it
        signs.append(simple)
        starts += [start] * len(simple)
        ends += [end] * len(simple)
    return View("".join(signs), tuple(starts), tuple(ends))


@lru_cache(maxsize=4096)
def _plain(sign: str) -> str:
    """One sign in plain signs: none for one of no width and for loose accents."""
    category = unicodedata.category(sign)
    if category in ("Cf", "Mn"):
        return ""
    if category == "Pd" or sign == "\u2212":
        return "-"
    if sign in _DOTS:
        return "."
    if sign in _QUOTES:
        return "'"
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if sign.isspace() and not sign.isascii():
        return " "
    return unicodedata.normalize("NFKC", sign)


def _changed(view: View, pattern: re.Pattern[str], become: Callable[[re.Match[str]], str | None]) -> View:
    """The view with every match replaced; each sign of a replacement stands for the whole of it."""
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in pattern.finditer(view.text):
        new = become(match)
        if new is None or new == match.group():
            continue
        start, end = match.span()
        texts += [view.text[done:start], new]
        low, high = view.back(start, end)
        starts += [*view.starts[done:start], *[low] * len(new)]
        ends += [*view.ends[done:start], *[high] * len(new)]
        done = end
    if not texts:
        return view
    return View("".join((*texts, view.text[done:])), (*starts, *view.starts[done:]), (*ends, *view.ends[done:]))


def _percent(match: re.Match[str]) -> str | None:
    raw = bytes.fromhex(match.group().replace("%", ""))
    try:
        return _safe(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _safe(raw.decode("latin-1"))


def _escape(match: re.Match[str]) -> str:
    code = int(next(group for group in match.groups() if group), 16)
    return _safe(chr(code)) if code < 0x110000 else "\ufffd"  # noqa: PLR2004


def _json(match: re.Match[str]) -> str:
    return " " if match[1] in "nrtbf" else match[1]


def _entity(match: re.Match[str]) -> str:
    return _safe(html.unescape(match.group()))


def _base64(match: re.Match[str]) -> str | None:
    """What the token decodes to, if somebody could read it."""
    token = match.group().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    telling = sum(sign.isalnum() or sign in " @." for sign in text)
    readable = len(text) >= _SHORTEST_DECODED and text.isprintable() and telling >= _LETTERS_OF_TEXT * len(text)
    return text if readable else None


def _safe(text: str) -> str:
    """Half of a pair of surrogates is no sign."""
    return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in text)


_WRITINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...] = (
    (_TOKEN, _base64),
    (_ESCAPE, _escape),
    (_JSON, _json),
    (_ENTITY, _entity),
    (_PERCENT, _percent),
    (_AT, lambda _: "@"),
    (_DOT, lambda _: "."),
)
