"""Reading agreement files: what a good one becomes, files that are no YAML, all errors at once, folders of files."""

from __future__ import annotations

import hashlib
import pickle
import time
from datetime import date, datetime
from pathlib import Path

import pytest

from acequia.agreement.load import AgreementInvalid, Broken, Signed, find, load, load_all
from acequia.agreement.tables import CountDistinct
from acequia.errors import AcequiaError

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
FILES = sorted([*(PROJECT / "config/partners").glob("*.yaml"), *PROJECT.glob("tests/**/partners/*.yaml")])


def test_the_example_of_the_design_is_read_as_written():
    signed = load(HERE / "example.yaml")
    agreement = signed.agreement
    assert signed.sha256 == hashlib.sha256(signed.path.read_bytes()).hexdigest()
    assert (agreement.terms.signed_on, agreement.terms.expires_on) == (date(2026, 3, 1), date(2028, 2, 29))
    assert agreement.terms.purposes == ("official_statistics", "disaster_response")
    feed = agreement.feed("events")
    assert feed.columns["note"].may_be_null
    assert list(feed.kept) == ["msisdn", "started_hour", "district", "duration_s", "kind", "note"]
    table = feed.tables["active_subscribers_by_district_hour"]
    assert table.measures["subscribers_count"] == CountDistinct(count_distinct="msisdn")
    assert table.hierarchy == {"district": ("country", "district")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_agreement_of_the_project_can_be_read(path):
    assert load(path).agreement.partner == path.stem


def test_an_agreement_can_be_written_and_read_again():
    agreement = load(HERE / "example.yaml").agreement
    assert pickle.loads(pickle.dumps(agreement)) == agreement
    assert hash(agreement.feeds["events"].delivery) == hash(
        load(HERE / "example.yaml").agreement.feeds["events"].delivery
    )
    with pytest.raises(Exception, match="frozen"):
        agreement.terms.raw_kept_days = 1000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("signed_on: 2026-03-01", 'signed_on: "2026-03-01"'),
        ('version: "1.2"', "version: 1.10"),
        ("country: BW", "country: NO"),
        ("[call, sms, data]", "[yes, no, on]"),
        ("{count: rows}", "{ratio: {of: duration_s, to: 1}}"),
        ("      imei:  ", "      123: {type: string, treat: drop}\n      imei:  "),
        ("      imei:  ", "      no: {type: string, treat: drop}\n      imei:  "),
        ("      imei:  ", "      Número de teléfono: {type: string, treat: drop}\n      imei:  "),
        ("{type: sftp, connection: pula_mobile_sftp,", "{type: folder,"),
        ('"outbox/events/{period}/*.csv.gz"', '"y={start:%Y/%m}/{start:%d}_{last:%j}.csv"'),
        ('"0 6 * * *"', '"0 6 * * MON-FRI"'),
        ("period: day", "period: day\n      options: {delimiter: '\t', quote: \"'\", null_values: ['', NA, -1]}"),
        ("{n: 1, k_pct: 50}", "{n: 1, k_pct: 33.3, of: [duration_s_sum, events_count]}"),
        ("between: [0, 86400]", "between: [null, 86400]"),
        ("treat: keep, between: [0, 86400]", "treat: &kept keep, between: [0, 86400], describe: *kept"),
        ("partner: example", "---\npartner: example"),
        ("partner: example", "%YAML 1.2\n---\npartner: example"),
        ("partner: example", "\ufeffpartner: example"),
        ("by: [district, started_hour]", "by: [started_hour]"),
    ],
)
def test_other_ways_of_writing_that_are_fine(example, problems_of, old, new):
    text = example.replace(old, new, 1)
    if new == "by: [started_hour]":
        text = text.replace("        hierarchy: {district: [country, district]}", "")
    assert text != example
    assert problems_of(text) == ()
    assert problems_of(text.replace("\n", "\r\n")) == ()


def loaded(tmp_path: Path, text: str):
    (tmp_path / "example.yaml").write_text(text, encoding="utf-8")
    return load(tmp_path / "example.yaml").agreement


def test_values_become_what_the_column_is(example, tmp_path):
    text = example.replace(
        "      note:",
        "      a: {type: date, treat: keep, between: [2026-01-01, 2026-12-31]}\n"
        "      b: {type: timestamp, treat: keep, between: [2026-01-01, '2026-01-02 03:04:05']}\n"
        "      c: {type: integer, treat: keep, one_of: [1, 2.0]}\n"
        "      d: {type: string, treat: keep, one_of: [1, 007, 'x']}\n"
        "      e: {type: boolean, treat: keep, one_of: [true]}\n"
        "      note:",
    ).replace('version: "1.2"', "version: 1.10")
    agreement = loaded(tmp_path, text)
    columns = agreement.feed("events").columns
    assert columns["a"].between == (date(2026, 1, 1), date(2026, 12, 31))
    assert columns["b"].between == tuple(map(datetime.fromisoformat, ("2026-01-01", "2026-01-02 03:04:05")))
    assert columns["c"].one_of == (1, 2)
    assert columns["d"].one_of == ("1", "007", "x")
    assert columns["e"].one_of == (True,)
    assert agreement.terms.version == "1.10"


def bomb() -> str:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join(levels)


UNREADABLE = {
    "nothing": (b"", 1, 1, "the file is empty"),
    "only a comment": (b"# nothing\n", 1, 1, "the file is empty"),
    "a list": (b"- a\n", 1, 1, "does not hold keys with values"),
    "a word": (b"agreement\n", 1, 1, "does not hold keys with values"),
    "latin-1": ("name: ok\npartner: Se\xf1or\n".encode("latin-1"), 2, 12, "is not UTF-8"),
    "utf-16": ("partner: x".encode("utf-16"), 1, 1, "is not UTF-8"),
    "a zero byte": (b"a: 1\nb: \x00\n", 2, 4, "cannot be seen"),
    "a mark that turns the text": ("a: \u202ekeep\n".encode(), 1, 4, "cannot be seen"),
    "too large": (b"# " + b"x" * 1_000_000, 1, 1, "larger than 1,000,000 bytes"),
    "tab at the start of a line": (b"a:\n\tb: 1\n", 2, 1, "indented with a tab"),
    "tab after spaces": (b"a:\n  b: 1\n \tc: 2\n", 3, 2, "indented with a tab"),
    "two documents": (b"a: 1\n---\nb: 2\n", 2, 1, "a second document"),
    "colon in a text": (b"a: b: c\n", 1, 5, "needs quotes"),
    "open bracket": (b"a: [1, 2\nb: 3\n", 2, 2, "closing bracket"),
    "open quote": (b"a: 'x\nb: 3\n", 3, 1, "opened and not closed"),
    "crooked indentation": (b"a:\n  b: 1\n c: 2\n", 3, 2, "indentation"),
    "at sign": (b"a: @x\n", 1, 4, "needs quotes"),
    "star": (b"path: *.csv\n", 1, 8, "begins with * "),
    "backslash": (b'a: "\\d"\n', 1, 5, "single quotes"),
    "alias of nothing": (b"a: *b\n", 1, 4, "the anchor (&) is missing"),
    "alias of itself": (b"a: &a [*a]\n", 1, 8, "still open"),
    "merge key": (b"a: &a {x: 1}\nb:\n  <<: *a\n", 3, 3, "merge keys"),
    "tag": (b"a: !!python/object/apply:os.system [ls]\n", 1, 4, "tags"),
    "tag of a text": (b"a: !!str 1\n", 1, 4, "tags"),
    "key that is a list": (b"? [a, b]\n: 1\n", 1, 3, "a key is a plain name"),
    "key that is an alias": (b"a: &a x\n*a : 1\n", 2, 1, "a key is a plain name"),
    "deep flow": (b"a: " + b"[" * 100_000, 1, 33, "more than 30 levels"),
    "deep block": (b"\n".join(b" " * n + b"a:" for n in range(500)), 31, 31, "more than 30 levels"),
    "alias bomb": (bomb().encode(), 6, None, "more than 200,000 values"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_at_once_and_says_where(kind, problems_of):
    raw, line, column, message = UNREADABLE[kind]
    started = time.monotonic()
    told = problems_of(raw)
    assert time.monotonic() - started < 2
    assert len(told) == 1
    assert message in told[0].message
    assert told[0].line == line
    assert column in (None, told[0].column)


def test_a_place_is_given_inside_lists_and_mappings(problems_of):
    (told,) = problems_of("a:\n  b:\n    - x\n    - {c: !y z}\n")
    assert told.place == "a.b.1.c"


def test_every_error_is_told_at_once(with_mistake, problems_of):
    text, _ = with_mistake(
        ("country: BW", "country: Botswana\ncolour: red"),
        ("raw_kept_days: 14", "raw_kept_days: many"),
        ("expires_on: 2028-02-29", "expires_on: 2020-01-01"),
        ("format: csv ", "format: cvs "),
        ("{type: string,    treat: drop}", "{type: string, treat: drop, treat: keep}"),
        ("{lookup: cell_to_district}, as: district", "{lookup: cell_to_district}, az: district"),
        ("treat: keep, between", "treta: keep, between"),
        ("by: [district, started_hour]", "by: [district, kund]"),
        ("{count: rows}", "{cuont: rows}"),
        ("contributor: msisdn", "contributor: imey"),
        ("recipients: [ministry_of_transport]\n", "recipients: [ministry]\n"),
    )
    table = "feeds.events.tables.active_subscribers_by_district_hour"
    assert [problem.place for problem in problems_of(text)] == [
        "country",
        "colour",
        "terms.expires_on",
        "terms.raw_kept_days",
        "feeds.events.delivery.format",
        "feeds.events.columns.imei.treat",
        "feeds.events.columns.cell_id.az",
        "feeds.events.columns.duration_s.treta",
        f"{table}.by.1",
        f"{table}.measures.events_count.cuont",
        f"{table}.protect.contributor",
        f"{table}.recipients.0",
    ]


def test_a_column_that_is_broken_is_given_the_benefit_of_the_doubt(with_mistake, problems_of):
    """`district` is named by `az`, a slip of `as`: that the table groups by it is no second error."""
    text, _ = with_mistake(("as: district", "az: district"))
    assert [problem.place for problem in problems_of(text)] == ["feeds.events.columns.cell_id.az"]


@pytest.mark.parametrize("recipients", ["[null]", "[5]", "5", "{a: b}", "null", "[[a]]"])
def test_parts_that_are_no_names_are_not_compared(recipients, with_mistake, problems_of):
    text, _ = with_mistake(("recipients: [ministry_of_transport, statistics_office]", f"recipients: {recipients}"))
    assert [problem.place.partition(".0")[0] for problem in problems_of(text)] == ["terms.recipients"]


def test_tables_of_one_name_in_two_feeds(example, problems_of):
    feed = example.partition("feeds:\n")[2]
    (told,) = problems_of(example + feed.replace("  events:", "  copies:", 1))
    assert told.place == "feeds.copies.tables.active_subscribers_by_district_hour"
    assert "is the name of a table of events too" in told.message
    assert told.line == example.count("\n") + 21


def test_other_misfits_between_parts(with_mistake, problems_of):
    def places(*pairs: tuple[str, str]) -> list[str]:
        return [
            problem.place.rpartition("active_subscribers_by_district_hour.")[2]
            for problem in problems_of(with_mistake(*pairs)[0])
        ]

    assert places(("period: day", "period: month"), ("        by:", "        over: month\n        by:")) == ["over"]
    assert places(("as: district}", "as: period}"), ("[district, started_hour]", "[period, started_hour]"),
                  ("hierarchy: {district: [country, district]}", "")) == ["by.0"]  # fmt: skip
    assert places(("type: sftp", "type: https")) == []
    assert places(("type: sftp", "type: https"), ("manifest: required", "manifest: none")) == [
        "feeds.events.delivery.manifest"
    ]
    assert places(("      imei:  ", "      MSISDN: {type: string, treat: drop}\n      imei:  ")) == [
        "feeds.events.columns.MSISDN"
    ]
    sql = "{type: sql, connection: c, query: 'SELECT a FROM t WHERE d >= :period_start AND d < :period_end'}"
    source = '{type: sftp, connection: pula_mobile_sftp, path: "outbox/events/{period}/*.csv.gz"}'
    assert places((source, sql)) == ["feeds.events.delivery.format", "feeds.events.delivery.manifest"]


def test_all_columns_dropped(example, problems_of):
    text = example
    for treat in (
        "pseudonym",
        "{truncate_to: hour},      as: started_hour",
        "{lookup: cell_to_district}, as: district",
        "keep",
        "keep",
        "scrub_text",
    ):
        text = text.replace(f"treat: {treat}", "treat: drop", 1)
    assert any(told.place == "feeds.events.columns" and "are all dropped" in told.message for told in problems_of(text))


def test_the_error_as_text_and_as_data(with_mistake, tmp_path):
    text, _ = with_mistake(("treat: pseudonym", "treet: pseudonym"), ("country: BW", "country: Bw"))
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AgreementInvalid) as refused:
        load(path)
    error = refused.value
    assert (error.code, error.exit_code, error.who_acts, error.retryable) == ("agreement_invalid", 3, "engineer", False)
    assert error.what.splitlines() == [
        "example.yaml is not a valid agreement:",
        "  line 3:10  country: must be two capital letters of ISO 3166, such as BW or UY",
        "  line 27:38  feeds.events.columns.msisdn.treet: is not a key here; did you mean treat? (choices: type, "
        "treat, as, from, required, nullable, between, one_of, matches, parse, describe, unit, "
        "holds, keep_because, may_hold)",
    ]
    row = error.problems[1].as_row()
    assert (row["line"], row["column"], row["place"]) == (27, 38, "feeds.events.columns.msisdn.treet")
    assert "treat" in row["choices"]
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, again.what, again.code) == (error.problems, error.what, error.code)
    assert isinstance(error, AcequiaError)


def test_values_are_not_repeated(example, tmp_path):
    """A password pasted into the wrong place must not end in a log."""
    secret = "hunter2-hunter2"
    path = tmp_path / "example.yaml"
    for old, new in (
        ("country: BW", f"country: {secret}"),
        ("country: BW", f"country: BW\npassword: {secret}"),
        ("format: csv ", f"format: {secret} "),
        ("type: sftp", f"type: {secret}"),
        ("treat: pseudonym", f"treat: {{lookup: [{secret}]}}"),
        ("raw_kept_days: 14", f"raw_kept_days: {secret}"),
        ("timezone: Africa/Gaborone", f"timezone: {secret}"),
        ('"0 6 * * *"', secret),
        ('"outbox/events/{period}/*.csv.gz"', f'"../{secret}"'),
        ("name: Pula", f"name: '{secret}\n"),
    ):
        path.write_text(example.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(AgreementInvalid) as refused:
            load(path)
        assert secret not in str(refused.value)


def test_many_errors_are_listed_up_to_a_hundred(example, problems_of, tmp_path):
    many = "".join(f"key{n}: 1\n" for n in range(150))
    assert len(problems_of(example + many)) == 150
    with pytest.raises(AgreementInvalid) as refused:
        load(tmp_path / "example.yaml")
    assert refused.value.what.count("\n") == 101
    assert refused.value.what.endswith("  and 50 more")


def test_long_and_odd_keys_are_shown_short(example, problems_of):
    (long,) = problems_of(example + f"{'x' * 300}: 1\n")
    assert len(long.place) == 58
    (odd,) = problems_of(example + '"a\\nb\\u200b": 1\n')
    assert odd.place == "a\\nb\\u200b"


def test_a_large_agreement_is_read_in_good_time(example, tmp_path):
    columns = "".join(f"      c{n}: {{type: string, treat: pseudonym, one_of: [a, b, c]}}\n" for n in range(1900))
    path = tmp_path / "example.yaml"
    path.write_text(example.replace("      imei:", columns + "      imei:"), encoding="utf-8")
    started = time.monotonic()
    assert len(load(path).agreement.feed("events").columns) == 1907
    assert time.monotonic() - started < 5


@pytest.fixture
def folder(tmp_path, example) -> Path:
    folder = tmp_path / "partners"
    folder.mkdir()
    for name in ("beta", "alpha"):
        (folder / f"{name}.yaml").write_text(example.replace("partner: example", f"partner: {name}"), encoding="utf-8")
    return folder


def test_one_broken_file_harms_no_other(folder):
    (folder / "broken.yaml").write_text("a: [", encoding="utf-8")
    (folder / "gamma.yml").write_text((folder / "alpha.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "lost.yaml").symlink_to(folder / "nowhere")
    (folder / "folder.yaml").mkdir()
    (folder / ".alpha.yaml.swp").write_text("x", encoding="utf-8")
    (folder / ".hidden.yaml").write_text("x", encoding="utf-8")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    found = load_all(folder)
    assert [(type(one), one.path.name) for one in found] == [
        (Signed, "alpha.yaml"),
        (Signed, "beta.yaml"),
        (Broken, "broken.yaml"),
        (Broken, "folder.yaml"),
        (Broken, "gamma.yml"),
        (Broken, "lost.yaml"),
    ]
    path, error = found[2]
    assert (path.name, error.code) == ("broken.yaml", "agreement_invalid")
    assert "must end in .yaml" in found[4].error.what


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(AcequiaError) as refused:
        load_all(tmp_path / "none")
    assert refused.value.code == "usage"


def test_a_partner_is_found_by_name(folder):
    assert find(folder, "beta").agreement.partner == "beta"


@pytest.mark.parametrize(
    "name",
    [
        "gamma",
        "",
        ".",
        "..",
        "../partners/alpha",
        "alpha\n",
        "alpha.yaml",
        "Alpha",
        "/etc/passwd",
        "a/../alpha",
        "alpha\0",
    ],
)
def test_what_is_no_partner_is_answered_with_those_that_are(folder, name):
    with pytest.raises(AcequiaError, match="there are alpha, beta") as refused:
        find(folder, name)
    assert refused.value.code == "unknown_name"


def test_a_broken_partner_is_found_broken(folder):
    (folder / "alpha.yaml").write_text("partner: alpha\n", encoding="utf-8")
    with pytest.raises(AgreementInvalid, match=r"alpha\.yaml is not a valid agreement"):
        find(folder, "alpha")


def test_a_partner_of_no_folder(tmp_path):
    with pytest.raises(AcequiaError, match="there are none"):
        find(tmp_path / "none", "alpha")
