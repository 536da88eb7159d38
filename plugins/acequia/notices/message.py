"""Messages: one or more notices of a kind as a subject, plain text and simple HTML; or one as JSON for a webhook."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

from acequia.notices import facts
from acequia.notices.notice import ABOUT, Notice
from acequia.notices.subject import iso
from acequia.notices.words import LANGUAGES, Language

LISTED_AT_MOST = 200
_SUBJECT_AT_MOST = 150


@dataclass(frozen=True)
class Message:
    """What a person reads."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class _Part:
    """One line of a message: a label and what stands behind it; without a label, a heading."""

    label: str
    said: str


def write(notices: Sequence[Notice]) -> Message:
    """The message of one or more notices of one kind for one role."""
    first = notices[0]
    words = LANGUAGES[first.language]
    wording, common = words.kinds[first.kind], facts.shown(first, words)
    filled = wording.subject if len(notices) == 1 else wording.many
    blanks = common | {"count": facts.number(len(notices), words)}
    subject = f"[{first.partner}] {Template(filled).substitute(blanks)}"[:_SUBJECT_AT_MOST]
    parts = [[_Part("", common["name"])], *_listed(notices, words)]
    if len(notices) > LISTED_AT_MOST:
        more = facts.number(len(notices) - LISTED_AT_MOST, words)
        parts.append([_Part("", words.labels["more"].replace("$count", more))])
    parts.append([_Part(words.labels["who"], who_acts(first, words))])
    sent = Template(words.labels["sent"]).substitute(common)
    return Message(subject, _as_text(parts, sent), _as_html(subject, parts, sent, words.code))


def payload(notice: Notice) -> dict[str, Any]:
    """The same for a program: `type`, `timestamp` and `data` as Standard Webhooks asks. It never differs when it is
    sent again.
    """
    message = write([notice])
    return {
        "type": f"acequia.{notice.kind}",
        "timestamp": iso(notice.at),
        "data": {
            "partner": notice.partner,
            "feed": None if notice.feed == "*" else notice.feed,
            "period": notice.period,
            "number": notice.number,
            "to": notice.role,
            "recipients": list(notice.recipients),
            "who_acts": ABOUT[notice.kind].who_acts,
            "facts": {name: value for name, value in notice.facts.items() if name not in ("feed", "period", "partner")},
            "subject": message.subject,
            "text": message.text,
        },
    }


def who_acts(notice: Notice, words: Language) -> str:
    """Who must act, as the reader sees it."""
    who = ABOUT[notice.kind].who_acts
    return words.people["you" if who == notice.role else who]


def _listed(notices: Sequence[Notice], words: Language) -> Iterator[list[_Part]]:
    for number, notice in enumerate(notices[:LISTED_AT_MOST], 1):
        about, wording = ABOUT[notice.kind], words.kinds[notice.kind]
        blanks = facts.shown(notice, words)
        where = " · ".join(str(part) for part in (notice.partner, blanks.get("feed"), notice.period) if part)
        count = f"{number}. " if len(notices) > 1 else ""
        parts = [
            _Part(words.labels["what"], Template(wording.says).substitute(blanks).strip()),
            _Part(words.labels["where"], where),
            _Part(words.labels["do"], Template(wording.do).substitute(blanks).strip()),
        ]
        if about.until is not None and notice.facts.get(about.until) is not None:
            parts.append(_Part(words.labels["until"], blanks[about.until]))
        yield [_Part(f"{count}{parts[0].label}", parts[0].said), *parts[1:]]


def _as_text(parts: Sequence[Sequence[_Part]], sent: str) -> str:
    def told(part: _Part) -> str:
        return f"{part.label}: {part.said}" if part.label else part.said

    blocks = ["\n".join(map(told, block)) for block in parts]
    return "\n\n".join([*blocks, f"-- \n{sent}"]) + "\n"


def _as_html(subject: str, parts: Sequence[Sequence[_Part]], sent: str, language: str) -> str:
    def told(part: _Part) -> str:
        label = f"<b>{html.escape(part.label)}:</b> " if part.label else ""
        return label + html.escape(part.said)

    blocks = "\n".join(f"<p>{'<br>'.join(map(told, block))}</p>" for block in parts)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{html.escape(subject)}</title>'
        f"</head>\n<body>\n{blocks}\n<hr>\n<p><small>{html.escape(sent)}</small></p>\n</body></html>\n"
    )
