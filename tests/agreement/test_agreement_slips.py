"""A valid agreement with any one key misspelt is refused, and the refusal names the key."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acequia.agreement.load import AgreementInvalid, load
from acequia.agreement.model import Agreement
from acequia.agreement.shape import Shape
from acequia.agreement.written import read

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted([*(PROJECT / "config/partners").glob("*.yaml"), *PROJECT.glob("tests/**/partners/*.yaml")])
LETTERS = "abcdefghijklmnopqrstuvwxyz_"


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def keys_of_the_models(value: Any, shape: Shape, place: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The places of all keys that a model names (not those that partners choose: names of feeds, columns, tables)."""
    found = []
    for key, item in value.items() if isinstance(value, dict) else ():
        if shape.items is None:
            found.append((*place, key))
        below = shape.items
        if below is None:
            variants = [variant for variant in shape.variants.values() if key in variant.keys] or [shape]
            below = variants[0].at(key)
        found += keys_of_the_models(item, below, (*place, key))
    return found


WRITTEN = {path.stem: plain(read(path.read_bytes())[0].plain()) for path in FILES}
PLACES = [
    (stem, place)
    for stem, value in WRITTEN.items()
    for place in keys_of_the_models(value, Shape(Agreement, model=Agreement))
]


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, tuple[str, ...], str]:
    """A key of a model in one of the project's agreements, and it again with a letter lost, added, changed or moved."""
    stem, place = draw(st.sampled_from(PLACES))
    key = place[-1]
    n = draw(st.integers(0, len(key) - 1))
    letter = draw(st.sampled_from(LETTERS))
    slip = draw(
        st.sampled_from(
            [
                key[:n] + key[n + 1 :],
                key[:n] + letter + key[n:],
                key[:n] + letter + key[n + 1 :],
                key[:n] + key[n + 1 : n + 2] + key[n] + key[n + 2 :],
                key.upper(),
                f"{key} ",
            ]
        )
    )
    return stem, place, slip


@settings(max_examples=100, deadline=None, derandomize=True)
@given(slips())
def test_one_misspelt_key_is_always_refused_by_name(slip: tuple[str, tuple[str, ...], str]) -> None:
    stem, place, misspelt = slip
    data = copy.deepcopy(WRITTEN[stem])
    holder = data
    for key in place[:-1]:
        holder = holder[key]
    assume(misspelt not in holder)
    holder[misspelt] = holder.pop(place[-1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
        with pytest.raises(AgreementInvalid) as refused:
            load(path)
    wanted = ".".join((*place[:-1], misspelt))
    told = [problem for problem in refused.value.problems if problem.place == wanted]
    assert told, refused.value.what
    lines = yaml.safe_dump(data, allow_unicode=True, sort_keys=False).splitlines()
    assert misspelt in lines[told[0].line - 1]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_a_file_holds_the_answer_is_a_refusal(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.yaml"
        path.write_bytes(raw)
        with pytest.raises(AgreementInvalid):
            load(path)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(WRITTEN)), st.data())
def test_any_value_may_be_wrong_and_the_answer_is_still_a_refusal_or_an_agreement(
    stem: str, data: st.DataObject
) -> None:
    """Whatever stands at any place, nothing but `agreement_invalid` comes out."""
    written = copy.deepcopy(WRITTEN[stem])
    holder: Any = written
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.integers(0, 4)) == 0:
            break
        holder = holder[key]
    simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    holder[key] = data.draw(
        simple | st.lists(simple, max_size=3) | st.dictionaries(st.text(max_size=5), simple, max_size=3)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}.yaml"
        path.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
        try:
            assert load(path).agreement.partner == stem
        except AgreementInvalid as error:
            assert error.problems
            assert all(problem.message for problem in error.problems)
