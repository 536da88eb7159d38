"""A delivery beside its own feed's past: the likes out of the ledger, and what is to be said of it beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from acequia.agreement.calendar import holidays
from acequia.errors import AcequiaError
from acequia.flow import Check, Mix, Protected, Validated
from acequia.validate.history import Like, candidates, judged
from acequia.work import Work

# The public holidays of a country whose feeds deliver on holidays too, and so name no calendar.
_COUNTRIES = {
    "AR": "argentina",
    "BR": "brazil",
    "BW": "botswana",
    "CL": "chile",
    "CO": "colombia",
    "ES": "spain",
    "MX": "mexico",
    "NA": "namibia",
    "PE": "peru",
    "PY": "paraguay",
    "US": "united_states",
    "UY": "uruguay",
    "ZA": "south_africa",
}


def looked_back(work: Work, validated: Validated, protected: Protected) -> Validated:
    """The judgement, with what is said of the delivery beside its likes. Only a check that stops may change its end."""
    checks = history_checks(work, protected)
    stopped = any(not check.passed and check.severity == "stop" for check in checks)
    return validated.model_copy(
        update={"checks": (*validated.checks, *checks), "passed": validated.passed and not stopped}
    )


def history_checks(work: Work, protected: Protected) -> tuple[Check, ...]:
    """The look-back checks of a delivery: of its volume, and of the mix of each column that is remembered."""
    terms, period = work.feed.delivery.history, protected.delivery.of_period()
    periods = [part.label for part in candidates(period, terms.like, terms.at_most, days_off(work))]
    bodies = work.ledger.remembered(work.partner, work.feed_name, periods)
    likes = [_like(bodies[label]) for label in periods if label in bodies]
    count = protected.count
    language = work.signed.agreement.notices.language or work.signed.agreement.language
    return judged(Like(count.rows_in, count.rows_out, protected.mix), likes, terms, language)


def warnings(validated: Validated) -> tuple[str, ...]:
    """What was found odd and does not stop the delivery, in words."""
    odd = [check for check in validated.checks if not check.passed and check.severity == "warn"]
    return tuple(f"{check.column}: {check.describe}" if check.column else check.describe for check in odd)


def days_off(work: Work) -> frozenset[date]:
    """The holidays that a delivery's likes are chosen by: the feed's calendar, else the country's, if there is one."""
    country = _COUNTRIES.get(work.signed.agreement.country)
    for name in (work.feed.delivery.calendar, country):
        try:
            known = frozenset(iter(holidays(work.settings.reference, name)))
        except AcequiaError:  # a country without a table has no known holidays; the feed's own was asked for before
            continue
        if known:
            return known
    return frozenset()


def _like(said: Mapping[str, Any]) -> Like:
    count = said["count"]
    mix = {name: Mix.model_validate(of) for name, of in said.get("mix", {}).items()}
    return Like(count["rows_in"], count["rows_out"], mix)
