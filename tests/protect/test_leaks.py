"""The leak scan: what it refuses, what it lets pass, and that it never says a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acequia.agreement.model import Feed
from acequia.agreement.privacy import Privacy
from acequia.errors import REFUSED, AcequiaError
from acequia.flow import Scanned
from acequia.protect.sightings import STOPPED_FOR, kinds_of_digits, kinds_of_values
from acequia.protect.whole_numbers import is_card, is_cedula, is_mobile, is_omang, is_rut, kind_of_column
from tests.protect.conftest import Through

KEPT = {"type": "string", "treat": "keep", "required": False}
Make = Callable[..., Feed]
Gate = Callable[..., Through]


def lines(column: str, *values: object) -> bytes:
    return "\n".join([column, *map(str, values)]).encode()


def private(feed: Feed, **privacy: Any) -> Feed:
    return feed.model_copy(update={"privacy": Privacy(**privacy)})


def cedulas(many: int, first: int = 7_100_000) -> list[int]:
    return [
        seven * 10 + next(digit for digit in range(10) if is_cedula(str(seven * 10 + digit)))
        for seven in range(first, first + many * 37, 37)
    ]


def test_one_phone_refuses_the_delivery(feed: Make, gate: Gate) -> None:
    values = [*(f"shelf {n}" for n in range(99)), "71 123 456"]
    with pytest.raises(AcequiaError) as refused:
        gate(feed({"remark": KEPT}), lines("remark", *values))
    error = refused.value
    assert (error.code, error.exit_code) == ("personal_data_found", REFUSED)
    assert error.what == "columns that are kept hold personal data: remark: telephone numbers in 1 of 100 rows"
    assert "123" not in str(error)


def test_nothing_reaches_workspace_or_landing_when_refused(feed: Make, gate: Gate, tmp_path: Any) -> None:
    columns = {"remark": KEPT, "n": {"type": "integer", "treat": "keep"}}
    with pytest.raises(AcequiaError):
        gate(feed(columns), b"remark,n\n71123456,1\nshelf,x\n")
    assert not (tmp_path / "workspace").exists()
    assert not list((tmp_path / "landing").rglob("_set_aside*"))


def test_every_column_is_told_at_once(feed: Make, gate: Gate) -> None:
    content = b"a,b,c\n71123456,shelf,mpho@example.com\n71123457,shelf,shelf\n"
    with pytest.raises(AcequiaError) as refused:
        gate(feed({"a": KEPT, "b": KEPT, "c": KEPT}), content)
    assert "a: telephone numbers in 2 of 2 rows; c: e-mail addresses in 1 of 2 rows" in refused.value.what


def test_rows_count_and_not_distinct_values(feed: Make, gate: Gate) -> None:
    agreed = private(feed({"remark": KEPT}), leaks_at_most_pct=1)
    rare = lines("remark", *["shelf"] * 99, "71123456")
    assert gate(agreed, rare).protected.scanned == (
        Scanned(column="remark", kind="phone", rows=1, of=100, tolerated=True),
    )
    with pytest.raises(AcequiaError, match="in 2 of 100 rows"):
        gate(agreed, lines("remark", *["shelf"] * 98, "71123456", "71123456"))


def test_null_is_no_row(feed: Make, gate: Gate) -> None:
    agreed = private(feed({"remark": KEPT, "n": {"type": "integer", "treat": "keep"}}), leaks_at_most_pct=40)
    content = "remark,n\n71123456,1\nshelf,2\n" + ",3\n" * 10
    with pytest.raises(AcequiaError, match="in 1 of 2 rows"):
        gate(agreed, content.encode())


def test_names_have_a_tolerance_of_their_own(feed: Make, gate: Gate) -> None:
    agreed = feed({"remark": KEPT})
    few = lines("remark", *(f"shelf {n}" for n in range(95)), *["Kagiso Mobokwanelo"] * 5)
    assert gate(agreed, few).protected.scanned[0].kind == "name"
    with pytest.raises(AcequiaError, match="remark: names of people in 6 of 100 rows"):
        gate(agreed, lines("remark", *(f"shelf {n}" for n in range(94)), *["Kagiso Mobokwanelo"] * 6))
    with pytest.raises(AcequiaError, match="names of people in 5 of 100 rows"):
        gate(private(agreed, names_at_most_pct=4), few)


def test_what_a_column_may_hold_passes(feed: Make, gate: Gate) -> None:
    may = {**KEPT, "may_hold": ("phone",), "keep_because": "numbers of shops' switchboards"}
    through = gate(feed({"line": may}), lines("line", "71123456", "71123457"))
    assert through.column("line") == ["71123456", "71123457"]
    assert through.protected.scanned == (Scanned(column="line", kind="phone", rows=2, of=2, tolerated=True),)
    with pytest.raises(AcequiaError, match="line: e-mail addresses in 1 of 2 rows"):
        gate(feed({"line": may}), lines("line", "71123456", "mpho@example.com"))


def test_what_a_column_is_kept_for_passes(feed: Make, gate: Gate) -> None:
    kept = {**KEPT, "holds": "phone", "keep_because": "switchboards of offices, which are in the telephone book"}
    assert gate(feed({"line": kept}), lines("line", "71123456")).protected.scanned[0].tolerated


def test_names_that_the_agreement_lists_pass_and_numbers_do_not(feed: Make, gate: Gate) -> None:
    listed = {**KEPT, "one_of": ("Kagiso Mobokwanelo", "71123456")}
    assert gate(feed({"who": listed}), lines("who", "Kagiso Mobokwanelo")).protected.scanned[0].tolerated
    with pytest.raises(AcequiaError, match="telephone"):
        gate(feed({"who": listed}), lines("who", "71123456"))


@pytest.mark.parametrize("treat", ["pseudonym", "drop", {"lookup": "shops"}])
def test_what_the_gate_makes_itself_is_not_read(feed: Make, gate: Gate, treat: Any) -> None:
    columns = {"a": {"type": "string", "treat": treat}, "b": KEPT}
    through = gate(feed(columns), b"a,b\n71123456,x\n", references={"shops": "shop,name\n71123456,26771123456\n"})
    assert through.protected.scanned == ()


def test_first_characters_are_read(feed: Make, gate: Gate) -> None:
    with pytest.raises(AcequiaError, match="remark: telephone numbers"):
        gate(feed({"remark": {**KEPT, "treat": {"first": 10}}}), lines("remark", "71123456 please"))
    assert gate(feed({"remark": {**KEPT, "treat": {"first": 4}}}), lines("remark", "71123456")).column("remark") == [
        "7112"
    ]


def test_scrubbed_text_holds_nothing_more(feed: Make, gate: Gate) -> None:
    through = gate(
        feed({"note": {**KEPT, "treat": "scrub_text"}}), lines("note", "call 71 123 456 or mpho@example.com")
    )
    assert through.protected.scanned == ()


def test_scrubbed_text_that_still_holds_something_refuses(
    feed: Make, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the scrubber had failed: the scan is the second look."""
    monkeypatch.setattr("acequia.protect.scrub.scrub_texts", lambda values, **_: values)
    with pytest.raises(AcequiaError, match="note: telephone numbers in 1 of 2 rows"):
        gate(feed({"note": {**KEPT, "treat": "scrub_text"}}), lines("note", "call 71 123 456", "shelf"))


def test_an_engine_that_fails_stops_and_says_no_value(feed: Make, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("71123456")

    monkeypatch.setattr("acequia.protect.leaks.kinds_of_values", broken)
    with pytest.raises(AcequiaError) as stopped:
        gate(feed({"remark": KEPT}), lines("remark", "71123456"))
    assert stopped.value.code == "engine_failed"
    assert "71123456" not in str(stopped.value)
    assert stopped.value.__cause__ is None


NUMBERS: Mapping[str, tuple[str, list[int]]] = {
    "identity documents": ("UY", cedulas(40)),
    "telephone numbers": ("BW", list(range(71_000_003, 71_900_000, 22_501))),
    "telephone numbers, some at home": (
        "BW",
        [*range(71_000_003, 71_400_000, 22_501), *range(3_900_003, 3_999_000, 2_501)],
    ),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_column_of_whole_numbers_that_are_documents_refuses(feed: Make, gate: Gate, kind: str) -> None:
    country, values = NUMBERS[kind]
    for column in ({"type": "integer"}, {"type": "number"}):
        agreed = feed({"code": {**column, "treat": "keep"}})
        with pytest.raises(
            AcequiaError, match=f"code: {kind.partition(chr(44))[0]} in {len(values)} of {len(values)} rows"
        ):
            gate(agreed, lines("code", *values), country=country)
    may = {"type": "integer", "treat": "keep", "keep_because": "shops", "may_hold": ("national_id", "phone")}
    assert gate(feed({"code": may}), lines("code", *values), country=country).protected.scanned[0].tolerated


def test_zeros_and_negative_numbers_hide_no_column_of_documents(feed: Make, gate: Gate) -> None:
    values = [*cedulas(30), *[0] * 60, -1, -1_234_567]
    for kind in ("integer", "number"):
        agreed = feed({"code": {"type": kind, "treat": "keep"}})
        with pytest.raises(AcequiaError, match="code: identity documents in 30 of 30 rows"):
            gate(agreed, lines("code", *values), country="UY")
        assert gate(agreed, lines("code", 0, 0, -5), country="UY").protected.scanned == ()


@pytest.mark.parametrize("country", ["BW", "UY", "GB", "US", "XX"])
def test_ordinary_numbers_pass(feed: Make, gate: Gate, country: str) -> None:
    columns = {name: {"type": "integer", "treat": "keep"} for name in ("amount", "row", "large", "day")}
    rows = [(n * 7919 % 100_000, 5_000_000 + n, 10**11 + n * 104_729, 20_261_100 + n % 30) for n in range(200)]
    content = "amount,row,large,day\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    assert gate(feed(columns), content.encode(), country=country).protected.scanned == ()


def test_a_number_split_over_two_columns_refuses(feed: Make, gate: Gate) -> None:
    pairs = [(71 + n % 5, f"{n * 7919 % 1_000_000:06d}") for n in range(60)]
    content = "a,b\n" + "".join(f"{one},{other}\n" for one, other in pairs)
    with pytest.raises(AcequiaError, match="a and b, put together: telephone numbers in 60 of 60 rows"):
        gate(feed({"a": KEPT, "b": KEPT}), content.encode())


def test_two_columns_of_codes_pass(feed: Make, gate: Gate) -> None:
    content = "a,b\n" + "".join(f"{n % 40},{n * 7919 % 1_000_000:06d}\n" for n in range(400))
    assert gate(feed({"a": KEPT, "b": KEPT}), content.encode()).protected.scanned == ()


INNOCENT = {
    ("en", "GB"): ["C536379", "536365", "85123A", "POST", "DOT", "gift_0001_40", "BANK CHARGES", "EIRE",
                   "United Kingdom", "Channel Islands", "RSA", "WHITE HANGING HEART T-LIGHT HOLDER",
                   "SET 7 BABUSHKA NESTING BOXES"],
    ("en", "BW"): ["Gaborone", "Selebi-Phikwe", "South-East", "CE-012", "GC-101", "2026-11-10", "2026-11-10 06:30:00",
                   "3f2b8c1e-7112-4456-a123-71123456abcd", "9f86d081884c7d659a2feaa0c55ad015", "wrong number", "ST-01"],
    ("es", "UY"): ["San José", "Rivera", "Artigas", "Florida", "Treinta y Tres", "Cerro Largo", "Río Negro", "Paysandú",
                   "Santa Lucía", "7730123456789", "7790070410238", "4006381333931", "Yerba Canarias 1 kg",
                   "Supermercados Rambla S.A.", "01.1.1", "INV-2026-000123", "FAC-2026/17", "NOV 2026", "ene-2026",
                   "18 de Julio 2112", "https://shop.example/p/21550?ref=mail", "12345678.0", "1.5E7"],
}  # fmt: skip


@pytest.mark.parametrize(("language", "country"), INNOCENT)
def test_codes_places_and_products_are_nobody(language: str, country: str) -> None:
    values = INNOCENT[language, country]
    found = kinds_of_values(values, language=language, country=country)
    assert [(value, kinds) for value, kinds in zip(values, found, strict=True) if kinds & STOPPED_FOR] == []


GUILTY = {
    ("en", "BW"): {
        "phone": ["71123456", "71 123 456", "+267 71 123 456", "0026771123456", "3901234", "tel71123456", "７１１２３４５６",  # noqa: E501
                  "71123456.0", "7.1123456E7", "7.1123456E+07"],
        "national_id": ["123412349", "1234 1 2349", "123412349.0"],
        "email": ["mpho@example.com", "MPHO@EXAMPLE.COM", "x <mpho.k@example.co.bw>"],
        "name": ["Kagiso Mobokwanelo", "MOBOKWANELO, KAGISO", "kagiso mobokwanelo", "Mr Xzyqwert"],
        "card": ["4111 1111 1111 1111", "4111111111111111"],
        "ip": ["10.20.30.40"],
    },
    ("es", "UY"): {
        "phone": ["099 123 456", "99123456", "+598 99 123 456", "2901 2345"],
        "national_id": ["1.234.567-2", "12345672", "1234567-2", "12345672.0"],
        "plate": ["SBA 1234", "SBA-1234"],
        "name": ["María Fernández", "Tomás Echagoiturri"],
    },
    ("en", "GB"): {"phone": ["07400 123456", "+44 7400 123456", "020 7946 0958"]},
}  # fmt: skip


@pytest.mark.parametrize(("language", "country"), GUILTY)
def test_each_kind_is_seen_in_a_value_of_its_own(language: str, country: str) -> None:
    for kind, values in GUILTY[language, country].items():
        found = kinds_of_values(values, language=language, country=country)
        assert [(value, kinds) for value, kinds in zip(values, found, strict=True) if kind not in kinds] == []


@given(st.text("0123456789", min_size=6, max_size=17), st.sampled_from([("en", "BW"), ("es", "UY")]))
@settings(max_examples=300, deadline=None)
def test_digits_alone_are_judged_as_the_recognizers_do(digits: str, agreed: tuple[str, str]) -> None:
    """What the recognizers see in a number is seen without them, too."""
    language, country = agreed
    (read,) = kinds_of_values([f" {digits} "], language=language, country=country)
    told = kinds_of_digits(digits, country)
    assert read - {"phone"} <= told
    odd = len(digits) < 8 or (digits[0] == "0" and digits[1] not in "09")  # special numbers, and codes of carriers
    assert "phone" not in read or "phone" in told or odd


def test_long_values_are_read_to_their_end() -> None:
    values = ["shelf " * 700 + "71 123 456", "a." * 5_000, "x" * 1_995 + " 71 123 456 " + "x" * 300, ""]
    found = kinds_of_values(values, language="en", country="BW")
    assert ["phone" in kinds for kinds in found] == [True, False, True, False]


def test_check_digits() -> None:
    assert is_cedula("12345672")
    assert not is_cedula("12345678")
    assert is_rut("211003420017")
    assert not is_rut("211003420018")
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert is_omang("123412349")
    assert not is_omang("123432349")
    assert is_mobile("71123456", "BW")
    assert is_mobile("26771123456", "BW")
    assert is_mobile("99123456", "UY")
    assert not is_mobile("71123456", "UY")


def test_twenty_values_are_needed_and_nine_in_ten() -> None:
    values = [str(number) for number in cedulas(40)]
    assert kind_of_column(values[:19], "UY") is None
    assert kind_of_column(values[:20], "UY") == "national_id"
    assert kind_of_column([*values[:18], "10000000", "10000001"], "UY") == "national_id"
    assert kind_of_column([*values[:17], "10000000", "10000001", "10000002"], "UY") is None
