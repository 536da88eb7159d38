"""The documentation names what there is, all of it, and nothing else: commands, options, codes, pages, headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from acequia.cli import cli
from acequia.errors import CODES
from acequia.reference import errors_page
from tests.docs.pages import PAGES, PROJECT, blocks, name_of, prose
from tests.docs.session import steps

PLANNED = {"portal"}  # named by the design, and in the documentation as not built yet
BY_HAND = [page for page in PAGES if page.name != "errors.md"]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}


def leaves(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *above, name)
        else:
            yield (*above, name), command


COMMANDS = dict(leaves(cli))


def options(command: click.Command) -> set[str]:
    return {flag for one in command.params if isinstance(one, click.Option) for flag in one.opts} | {"-h", "--help"}


def uses() -> Iterator[tuple[str, list[str]]]:
    """Every use of `acequia`, in blocks and in the text, with its place."""
    for page in BY_HAND:
        lines = []
        for block in blocks(page):
            if block.language == "console":
                lines += [command for command, _ in steps(block.text)]
            elif block.language == "sh":
                lines += re.sub(r"\\\n\s*", " ", block.text).splitlines()
        lines += re.findall(r"`([^`\n]+)`", prose(page))
        for line in lines:
            for found in re.finditer(r"(?:^|[\s(])acequia ((?:[^|;&)#]|\"[^\"]*\")*)", line):
                try:
                    words = shlex.split(found[1])
                except ValueError:
                    words = found[1].split()
                yield name_of(page), words


def test_every_command_is_used_as_it_is() -> None:
    wrong = []
    for place, words in uses():
        name = tuple(words[:2]) if tuple(words[:2]) in COMMANDS else tuple(words[:1])
        if not words or words[0].startswith("-") or words[0] in PLANNED:
            continue
        if name not in COMMANDS:
            wrong.append(f"{place}: there is no command {' '.join(name)}")
            continue
        given = {word.split("=")[0] for word in words if re.fullmatch(r"--[a-z-]+(=.*)?", word)}
        if unknown := given - options(COMMANDS[name]):
            wrong.append(f"{place}: {' '.join(name)} has no {', '.join(sorted(unknown))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_is_documented(name: tuple[str, ...]) -> None:
    assert any(tuple(words[: len(name)]) == name for _, words in uses()), f"no page uses acequia {' '.join(name)}"


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_option_is_documented(name: tuple[str, ...]) -> None:
    everything = "\n".join(text for page, text in TEXTS.items() if page in BY_HAND)
    for option in options(COMMANDS[name]) - {"-h", "--help"}:
        assert re.search(rf"{option}\b", everything), f"no page tells of {option} of acequia {' '.join(name)}"


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(name: tuple[str, ...]) -> None:
    command = COMMANDS[name]
    assert command.help
    assert "..." not in command.get_short_help_str(62), "the list of commands would cut this off"
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help


def test_the_page_of_codes_is_current() -> None:
    assert TEXTS[PROJECT / "docs" / "errors.md"] == errors_page(), "run python -m acequia.reference"


def test_codes_that_pages_name_exist() -> None:
    """A word in code letters in a column of codes, or before a colon at the start of printed output, is one."""
    wrong = []
    for page in BY_HAND:
        told = re.findall(r"^\| ((?:`[a-z]+(?:_[a-z]+)+`(?:, )?)+) \|", section(TEXTS[page], "refusal"), re.MULTILINE)
        named = {code for cell in told for code in re.findall(r"`(\w+)`", cell)}
        named |= set(re.findall(r"`\[([a-z_]+)\]`", TEXTS[page]))
        for block in blocks(page):
            if block.language == "console":
                named |= {match[1] for match in re.finditer(r"^([a-z]+(?:_[a-z]+)+): ", block.text, re.MULTILINE)}
        wrong += [f"{name_of(page)}: {code}" for code in sorted(named - CODES.keys())]
    assert not wrong, "\n".join(wrong)


def section(text: str, word: str) -> str:
    found = re.search(rf"^## [^\n]*{word}[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def test_every_refusal_is_explained_to_partners() -> None:
    told = section(TEXTS[PROJECT / "docs" / "partners.md"], "refusal")
    theirs = [name for name, code in CODES.items() if code.who_acts == "partner"]
    assert [name for name in theirs if f"`{name}`" not in told] == []


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"`|\*", "", head.lower())).strip().replace(" ", "-") for head in heads}


LINKING = [*PAGES, PROJECT / "CHANGELOG.md", PROJECT / "expectations/README.md", PROJECT / "config/reference/README.md"]


@pytest.mark.parametrize("page", LINKING, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or not to.is_relative_to(PROJECT):
            wrong.append(f"{target}: there is no such file")
        elif anchor and anchor not in anchors(to):
            wrong.append(f"{target}: there is no such heading")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_can_be_reached(page: Path) -> None:
    linked = {
        (other.parent / target.partition("#")[0]).resolve()
        for other in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(other))
        if not target.startswith("http")
    }
    assert page in linked or page == PROJECT / "README.md"


def test_settings_that_pages_name_exist() -> None:
    known = {
        name
        for source in [*(PROJECT / "plugins").rglob("*.py"), *(PROJECT / "tests").rglob("conftest.py")]
        for name in re.findall(r"ACEQUIA_[A-Z_]+", source.read_text(encoding="utf-8"))
    }
    named = {name for text in TEXTS.values() for name in re.findall(r"\bACEQUIA_[A-Z_]+", text)}
    unknown = {name for name in named - known if not name.startswith("ACEQUIA_CONNECTION_")}
    assert not unknown
