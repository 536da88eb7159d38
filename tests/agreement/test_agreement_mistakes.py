"""Keys, types and choices written wrongly: refused with the exact line, the place, plain words, and the choices."""

from __future__ import annotations

import pytest

MSISDN = "{type: string,    treat: pseudonym}"
STARTED = "treat: {truncate_to: hour},      as: started_hour"
PERIOD = "      period: day\n"
CONTACTS = "contacts: {partner: data-desk@pula.example, steward: mobility@stats.example, dpo: dpo@stats.example}"
PURPOSES = "purposes: [official_statistics, disaster_response]"
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
    "a measure that no rule protects": (
        (SUM, "{max: ⟦duration_s}"),
        f"{TABLE}.measures.duration_s_sum.max",
        "which no rule can protect",
    ),
    "a further unit that no column tells": (
        (
            "min_contributors: 15",
            "min_contributors: 15\n          also: [{contributor: ⟦operator, min_contributors: 3}]",
        ),
        f"{TABLE}.protect.also.0.contributor",
        "is not a column that passes the gate",
    ),
    "unknown rule": (
        ("min_contributors: 15", "min_contributors: 15\n          ⟦k_anonymity: 5"),
        f"{TABLE}.protect.k_anonymity",
        "is not a key here",
    ),
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
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(mistake, tells):
    tells(*MISTAKES[mistake])
