"""An agreement in plain words, English or Spanish, as Markdown: what arrives, what becomes of it, what is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from acequia.agreement.columns import (
    Band,
    Column,
    FirstCharacters,
    Lookup,
    PartOf,
    Pseudonym,
    RoundTo,
    SecondsSince,
    TopCode,
    TruncateTo,
)
from acequia.agreement.cron_words import Fires, fires
from acequia.agreement.delivery import WEEKDAYS, Delivery
from acequia.agreement.explain_protection import budget, number, protection
from acequia.agreement.model import Agreement, Feed, Terms, protected_name
from acequia.agreement.phrases import PHRASES, Language
from acequia.agreement.tables import CountDistinct, CountRows, Ratio, Table

_VALUES_SHOWN = 12


def explain(agreement: Agreement, language: Language) -> str:
    """The agreement as a text that a lawyer can read: terms, then each feed with its columns and tables."""
    words = Words(language)
    parts = [
        f"# {words('title', name=agreement.name)}",
        words(
            "intro",
            name=agreement.name,
            partner=agreement.partner,
            country=agreement.country,
            version=agreement.terms.version,
        ),
        f"## {words('terms')}",
        "\n".join([*_terms(agreement.terms, words), *_promises(agreement, words)]),
    ]
    for name, feed in agreement.feeds.items():
        parts += _feed(agreement, name, feed, words)
    return "\n\n".join(parts) + "\n"


Outline = dict[tuple[str, ...], tuple[str, ...]]


def outline(agreement: Agreement, language: Language) -> Outline:
    """The same sentences by what they are about: `terms`, or `feeds`, a feed, and its delivery, a column or a table.

    Two versions of an agreement are told apart by it: see `changes`.
    """
    words = Words(language)
    found: Outline = {}
    for line in (*_terms(agreement.terms, words), *_promises(agreement, words)):
        title, _, text = line.removeprefix("- **").partition("**: ")
        if title != words("version_from", version=agreement.terms.version):  # every version says another one
            found["terms", title] = (text,)
    for name, feed in agreement.feeds.items():
        here = ("feeds", name)
        found[(*here, words("when"))] = tuple(_when(feed.delivery, words))
        found[(*here, words("where"))] = tuple(_where(feed.delivery, words))
        found[(*here, words("accepted"))] = tuple(_accepted(feed, words))
        found[(*here, words("people"))] = tuple(_people(feed, words))
        for key, column in feed.columns.items():
            cells = _column(key, column, words).removeprefix("| ").removesuffix(" |").split(" | ")
            found[(*here, "columns", key)] = tuple(cells[1:])
        for table_name, table in feed.tables.items():
            found[(*here, "tables", table_name)] = tuple(_parts(agreement, feed, table, words))
    return found


def _parts(agreement: Agreement, feed: Feed, table: Table, words: Words) -> Iterator[str]:
    yield _sentence(table.describe)
    yield from _rows_of(feed, table, words)
    yield from (f"`{name}`: {_measure(measure, words)}." for name, measure in table.measures.items())
    yield from protection(table, words)
    yield words("may_be_read", recipients=words.listed(_spaced(table.recipients or agreement.terms.recipients)))


class Words:
    """The phrases of a language."""

    def __init__(self, language: Language) -> None:
        self.phrases = PHRASES[language]

    def __call__(self, phrase: str, **values: object) -> str:
        """A phrase with its values."""
        return self.phrases[phrase].format(**values)

    def listed(self, items: Iterable[str]) -> str:
        """`a, b and c`."""
        found = list(items)
        if len(found) < 2:
            return "".join(found)
        return f"{', '.join(found[:-1])} {self.phrases['and']} {found[-1]}"


def _terms(terms: Terms, words: Words) -> Iterator[str]:
    rows = [
        ("legal_basis", terms.legal_basis),
        ("purposes", words("purposes_only", purposes=words.listed(_spaced(terms.purposes)))),
        (
            "in_force",
            words("from_to", first=terms.starts_on or terms.signed_on, last=terms.expires_on, signed=terms.signed_on),
        ),
        ("raw", words("raw_kept", days=terms.raw_kept_days)),
        ("protected", words("protected_kept", days=terms.protected_kept_days)),
        ("published", words("may_read", recipients=words.listed(_spaced(terms.recipients)))),
        (
            "contacts",
            words(
                "contact_list",
                partner=terms.contacts.partner,
                steward=terms.contacts.steward,
                dpo=terms.contacts.dpo,
            ),
        ),
    ]
    for title, text in rows:
        yield f"- **{words(title)}**: {text}."


def _promises(agreement: Agreement, words: Words) -> Iterator[str]:
    terms, notices = agreement.terms, agreement.notices
    if terms.effective_from:
        said = words("effective", day=terms.effective_from)
        yield f"- **{words('version_from', version=terms.version)}**: {said}."
    if terms.contacts.consumers:
        told = (f"{name.replace('_', ' ')} ({address})" for name, address in terms.contacts.consumers.items())
        yield f"- **{words('consumers')}**: {words.listed(told)}."
    if agreement.signing_keys:
        keys = (
            words("signing_key", name=name, first=key.from_, last=key.until or terms.expires_on)
            for name, key in agreement.signing_keys.items()
        )
        yield f"- **{words('signing_keys')}**: {'; '.join(keys)}."
    people = words.listed(words(f"person_{person}") for person in notices.webhooks)
    before = words("before_due", hours=notices.before_due_hours) if notices.before_due_hours else words("no_reminder")
    said = words(
        "notices_said",
        language=words(f"language_{notices.language or agreement.language}"),
        webhooks=words("notices_webhooks", people=people) if people else "",
        before=before,
    )
    yield f"- **{words('notices')}**: {said}."


def _feed(agreement: Agreement, name: str, feed: Feed, words: Words) -> Iterator[str]:
    yield f"## {words('feed', feed=name)}"
    if feed.describe:
        yield _sentence(feed.describe)
    yield "\n".join(
        [
            f"- **{words('when')}**: {' '.join(_when(feed.delivery, words))}",
            f"- **{words('where')}**: {' '.join(_where(feed.delivery, words))}",
            f"- **{words('accepted')}**: {' '.join(_accepted(feed, words))}",
            f"- **{words('people')}**: {' '.join(_people(feed, words))}",
        ]
    )
    yield f"### {words('columns')}"
    rows = [_column(key, column, words) for key, column in feed.columns.items()]
    yield "\n".join([words("columns_head"), "|---|---|---|---|", *rows])
    if feed.transform:
        yield words("transform", name=feed.transform)
    for table_name, table in feed.tables.items():
        yield f"### {words('table', table=f'{agreement.partner}.{table_name}')}"
        yield from _table(agreement, feed, table, words)


def _when(delivery: Delivery, words: Words) -> Iterator[str]:
    period = delivery.period
    yield words(
        "fetched",
        schedule=_schedule(fires(delivery.schedule), delivery.schedule, words),
        zone=delivery.timezone,
        period=words(f"period_{period}"),
        same=words(f"same_{period}"),
        hours=delivery.due_within_hours,
    )
    yield words(
        "grace" if delivery.grace_hours else "no_grace",
        hours=delivery.grace_hours,
        days=delivery.watched_days,
        same=words(f"same_{period}"),
    )
    if delivery.weekdays != WEEKDAYS:
        names = words("weekday_names").split()
        yield words("only_weekdays", days=words.listed(names[WEEKDAYS.index(day)] for day in delivery.weekdays))
    if delivery.calendar:
        yield words("holidays", calendar=delivery.calendar)
    if delivery.nothing_due:
        yield words("nothing_due", days=words.listed(day.isoformat() for day in delivery.nothing_due))


def _schedule(when: Fires | None, cron: str, words: Words) -> str:
    if when is None:
        return words("cron", cron=cron)
    weekdays, months = words("weekday_names").split(), words("month_names").split()
    days = words.listed(str(day) for day in when.days)
    if when.weekdays:
        return words("on_weekdays", days=words.listed(weekdays[day - 1] for day in when.weekdays), time=when.time)
    if when.months:
        return words("on_days_of", days=days, months=words.listed(months[n - 1] for n in when.months), time=when.time)
    return words("on_days", days=days, time=when.time) if when.days else words("every_day", time=when.time)


def _where(delivery: Delivery, words: Words) -> Iterator[str]:
    source = delivery.source
    if source.type == "sql":
        yield words("source_sql")
        return
    bucket = getattr(source, "bucket", "")
    place = words(f"source_{source.type}", path=source.path, bucket=bucket)
    yield words("from_source", format=delivery.format.upper(), source=place)
    yield words(f"manifest_{delivery.manifest}")
    if delivery.signature != "none":
        yield words(f"signature_{delivery.signature}")
    if delivery.encryption != "none":
        yield words(f"encryption_{delivery.encryption}")


def _accepted(feed: Feed, words: Words) -> Iterator[str]:
    least, most = feed.delivery.rows_between
    yield words("rows_between", least=f"{least:,}".replace(",", " "), most=f"{most:,}".replace(",", " "))
    yield words("unlisted")
    if feed.rows.period_column:
        yield words("period_column", column=feed.rows.period_column)
    if feed.rows.duplicates == "set_aside":
        yield words("duplicates")
    pct = feed.rows.set_aside_at_most_pct
    yield words("aside", pct=number(pct)) if pct else words("aside_none")
    yield from _compared(feed.delivery, words)


def _compared(delivery: Delivery, words: Words) -> Iterator[str]:
    history = delivery.history
    pct, deviations, points = history.volume_pct, history.deviations, history.mix_points
    limits = []
    if pct or deviations:
        which = "history_both" if pct and deviations else "history_volume" if pct else "history_deviations"
        limits.append(words(which, pct=number(pct), n=number(deviations)))
    if points:
        limits.append(words("history_mix", points=number(points)))
    if limits:
        like = history.like or ("same_weekday" if delivery.period == "day" else "any")
        yield words(
            "history",
            most=history.at_most,
            least=history.at_least,
            like=words(f"like_{like}"),
            then=words(f"history_{history.then}"),
            limits="; ".join(limits),
        )


def _people(feed: Feed, words: Words) -> Iterator[str]:
    privacy = feed.privacy
    kept = [key for key, column in feed.columns.items() if column.type == "string" and column.treatment == "keep"]
    if any(column.treatment == "pseudonym" for column in feed.columns.values()):
        yield words("rotate_none") if privacy.rotate == "none" else words("rotate", period=words(privacy.rotate))
    if kept:
        yield words(
            "leaks" if privacy.leaks_at_most_pct else "leaks_none",
            leaks=number(privacy.leaks_at_most_pct),
            names=number(privacy.names_at_most_pct),
        )
    targets = [
        words("target", kind=words(f"kind_{kind}"), pct=number(pct))
        for kind, pct in privacy.recall_at_least_pct.items()
    ]
    yield words("recall", targets=words.listed(targets)) if targets else words("recall_none")
    if privacy.budget is not None:
        yield budget(privacy.budget, words)


def _column(key: str, column: Column, words: Words) -> str:
    arrives = words("made_from", column=column.from_) if column.from_ else ", ".join(_arrives(column, words))
    if column.from_ is None and column.unit and column.treat == "drop":
        arrives += f" ({column.unit})"
    remains = protected_name(key, column)
    if column.treat == "drop":
        left = words("nothing")
    elif column.unit:
        left = words("remains_unit", name=remains, unit=column.unit)
    else:
        left = words("remains", name=remains)
    named = f"`{key}`" + (f" ({column.describe.rstrip('.')})" if column.describe else "")
    cells = (named, arrives, _happens(column, words), left)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _arrives(column: Column, words: Words) -> Iterator[str]:
    yield words(column.type)
    if column.between is not None:
        low, high = column.between
        which = "at_most" if low is None else "at_least" if high is None else "between"
        yield words(which, low=number(low), high=number(high))
    if column.one_of is not None:
        shown = [number(value) for value in column.one_of[:_VALUES_SHOWN]]
        yield words("one_of", values=", ".join(shown) + (", …" if len(column.one_of) > _VALUES_SHOWN else ""))
    if column.matches is not None:
        yield words("matches", pattern=column.matches)
    if not column.required:
        yield words("may_be_absent")
    if column.may_be_null:
        yield words("may_be_null")


# What to say of a treatment with a value: the phrase, and its values.
_TREATED: dict[type, Callable[[Any, Words], str]] = {
    Pseudonym: lambda treat, words: words("pseudonym_same_format"),
    TruncateTo: lambda treat, words: words("truncate_to", unit=words(f"period_{treat.truncate_to}")),
    PartOf: lambda treat, words: words(f"part_{treat.part}"),
    SecondsSince: lambda treat, words: words("seconds_since", column=treat.seconds_since),
    Band: lambda treat, words: words("band", bands=", ".join(bands(treat))),
    Lookup: lambda treat, words: words(
        "lookup_value" if treat.value else "lookup", table=treat.table, value=treat.value
    ),
    RoundTo: lambda treat, words: words("round_to", step=number(treat.round_to)),
    TopCode: lambda treat, words: words("top_code", top=number(treat.top_code)),
    FirstCharacters: lambda treat, words: words("first", n=treat.first),
}


def _happens(column: Column, words: Words) -> str:
    treat = column.treat
    said = words(treat) if isinstance(treat, str) else _TREATED[type(treat)](treat, words)
    return f"{said}; {words('because', reason=column.keep_because)}" if column.keep_because else said


def bands(treat: Band) -> list[str]:
    """The bands that the edges make, as they stand in the data."""
    edges = [number(edge) for edge in treat.band]
    return [f"<{edges[0]}", *(f"{low}..{high}" for low, high in zip(edges, edges[1:], strict=False)), f"{edges[-1]}+"]


def _table(agreement: Agreement, feed: Feed, table: Table, words: Words) -> Iterator[str]:
    yield " ".join([_sentence(table.describe), *_rows_of(feed, table, words)])
    yield words("measures")
    yield "\n".join(f"- `{name}`: {_measure(measure, words)}." for name, measure in table.measures.items())
    yield words("protection")
    yield "\n".join(f"- {sentence}" for sentence in protection(table, words))
    yield words("may_be_read", recipients=words.listed(_spaced(table.recipients or agreement.terms.recipients)))


def _rows_of(feed: Feed, table: Table, words: Words) -> Iterator[str]:
    over = feed.delivery.period if table.over == "delivery" else table.over
    window = words("window", period=words(over))
    if table.by:
        yield words("by", by=words.listed(f"`{column}`" for column in table.by), window=window)
    else:
        yield words("by_none", window=window)
    if table.over != "delivery":
        yield words(table.release, period=words(over))
    if table.where:
        yield words("only_where", where=table.where)
    if table.cells == "all":
        yield words("all_cells")
    for levels in table.hierarchy.values():
        yield words("hierarchy", levels=words.listed(f"`{level}`" for level in levels[:-1]))


def _measure(measure: Any, words: Words) -> str:
    if isinstance(measure, CountRows):
        said = words("count")
    elif isinstance(measure, CountDistinct):
        said = words("count_distinct", column=measure.count_distinct)
    elif isinstance(measure, Ratio):
        said = words("ratio", of=measure.ratio.of, to=measure.ratio.to)
    else:
        kind = next(iter(type(measure).__annotations__))
        said = words(kind, of=getattr(measure, kind))
    if measure.where:
        said += f", {words('measure_where', where=measure.where)}"
    if measure.unit:
        said += f" ({measure.unit})"
    return f"{said}: {measure.describe.rstrip('.')}" if measure.describe else said


def _spaced(names: Iterable[str]) -> Iterator[str]:
    return (name.replace("_", " ") for name in names)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
