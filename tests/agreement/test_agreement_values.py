"""Values that cannot be, and parts that do not fit together: refused with the exact line, place and plain words."""

from __future__ import annotations

import pytest

STARTED = "treat: {truncate_to: hour},      as: started_hour"
DURATION = "{type: integer,   treat: keep, between: [0, 86400]}"
KIND = "treat: keep, one_of: [call, sms, data]"
SOURCE = '{type: sftp, connection: pula_mobile_sftp, path: "outbox/events/{period}/*.csv.gz"}'
PERIOD = "      period: day\n"
PATH = '"outbox/events/{period}/*.csv.gz"'
TABLE = "feeds.events.tables.active_subscribers_by_district_hour"
COLUMN, DELIVERY = "feeds.events.columns", "feeds.events.delivery"

MISTAKES = {
    # values that are not what they must be
    "bad cron": (('"0 6 * * *"', '⟦"0 6 * *"'), f"{DELIVERY}.schedule", "must be a cron schedule of five fields"),
    "cron out of range": (('"0 6 * * *"', '⟦"0 25 * * *"'), f"{DELIVERY}.schedule", "must be a cron schedule"),
    "cron that never comes": (('"0 6 * * *"', '⟦"0 6 30 2 *"'), f"{DELIVERY}.schedule", "must be a cron schedule"),
    "cron at random": (('"0 6 * * *"', '⟦"R 6 * * *"'), f"{DELIVERY}.schedule", "must be a cron schedule"),
    "cron by name": (('"0 6 * * *"', '⟦"@daily"'), f"{DELIVERY}.schedule", "must be a cron schedule"),
    "bad zone": (("Africa/Gaborone", "⟦Africa/Gaberone"), f"{DELIVERY}.timezone", "did you mean Africa/Gaborone?"),
    "bad country": (("country: BW", "country: ⟦Botswana"), "country", "must be two capital letters of ISO 3166"),
    "bad e-mail": (("dpo@stats.example", "⟦the office"), "terms.contacts.dpo", "must be an e-mail address"),
    "bad name": (("[official_statistics,", "[⟦Official-Statistics,"), "terms.purposes.0", "must be a plain name"),
    "bad transform": (
        ("    tables:\n", "    transform: ⟦os.system('x')\n    tables:\n"),
        "feeds.events.transform",
        "must be module.function",
    ),
    "bad name of a feed": (("  events:\n", "  ⟦Call Events:\n"), "feeds.Call Events", "must be a plain name"),
    "bad name of a table": (
        ("      active_subscribers_by_district_hour:", "      ⟦1st:"),
        "feeds.events.tables.1st",
        "must be a plain name",
    ),
    "bad name of a column": (("      imei:  ", '      ⟦"im\\"ei":  '), f'{COLUMN}.im"ei', "must be a column's name"),
    "column with a line break": (
        ("      imei:  ", '      ⟦"im\\nei":  '),
        f"{COLUMN}.im\\nei",
        "must be a column's name",
    ),
    "expires before it starts": (
        ("expires_on: 2028-02-29", "expires_on: ⟦2026-02-28"),
        "terms.expires_on",
        "lies before the agreement starts, on 2026-03-01",
    ),
    "expires before it starts (later start)": (
        ("expires_on: 2028-02-29", "starts_on: 2029-01-01\n  expires_on: ⟦2028-02-29"),
        "terms.expires_on",
        "on 2029-01-01",
    ),
    "purpose twice": (("[official_statistics, disaster_response]", "[a, b, a]"), "terms.purposes", "names a twice"),
    "rows the wrong way round": (("[1000, 500000000]", "[10, 5]"), f"{DELIVERY}.rows_between", "the smaller first"),
    "between the wrong way round": (
        (DURATION, "{type: integer, treat: keep, between: [5, 0]}"),
        f"{COLUMN}.duration_s.between",
        "must be [lowest, highest]",
    ),
    "between open at both ends": (
        (DURATION, "{type: integer, treat: keep, between: [null, null]}"),
        f"{COLUMN}.duration_s.between",
        "null leaves one end open",
    ),
    "between of texts": (
        (DURATION, "{type: integer, treat: keep, between: [a, b]}"),
        f"{COLUMN}.duration_s.between",
        "must hold whole numbers",
    ),
    "between for text": (
        (KIND, "treat: keep, between: [1, 2]"),
        f"{COLUMN}.kind.between",
        "is for columns of numbers and times",
    ),
    "one_of of another type": ((KIND, "treat: keep, one_of: [call, 1.5]"), f"{COLUMN}.kind.one_of", "put it in quotes"),
    "one_of twice": ((KIND, "treat: keep, one_of: [call, call]"), f"{COLUMN}.kind.one_of", "names a value twice"),
    "pattern that is none": (
        (KIND, "treat: keep, matches: ⟦'(call'"),
        f"{COLUMN}.kind.matches",
        "is no regular expression of RE2",
    ),
    "pattern that RE2 has not": (
        (KIND, "treat: keep, matches: ⟦'(?=c)call'"),
        f"{COLUMN}.kind.matches",
        "no look-around",
    ),
    "pattern for a number": (
        (DURATION, "{type: integer, treat: keep, matches: ⟦x}"),
        f"{COLUMN}.duration_s.matches",
        "is for columns of type string",
    ),
    "time format for a number": (
        (DURATION, "{type: integer, treat: keep, parse: ⟦'%d'}"),
        f"{COLUMN}.duration_s.parse",
        "is for columns of type timestamp or date",
    ),
    "time format that is none": (
        (STARTED, "treat: {truncate_to: hour}, as: started_hour, parse: ⟦'%Q'"),
        f"{COLUMN}.started_at.parse",
        "must be a time format",
    ),
    "treatment for another type": (
        ("{type: integer,   treat: keep,", "{type: integer,   treat: ⟦scrub_text,"),
        f"{COLUMN}.duration_s.treat",
        "scrub_text is for columns of type string; this one is integer",
    ),
    "bands in disorder": (
        (DURATION, "{type: integer, treat: {band: [5, 1]}}"),
        f"{COLUMN}.duration_s.treat.band",
        "in ascending order",
    ),
    "rounding to nothing": (
        (DURATION, "{type: integer, treat: {round_to: ⟦0}}"),
        f"{COLUMN}.duration_s.treat.round_to",
        "must be more than 0",
    ),
    "lookup that is a number": (
        ("{lookup: cell_to_district}", "{lookup: ⟦5}"),
        f"{COLUMN}.cell_id.treat.lookup",
        "must be the name of a reference table",
    ),
    "encoding that is none": (
        (PERIOD, PERIOD + "      options: {encoding: ⟦klingon}\n"),
        f"{DELIVERY}.options.encoding",
        "is no encoding",
    ),
    "encoding that is code": (
        (PERIOD, PERIOD + "      options: {encoding: ⟦unicode_escape}\n"),
        f"{DELIVERY}.options.encoding",
        "is no encoding",
    ),
    "delimiter too long": (
        (PERIOD, PERIOD + "      options: {delimiter: ⟦'||'}\n"),
        f"{DELIVERY}.options.delimiter",
        "must hold at most 1 letters",
    ),
    "quote that is the delimiter": (
        (PERIOD, PERIOD + "      options: {delimiter: ';', quote: ⟦';'}\n"),
        f"{DELIVERY}.options.quote",
        "is the delimiter too",
    ),
    "option of another format": (
        (PERIOD, PERIOD + "      options: {sheet: ⟦Data}\n"),
        f"{DELIVERY}.options.sheet",
        "is for xlsx files",
    ),
    # paths
    "path that climbs": ((PATH, '⟦"../{period}/*.csv.gz"'), f"{DELIVERY}.source.path", "may not climb"),
    "path that climbs by a date": (
        (PATH, '⟦"a/{start:../}x.csv"'),
        f"{DELIVERY}.source.path",
        "may hold only {period}",
    ),
    "path that reads attributes": (
        (PATH, '⟦"{period.__class__}.csv"'),
        f"{DELIVERY}.source.path",
        "may hold only {period}",
    ),
    "path with another placeholder": ((PATH, '⟦"{day}.csv"'), f"{DELIVERY}.source.path", "may hold only {period}"),
    "path with an open brace": ((PATH, '⟦"{period.csv"'), f"{DELIVERY}.source.path", "brace that is not closed"),
    "path of Windows": ((PATH, "⟦'outbox\\{period}.csv'"), f"{DELIVERY}.source.path", "is written with '/'"),
    "path of a folder": ((PATH, '⟦"outbox/{period}/"'), f"{DELIVERY}.source.path", "may not end with '/'"),
    "path from the root": (
        (SOURCE, '{type: folder, path: ⟦"/etc/{period}"}'),
        f"{DELIVERY}.source.path",
        "starts inside the partner's folder",
    ),
    "path from home": (
        (SOURCE, '{type: folder, path: ⟦"~/x"}'),
        f"{DELIVERY}.source.path",
        "starts inside the partner's folder",
    ),
    "bucket that is none": (
        (SOURCE, '{type: s3, connection: c, bucket: ⟦A_B, path: "{period}"}'),
        f"{DELIVERY}.source.bucket",
        "is not written as it must be",
    ),
    "query without the period": (
        (SOURCE, "{type: sql, connection: c, query: ⟦SELECT 1}"),
        f"{DELIVERY}.source.query",
        "by :period_start and :period_end",
    ),
    "query that writes": (
        (SOURCE, "{type: sql, connection: c, query: ⟦DELETE FROM t WHERE d BETWEEN :period_start AND :period_end}"),
        f"{DELIVERY}.source.query",
        "must be one SELECT",
    ),
    "two queries": (
        (SOURCE, "{type: sql, connection: c, query: ⟦'SELECT :period_start; SELECT :period_end'}"),
        f"{DELIVERY}.source.query",
        "must be one SELECT",
    ),
    # parts that do not fit together
    "partner is not the file": (
        ("partner: example", "partner: ⟦pula_mobile"),
        "partner",
        "must be example, as the file is named",
    ),
    "by a column that is dropped": (
        ("by: [district, started_hour]", "by: [district, ⟦imei]"),
        f"{TABLE}.by.1",
        "imei is not a column that passes the gate",
    ),
    "by a column's arriving name": (
        ("by: [district, started_hour]", "by: [district, ⟦started_at]"),
        f"{TABLE}.by.1",
        "did you mean started_hour?",
    ),
    "by a column twice": (
        ("by: [district, started_hour]", "by: [district, district]"),
        f"{TABLE}.by",
        "names district twice",
    ),
    "contributor that is dropped": (
        ("contributor: msisdn", "contributor: ⟦imei"),
        f"{TABLE}.protect.contributor",
        "imei is not a column that passes the gate",
    ),
    "distinct of nothing": (
        ("{count_distinct: msisdn}", "{count_distinct: ⟦msisd}"),
        f"{TABLE}.measures.subscribers_count.count_distinct",
        "did you mean msisdn?",
    ),
    "dominance of nothing": (
        ("{n: 1, k_pct: 50}", "{n: 1, k_pct: 50, of: [⟦events]}"),
        f"{TABLE}.protect.dominance.of.0",
        "did you mean events_count?",
    ),
    "hierarchy of nothing": (
        ("{district: [country,", "{distric: [country,"),
        f"{TABLE}.hierarchy.distric",
        "did you mean district?",
    ),
    "hierarchy upside down": (
        ("[country, district]", "[district, country]"),
        f"{TABLE}.hierarchy.district",
        "from the widest to district itself",
    ),
    "recipient without terms": (
        ("recipients: [ministry_of_transport]", "recipients: [⟦ministry_of_health]"),
        f"{TABLE}.recipients.0",
        "is not one of terms.recipients",
    ),
    "reserved measure": (
        ("          events_count:", "          ⟦contributors_count:"),
        f"{TABLE}.measures.contributors_count",
        "is a column that every table has",
    ),
    "measure named as a column": (
        ("          events_count:      {count: rows}", "          ⟦district: {count: rows}"),
        f"{TABLE}.measures.district",
        "is the name of a column in `by` too",
    ),
    "two columns of one name": (
        ("as: district}", "as: started_hour}"),
        f"{COLUMN}.cell_id",
        "has the name of started_at after the gate",
    ),
    "period column that is dropped": (
        ("    tables:\n", "    rows: {period_column: ⟦kind}\n    tables:\n"),
        "feeds.events.rows.period_column",
        "kind is not an arriving column of type timestamp or date",
    ),
    "made from nothing": (
        ("      note:", "      hour: {type: timestamp, treat: keep, from: ⟦begun_at}\n      note:"),
        f"{COLUMN}.hour.from",
        "begun_at is not a column that arrives",
    ),
    "made from another type": (
        ("      note:", "      hour: {type: ⟦date, treat: keep, from: started_at}\n      note:"),
        f"{COLUMN}.hour.type",
        "is timestamp, as that of started_at",
    ),
    "rules of a made column": (
        ("      note:", "      n2: {type: string, treat: keep, from: note, required: ⟦false}\n      note:"),
        f"{COLUMN}.n2.required",
        "belongs to note, the column that arrives",
    ),
    "made to be dropped": (
        ("      note:", "      n2: {type: string, treat: ⟦drop, from: note}\n      note:"),
        f"{COLUMN}.n2.treat",
        "is drop",
    ),
    "name of a dropped column": (
        ("treat: drop}", "treat: drop, as: ⟦device}"),
        f"{COLUMN}.imei.as",
        "the column is dropped",
    ),
    "seconds since nothing": (
        ("      note:", "      s: {type: timestamp, treat: {seconds_since: ⟦kind}}\n      note:"),
        f"{COLUMN}.s.treat.seconds_since",
        "kind is not another arriving column of type timestamp",
    ),
    "weekdays of a month": (
        ("      period: day\n", "      period: month\n      weekdays: [monday]\n"),
        f"{DELIVERY}.weekdays",
        "is for daily feeds",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(mistake, tells):
    tells(*MISTAKES[mistake])
