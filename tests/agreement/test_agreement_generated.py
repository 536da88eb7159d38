"""What is generated from the models is committed as it would be generated now, and knows every key."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from acequia.agreement.model import Agreement
from acequia.agreement.schema import PROJECT, REFERENCE, SCHEMA, generated, schema
from acequia.agreement.shape import Shape, fields, shape_of
from acequia.agreement.written import read

HERE = Path(__file__).parent
FILES = sorted([*(PROJECT / "config/partners").glob("*.yaml"), *PROJECT.glob("tests/**/partners/*.yaml"),
                HERE / "example.yaml", HERE / "every_key.yaml"])  # fmt: skip


@pytest.mark.parametrize("path", [SCHEMA, REFERENCE], ids=str)
def test_generated_files_are_current(path):
    assert (PROJECT / path).read_text(encoding="utf-8") == generated()[path], (
        "a model has changed: run `python -m acequia.agreement.schema`"
    )


def test_the_same_bytes_whatever_the_order_of_sets():
    script = (
        "import sys; from acequia.agreement.schema import generated; sys.stdout.write(''.join(generated().values()))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONPATH": str(PROJECT / "plugins"), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != b""


def lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lists(item) for key, item in value.items()}
    return [lists(item) for item in value] if isinstance(value, tuple) else value


def written(path: Path) -> Any:
    root, _ = read(path.read_bytes())
    assert root is not None
    return lists(root.plain())


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_editors_find_no_fault_in_good_agreements(path, validator):
    assert [error.json_path for error in validator.iter_errors(written(path))] == []


def test_editors_find_fault_in_slips(validator):
    for place, key, value in (
        ((), "countri", "BW"),
        (("terms",), "raw_kept_days", "many"),
        (("feeds", "events", "columns", "imei"), "treat", "droop"),
        (("feeds", "events", "columns", "imei"), "treet", "drop"),
        (("feeds", "events", "delivery", "source"), "type", "ftp"),
        (("feeds", "events", "delivery"), "period", "fortnight"),
    ):
        data = written(HERE / "example.yaml")
        holder = data
        for part in place:
            holder = holder[part]
        holder[key] = value
        assert not validator.is_valid(data), (place, key)


def models(shape: Shape, path: str = "") -> dict[str, Any]:
    """Every model of the agreement, by the place where it is first met."""
    found = {f"{path}:{shape.model.__name__}": shape.model} if shape.model else {}
    for variant in shape.variants.values():
        found |= models(variant, path)
    for key, info in fields(shape.model).items() if shape.model else ():
        below = shape_of(info.annotation)
        found |= models(below.items or below, f"{path}.{key}")
    return found


def test_every_key_is_in_the_reference_with_its_meaning_and_an_example():
    text = (PROJECT / REFERENCE).read_text(encoding="utf-8")
    found = models(Shape(Agreement, model=Agreement))
    assert len(found) >= 30
    for place, model in found.items():
        assert model.__doc__, place
        for key, info in fields(model).items():
            assert info.description, f"{place}.{key} has no description"
            row = re.search(rf"^\| `{re.escape(key)}(: \w+)?` \| .*$", text, re.MULTILINE)
            assert row, f"{place}.{key} is not in {REFERENCE}"
            needs_example = info.is_required() or not shape_of(info.annotation).model
            if needs_example and shape_of(info.annotation).model is None and shape_of(info.annotation).items is None:
                assert info.examples, f"{place}.{key} has no example"


def test_every_key_stands_in_the_file_that_shows_every_key():
    text = (HERE / "every_key.yaml").read_text(encoding="utf-8")
    for place, model in models(Shape(Agreement, model=Agreement)).items():
        if not any(word in place for word in ("S3Source", "SftpSource", "HttpsSource", "SqlSource")):
            for key in fields(model):
                assert re.search(rf"\b{key}:", text) or key in ("sheet", "names"), f"{place}.{key}"


def test_the_reference_says_how_editors_learn_the_schema():
    text = (PROJECT / REFERENCE).read_text(encoding="utf-8")
    assert "# yaml-language-server: $schema=../agreement.schema.json" in text
    assert json.loads((PROJECT / SCHEMA).read_text(encoding="utf-8"))["$schema"].endswith("2020-12/schema")
