"""What is due to be told now and was not: the planner's questions answered by agreements, calendar and ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from acequia.agreement.load import Broken, Signed, load_all, versions
from acequia.errors import AcequiaError
from acequia.ledger import telling
from acequia.ledger.book import Ledger
from acequia.notices import happened
from acequia.notices.first_seen import first_seen
from acequia.notices.notice import Due
from acequia.notices.plan import endpoints, plan
from acequia.notices.subject import Subject
from acequia.promises.board import Promise, board
from acequia.settings import Settings

Agreements = Sequence[Sequence[Signed]]


def every_agreement(settings: Settings, troubles: list[str]) -> list[tuple[Signed, ...]]:
    """The versions of every partner's agreement; one that cannot be read is a trouble, and harms no other."""
    found = []
    for one in load_all(settings.partners):
        with telling_trouble(one.path.stem, troubles):
            if isinstance(one, Broken):
                raise one.error
            found.append(versions(settings.partners, one.agreement.partner))
    return found


def due(settings: Settings, ledger: Ledger, agreements: Agreements, now: datetime, troubles: list[str]) -> list[Due]:
    """Every notice and endpoint, in the order in which they became due. `troubles` hears what kept some from us."""
    found: list[Due] = []
    for of_partner in agreements:
        with telling_trouble(of_partner[-1].agreement.partner, troubles):
            subject = Subject(tuple(of_partner), now, _seen(ledger, of_partner, now))
            found += _unknown(ledger, _planned(settings, ledger, subject, troubles))
    return found


def _seen(ledger: Ledger, versions: Sequence[Signed], now: datetime) -> Mapping[str, datetime]:
    """Since when each feed is looked after; one that no round has noted yet, since now."""
    feeds = dict.fromkeys((name for signed in versions for name in signed.agreement.feeds), now)
    return feeds | dict(first_seen(ledger, versions[-1].agreement.partner))


def _planned(settings: Settings, ledger: Ledger, subject: Subject, troubles: list[str]) -> list[Due]:
    partner = subject.agreement.partner
    promises: list[Promise] = []
    with telling_trouble(f"{partner}'s calendar", troubles):
        promises = _promises(settings, ledger, subject)
    notices = plan(
        subject,
        promises,
        telling.news(ledger.engine, partner, happened.OF_DELIVERIES, subject.since),
        telling.noted(ledger.engine, partner, happened.OF_FEEDS, subject.since),
        telling.releases(ledger.engine, partner),
    )
    once: dict[tuple[str, ...], Due] = {}
    for notice in notices:
        for end in endpoints(subject, notice):
            # One office that has several roles is told once.
            told = notice.key.rpartition("/")[0]
            once.setdefault((told, end.channel, end.target), Due(notice, end))
    return list(once.values())


def _promises(settings: Settings, ledger: Ledger, subject: Subject) -> list[Promise]:
    first, last = subject.since.date() - timedelta(days=2), subject.now.date() + timedelta(days=1)
    return board([subject.versions], settings.reference, ledger, first, last, subject.now)


def _unknown(ledger: Ledger, dues: Sequence[Due]) -> list[Due]:
    told = telling.known(ledger.engine, [one.key for one in dues])
    return [one for one in dues if one.key not in told]


@contextmanager
def telling_trouble(where: str, troubles: list[str]) -> Iterator[None]:
    """One partner's trouble keeps no other from being told. An unforeseen error shows its kind alone."""
    try:
        yield
    except AcequiaError as error:
        troubles.append(f"{where}: {error.code}")
    except Exception as error:  # noqa: BLE001
        troubles.append(f"{where}: {type(error).__name__}")
