"""The words of notices in English."""

from __future__ import annotations

from acequia.notices.words.wording import Language, Wording

LANGUAGE = Language(
    code="en",
    kinds={
        "before_due": Wording(
            subject="$feed $period is due soon",
            many="$count deliveries are due soon",
            says="The delivery of $feed for $period is due by $due_at. Nothing has arrived yet.",
            do="Send it in time. If there is nothing to send, tell the steward.",
        ),
        "late": Wording(
            subject="$feed $period is late",
            many="$count deliveries are late",
            says="The delivery of $feed for $period was due by $due_at. Nothing has arrived yet.",
            do="Send it. After $missing_from it counts as missing.",
        ),
        "missing": Wording(
            subject="$feed $period is missing (reminder $time)",
            many="$count deliveries are missing",
            says="The delivery of $feed for $period was due by $due_at, and is missing since $missing_from.",
            do="Send it. It is looked for until $watched_until.",
        ),
        "delayed": Wording(
            subject="$feed $period will be late",
            many="$count periods will be late",
            says="What $feed is made from for $period was due by $due_at and has not arrived. Until it does, these "
            "tables lack that period: $tables.",
            do="Nothing. You will be told when they are published.",
        ),
        "accepted": Wording(
            subject="$feed $period is accepted",
            many="$count deliveries are accepted",
            says="Version $version of the delivery of $feed for $period passed every check: $rows_in rows, of which "
            "$rows_set_aside were set aside.$differences$warnings",
            do="Nothing. The receipt has the details.",
        ),
        "refused": Wording(
            subject="$feed $period is refused: $code",
            many="$count deliveries are refused",
            says="Version $version of the delivery of $feed for $period was refused. Reason ($code): $reason$checks",
            do="$what_to_do",
        ),
        "repeated": Wording(
            subject="$feed $period came again, unchanged",
            many="$count deliveries came again, unchanged",
            says="The delivery of $feed for $period came again with the same bytes as version $version. Nothing was "
            "done. $stands",
            do="Nothing, unless you meant to send something else.",
        ),
        "published": Wording(
            subject="$table $period is published",
            many="$count periods are published",
            says="$table for $period is published: $cells cells, of which $withheld are withheld.$provisional",
            do="Nothing.",
        ),
        "restated": Wording(
            subject="$table $period is restated",
            many="$count periods are restated",
            says="$table for $period is published anew, and differs from what it was. $changes",
            do="Use the new figures. The earlier vintage stays readable, unless a withdrawal erased it.",
        ),
        "removed": Wording(
            subject="$table $period is taken out",
            many="$count periods are taken out",
            says="$table holds nothing for $period any more: the delivery that it was made from was withdrawn.",
            do="Do not use the earlier figures.",
        ),
        "withdrawn": Wording(
            subject="$feed $period is withdrawn",
            many="$count deliveries are withdrawn",
            says="The delivery of $feed for $period (up to version $version) was withdrawn, and counts to no table any "
            "more. Reason: $because",
            do="Nothing. Tables that it counted to are published without it.",
        ),
        "paused": Wording(
            subject="$feed is paused",
            many="$count feeds are paused",
            says="Nothing of $feed is received or published until it is resumed. Reason: $because",
            do="Resume it when the reason is gone.",
        ),
        "resumed": Wording(
            subject="$feed goes on",
            many="$count feeds go on",
            says="$feed is received and published again. Reason: $because",
            do="Nothing. What is overdue is told by itself.",
        ),
        "ending": Wording(
            subject="the agreement ends on $ends_on",
            many="$count agreements end soon",
            says="The agreement with $name, version $agreement_version, ends on $ends_on, within $within_days days. "
            "Periods after that day are refused.",
            do="Agree on a new version, or let the feeds end.",
        ),
        "ended": Wording(
            subject="the agreement has ended",
            many="$count agreements have ended",
            says="The agreement with $name, version $agreement_version, ended on $ends_on. Periods after that day are "
            "refused: nothing is pulled, nothing is published.",
            do="Agree on a new version, or leave the feeds stopped.",
        ),
        "test": Wording(
            subject="a test",
            many="$count tests",
            says="This is a test: notices for the $to of $name arrive here.",
            do="Nothing.",
        ),
    },
    labels={
        "what": "What happened",
        "where": "Where",
        "who": "Who must act",
        "do": "What to do",
        "until": "Until",
        "more": "… and $count more; `acequia notices list` has all of them.",
        "sent": "Sent by Acequia under the agreement $partner, version $agreement_version. Questions: $questions",
    },
    parts={
        "every_feed": "every feed",
        "drift": " What seems to have changed in the columns, and why: `acequia drift $partner $feed $period`, "
        "at the office.",
        "provisional": " The figures are provisional.",
        "checks": "; in words: $checks.",
        "warnings": " It is unlike those before it: $warnings.",
        "stands": "Version $version stands.",
        "stands_none": "No version of the period stands.",
        "differences": " It replaces version $against: $added rows came, $removed went, $changed changed.",
        "differences_unknown": " It replaces version $against.",
        "changes": "Of $before cells $changed changed, $removed were removed, $newly_withheld are newly withheld and "
        "$opened are shown again; $added were added.",
        "changes_unknown": "By how much cannot be told: the release before is erased.",
        "by_how_much": "By how much:",
        "total": "total",
        "largest": "one cell by at most",
    },
    people={
        "partner": "the partner",
        "steward": "the steward",
        "dpo": "the data protection officer",
        "consumers": "the recipients",
        "nobody": "nobody",
        "you": "you",
    },
    doing={},
)
