"""Data Docs: what Great Expectations draws of a validation, one page a delivery, with an index for each feed.

    <docs>/index.html
    <docs>/<partner>/<feed>/index.html
    <docs>/<partner>/<feed>/<period>.v<n>/index.html, validation.json

The tables are Great Expectations' own. The frame around them is ours, since its own loads scripts, styles and images
from six other servers: opening a page would tell them which delivery is being looked at. The same verdicts give the
same bytes.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from acequia.flow import DeliveryId, Validated
from acequia.validate.arbiter import Verdict

_PAGES = Path(__file__).parent / "pages"


def write_docs(validated: Validated, verdicts: Sequence[Verdict], docs: Path) -> str:
    """Write the delivery's page and its feed's index below `docs`. Returns the page's path relative to `docs`.

    Two processes may write at once, even the same page: each file appears whole, and the index is made under a lock.
    """
    delivery = validated.delivery
    folder = docs / delivery.partner / delivery.feed / f"{delivery.period}.v{delivery.version}"
    folder.mkdir(parents=True, exist_ok=True)
    results = [_result(verdict) for verdict in verdicts]
    _place(folder / "validation.json", _summary(validated, results))
    _place(folder / "index.html", _page(validated, results))
    with _lock(docs):
        _index_feed(docs, delivery)
        _index_all(docs)
    return str((folder / "index.html").relative_to(docs))


def _result(verdict: Verdict) -> Any:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    expected = verdict.expected
    return ExpectationValidationResult(
        success=verdict.passed,
        expectation_config=ExpectationConfiguration(
            type=expected.name,
            kwargs=dict(expected.arguments),
            meta={"check": expected.known_as, "describe": expected.describe},
        ),
        result=dict(verdict.result),
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def _summary(validated: Validated, results: list[Any]) -> str:
    """The validation result as Great Expectations writes it, for other programs."""
    passed = sum(result.success for result in results)
    return json.dumps(
        {
            "success": validated.passed,
            "suite_name": str(validated.delivery),
            "statistics": {
                "evaluated_expectations": len(results),
                "successful_expectations": passed,
                "unsuccessful_expectations": len(results) - passed,
            },
            "results": [result.to_json_dict() for result in results],
        },
        indent=1,
        sort_keys=True,
    )


def _page(validated: Validated, results: list[Any]) -> str:
    from great_expectations.render import RenderedDocumentContent

    view, ids = _view(), itertools.count()
    view.env.filters["generate_html_element_uuid"] = lambda prefix="": f"{prefix}{next(ids)}"
    document = RenderedDocumentContent(
        sections=_sections(results), renderer_type="ValidationResultsPageRenderer", page_title=str(validated.delivery)
    )
    return str(
        view.render(
            document,
            template="page.html",
            delivery=str(validated.delivery),
            passed=validated.passed,
            checks=validated.checks,
            failing=[check for check in validated.checks if not check.passed],
            rows_in=validated.count.rows_in,
            rows_out=validated.count.rows_out,
        )
    )


def _sections(results: list[Any]) -> list[Any]:
    """One section for what was counted, one for the table as a whole, one for each column."""
    groups: dict[str, list[Any]] = {}
    for result in results:
        configuration = result.expectation_config
        counted = configuration.meta["check"] != configuration.type
        name = "What was counted" if counted else configuration.kwargs.get("column", "The table as a whole")
        groups.setdefault(name, []).append(result)
    return [_section(name, group) for name, group in groups.items()]


def _section(name: str, group: list[Any]) -> Any:
    from great_expectations.render import RenderedHeaderContent, RenderedSectionContent, RenderedStringTemplateContent
    from great_expectations.render.renderer.content_block import ValidationResultsTableContentBlockRenderer

    title = RenderedStringTemplateContent(
        content_block_type="string_template",
        string_template={"template": "$name", "params": {"name": name}, "tag": "h5", "styling": {"classes": []}},
    )
    table = ValidationResultsTableContentBlockRenderer.render(group, include_column_name=name == "What was counted")
    return RenderedSectionContent(section_name=name, content_blocks=[RenderedHeaderContent(header=title), table])


@cache
def _view() -> Any:
    from great_expectations.render.view import DefaultJinjaPageView

    return DefaultJinjaPageView(custom_views_directory=str(_PAGES))


def _index_feed(docs: Path, delivery: DeliveryId) -> None:
    folder = docs / delivery.partner / delivery.feed
    entries = [
        {"name": path.parent.name, "href": f"{path.parent.name}/index.html", "passed": _passed(path)}
        for path in sorted(folder.glob("*/validation.json"), reverse=True)
    ]
    title = f"{delivery.partner}.{delivery.feed}: validations"
    _place(folder / "index.html", _listing(title, "../../index.html", entries))


def _index_all(docs: Path) -> None:
    feeds = [path.parent.relative_to(docs) for path in sorted(docs.glob("*/*/index.html"))]
    entries = [{"name": ".".join(feed.parts), "href": f"{feed}/index.html", "passed": None} for feed in feeds]
    _place(docs / "index.html", _listing("Validations", "", entries))


def _listing(title: str, above: str, entries: list[dict[str, Any]]) -> str:
    return str(_view().env.get_template("index.html").render(title=title, above=above, entries=entries))


def _passed(path: Path) -> bool:
    return bool(json.loads(path.read_bytes())["success"])


def _place(path: Path, text: str) -> None:
    staged = path.with_name(f".{path.name}.{os.getpid()}.partial")
    staged.write_text(text, encoding="utf-8")
    staged.replace(path)


@contextmanager
def _lock(docs: Path) -> Iterator[None]:
    with (docs / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
