"""Every kind of mistake in an agreement file: refused with the exact line, the place, plain words, and the choices."""

from __future__ import annotations

import pytest

MSISDN = "{type: string,    treat: pseudonym}"
STARTED = "treat: {truncate_to: hour},      as: started_hour"
DURATION = "{type: integer,   treat: keep, between: [0, 86400]}"
KIND = "treat: keep, one_of: [call, sms, data]"
SOURCE = '{type: sftp, connection: pula_mobile_sftp, path: "outbox/events/{period}/*.csv.gz"}'
FORMAT = "      format: csv                       # csv"
PERIOD = "      period: day\n"
CONTACTS = "contacts: {partner: data-desk@pula.example, steward: mobility@stats.example, dpo: dpo@stats.example}"
PURPOSES = "purposes: [official_statistics, disaster_response]"
PATH = '"outbox/events/{period}/*.csv.gz"'
ROWS = "rows_between: [1000, 500000000]"
EVENTS = "{count: rows}"
SUM = "{sum: duration_s}"
TABLE = "feeds.events.tables.active_subscribers_by_district_hour"
COLUMN, DELIVERY = "feeds.events.columns", "feeds.events.delivery"

MISTAKES = {
    # unknown, misspelt and repeated keys, at every depth
    "misspelt at the root": (("country:", "⟦county:"), "county", "is not a key here; did you mean country?"),
    "unknown at the root": (("country:", "⟦zzz: 1\ncountry:"), "zzz", "is not a key here"),
    "misspelt in terms": (("  raw_kept_days", "  ⟦raw_kept_day"), "terms.raw_kept_day", "did you mean raw_kept_days?"),
    "misspelt contact": (("steward: mob", "⟦stewart: mob"), "terms.contacts.stewart", "did you mean steward?"),
    "misspelt in a feed": (("    columns:", "    ⟦colums:"), "feeds.events.colums", "did you mean columns?"),
    "misspelt in a delivery": (("      schedule", "      ⟦scheduel"), f"{DELIVERY}.scheduel", "did you mean schedule?"),
    "misspelt in a source": (
        ("connection:", "⟦conection:"),
        f"{DELIVERY}.source.conection",
        "did you mean connection?",
    ),
    "misspelt type of a source": (("{type: sftp", "{⟦tipe: sftp"), f"{DELIVERY}.source.tipe", "did you mean type?"),
    "unknown option": (
        (PERIOD, PERIOD + '      options: {⟦delimeter: ";"}\n'),
        f"{DELIVERY}.options.delimeter",
        "did you mean delimiter?",
    ),
    "misspelt treat": ((MSISDN, "{type: string, ⟦treet: pseudonym}"), f"{COLUMN}.msisdn.treet", "did you mean treat?"),
    "misspelt as": (("as: district", "⟦az: district"), f"{COLUMN}.cell_id.az", "did you mean as?"),
    "misspelt treatment": (
        (STARTED, "treat: {⟦truncate_too: hour}, as: started_hour"),
        f"{COLUMN}.started_at.treat.truncate_too",
        "did you mean truncate_to?",
    ),
    "unknown beside a treatment": (
        (STARTED, "treat: {truncate_to: hour, ⟦first: 2}, as: started_hour"),
        f"{COLUMN}.started_at.treat.first",
        "is not a key here",
    ),
    "misspelt lookup": (
        ("{lookup: cell_to_district}", "{lookup: {⟦tabel: cells, value: district}}"),
        f"{COLUMN}.cell_id.treat.lookup.tabel",
        "did you mean table?",
    ),
    "misspelt in a table": (("        describe:", "        ⟦descibe:"), f"{TABLE}.descibe", "did you mean describe?"),
    "misspelt measure": ((EVENTS, "{⟦cuont: rows}"), f"{TABLE}.measures.events_count.cuont", "did you mean count?"),
    "unknown in a measure": (
        (SUM, "{sum: duration_s, ⟦filter: x > 1}"),
        f"{TABLE}.measures.duration_s_sum.filter",
        "is not a key here",
    ),
    "misspelt in ratio": (
        (SUM, "{ratio: {of: duration_s, ⟦ot: duration_s}}"),
        f"{TABLE}.measures.duration_s_sum.ratio.ot",
        "did you mean to?",
    ),
    "misspelt in protect": (
        ("min_contributors: 15", "⟦min_contributers: 15"),
        f"{TABLE}.protect.min_contributers",
        "did you mean min_contributors?",
    ),
    "misspelt in dominance": (("k_pct: 50", "⟦k_pc: 50"), f"{TABLE}.protect.dominance.k_pc", "did you mean k_pct?"),
    "repeated at the root": (
        ("terms:", "⟦country: UY\nterms:"),
        "country",
        "is written twice: here, and before on line 3",
    ),
    "repeated in a column": (
        (MSISDN, "{type: string, treat: pseudonym, ⟦treat: keep}"),
        f"{COLUMN}.msisdn.treat",
        "is written twice: here, and before on line 27",
    ),
    "repeated column": (
        ("      imei:  ", "      ⟦msisdn: {type: string, treat: keep}\n      imei:  "),
        f"{COLUMN}.msisdn",
        "is written twice",
    ),
    "repeated under another spelling": (
        ("      imei:  ", '      ⟦"msisdn": {type: string, treat: keep}\n      imei:  '),
        f"{COLUMN}.msisdn",
        "is written twice",
    ),
    "repeated feed": (("  events:\n", "  events: {}\n  ⟦events:\n"), "feeds.events", "is written twice"),
    "repeated in protect": (
        ("          round_to: 5", "          ⟦min_contributors: 1\n          round_to: 5"),
        f"{TABLE}.protect.min_contributors",
        "is written twice",
    ),
    # what is missing or empty
    "missing treat": (
        ("      msisdn:      " + MSISDN, "      ⟦msisdn:      {type: string}"),
        f"{COLUMN}.msisdn.treat",
        "is missing",
    ),
    "missing type": (
        ("      imei:        {type: string,    treat: drop}", "      ⟦imei: {treat: drop}"),
        f"{COLUMN}.imei.type",
        "is missing",
    ),
    "missing terms key": (('terms:\n  version: "1.2"\n', "⟦terms:\n"), "terms.version", "is missing"),
    "missing root key": (
        ("partner: example\nname: Pula Mobile (Pty) Ltd\n", "⟦partner: example\n"),
        "name",
        "is missing",
    ),
    "missing source type": (("source: {type: sftp, ", "⟦source: {"), f"{DELIVERY}.source.type", "is missing"),
    "missing protect": (
        (
            "        protect:\n          contributor: msisdn\n          min_contributors: 15\n"
            "          dominance: {n: 1, k_pct: 50}\n          round_to: 5\n",
            "",
        ),
        f"{TABLE}.protect",
        "is missing",
    ),
    "empty treat": ((MSISDN, "{type: string, treat: ⟦}"), f"{COLUMN}.msisdn.treat", "is empty"),
    "empty name": (("name: Pula Mobile (Pty) Ltd", "name:⟦"), "name", "is empty"),
    "blank name": (("Pula Mobile (Pty) Ltd", '⟦" "'), "name", "is empty"),
    # wrong types
    "text for a number": (
        ("raw_kept_days: 14", "raw_kept_days: ⟦two weeks"),
        "terms.raw_kept_days",
        "must be a whole number",
    ),
    "quoted number": (
        ("raw_kept_days: 14", 'raw_kept_days: ⟦"14"'),
        "terms.raw_kept_days",
        "must be a whole number, written with digits alone and without quotes",
    ),
    "number with underscores": (("[1000,", "[⟦1_000,"), f"{DELIVERY}.rows_between.0", "with digits alone"),
    "fraction for a whole number": (
        ("raw_kept_days: 14", "raw_kept_days: ⟦14.5"),
        "terms.raw_kept_days",
        "must be a whole number",
    ),
    "truth for a number": (
        ("raw_kept_days: 14", "raw_kept_days: ⟦true"),
        "terms.raw_kept_days",
        "must be a whole number",
    ),
    "number too small": (("raw_kept_days: 14", "raw_kept_days: ⟦-1"), "terms.raw_kept_days", "must be at least 0"),
    "number too large": (("raw_kept_days: 14", "raw_kept_days: ⟦4000"), "terms.raw_kept_days", "must be at most 3650"),
    "number for text": (("Pula Mobile (Pty) Ltd", "⟦5"), "name", "must be text: put it in quotes"),
    "list for text": (("name: Pula Mobile (Pty) Ltd", "⟦name: [a]"), "name", "must be text"),
    "text for a list": (
        ("by: [district, started_hour]", "by: ⟦district"),
        f"{TABLE}.by",
        "must be a list, such as [a, b]",
    ),
    "list of one for two": ((ROWS, "⟦rows_between: [1000]"), f"{DELIVERY}.rows_between", "must be a list of two"),
    "list of three for two": ((ROWS, "⟦rows_between: [1, 2, 3]"), f"{DELIVERY}.rows_between", "must hold at most 2"),
    "empty list": ((PURPOSES, "⟦purposes: []"), "terms.purposes", "must hold at least 1"),
    "text for a mapping": ((CONTACTS, "contacts: ⟦ask"), "terms.contacts", "must hold keys with values"),
    "yes for true": (
        ("required: false", "required: ⟦no"),
        f"{COLUMN}.note.required",
        "must be true or false (yes, no, on, off are texts here)",
    ),
    "not a day": (
        ("signed_on: 2026-03-01", "signed_on: ⟦1 March 2026"),
        "terms.signed_on",
        "must be a day, such as 2026-03-01",
    ),
    "no such day": (("signed_on: 2026-03-01", "signed_on: ⟦2026-02-30"), "terms.signed_on", "must be a day"),
    "number for a day": (("signed_on: 2026-03-01", "signed_on: ⟦20260301"), "terms.signed_on", "must be a day"),
    # values that are not among the choices
    "misspelt word": (
        (MSISDN, "{type: string, treat: ⟦pseudonim}"),
        f"{COLUMN}.msisdn.treat",
        "did you mean pseudonym?",
    ),
    "treatment without its value": (
        (STARTED, "treat: ⟦truncate_to, as: started_hour"),
        f"{COLUMN}.started_at.treat",
        "needs a value: {truncate_to: …}",
    ),
    "word with a value": (
        (MSISDN, "{type: string, treat: {⟦keep: true}}"),
        f"{COLUMN}.msisdn.treat.keep",
        "is written as a word here",
    ),
    "number for a treatment": (
        (MSISDN, "{type: string, treat: ⟦5}"),
        f"{COLUMN}.msisdn.treat",
        "must be one of the choices",
    ),
    "empty treatment": ((MSISDN, "{type: string, ⟦treat: {}}"), f"{COLUMN}.msisdn.treat", "must be one of the choices"),
    "misspelt type": (("{type: integer,", "{type: ⟦interger,"), f"{COLUMN}.duration_s.type", "did you mean integer?"),
    "misspelt unit": (
        ("{truncate_to: hour}", "{truncate_to: ⟦hours}"),
        f"{COLUMN}.started_at.treat.truncate_to",
        "did you mean hour?",
    ),
    "misspelt source": (("type: sftp", "type: ⟦sfpt"), f"{DELIVERY}.source.type", "did you mean sftp?"),
    "misspelt format": (("format: csv ", "format: ⟦cvs "), f"{DELIVERY}.format", "did you mean csv?"),
    "bad period": (("period: day", "period: ⟦fortnight"), f"{DELIVERY}.period", "is not one of the choices"),
    "count of a column": (
        (EVENTS, "{count: ⟦msisdn}"),
        f"{TABLE}.measures.events_count.count",
        "is not one of the choices",
    ),
    "text for a measure": ((EVENTS, "⟦count"), f"{TABLE}.measures.events_count", "must be one of the choices"),
    "unknown language": (("country: BW", "country: BW\nlanguage: ⟦tn"), "language", "is not one of the choices"),
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
    "hour of a date": (
        ("{type: timestamp, treat: {truncate_to: hour}", "{type: date, treat: {truncate_to: hour}"),
        f"{COLUMN}.started_at.treat",
        "a date has no hour",
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
def test_a_mistake_is_told_with_its_place(mistake, with_mistake, problems_of):
    change, place, message = MISTAKES[mistake]
    text, mark = with_mistake(change)
    told = [problem for problem in problems_of(text) if problem.place == place]
    assert len(told) == 1, problems_of(text)
    assert message in told[0].message
    if "⟦" in change[1]:
        assert (told[0].line, told[0].column) == mark
