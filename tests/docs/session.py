"""A terminal for the documentation's commands: a folder like a checkout, one environment, `acequia` in this process."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import PROJECT

_PLAIN = re.compile(r"[|<>;&`*]|\$\(")  # what only a shell understands


class Session:
    """Runs commands in a folder that looks like a checkout; `acequia …` without a pipe runs in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.code = folder, 0
        self.names: dict[str, object] = {}  # of the page's Python
        shutil.copytree(PROJECT / "config", folder / "config")
        shutil.copytree(PROJECT / "expectations", folder / "expectations")
        for name in ("dags", "docs", "plugins", "tests", "transforms"):
            (folder / name).symlink_to(PROJECT / name)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACEQUIA_", "AIRFLOW_"))}
        self.environment = kept | {"PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}", "LC_ALL": "C.UTF-8"}

    def run(self, command: str) -> str:
        """What the command prints, in the order in which it does; `code` is its exit code."""
        if command == "echo $?":
            return f"{self.code}\n"
        if command.startswith("export "):
            self.environment |= dict(word.split("=", 1) for word in shlex.split(command)[1:])
            return ""
        words = [] if _PLAIN.search(command) or "\n" in command else shlex.split(command)
        settings = {}
        while words and re.match(r"[A-Z_]+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            settings[name] = value
        if words and words[0] == "acequia":
            return self._acequia(words[1:], settings)
        ended = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        self.code = ended.returncode
        return ended.stdout + ended.stderr

    def _acequia(self, words: list[str], settings: dict[str, str]) -> str:
        from acequia.cli import main

        with self.inside(settings) as said:
            sys.argv = ["acequia", *words]
            try:
                main()
                self.code = 0
            except SystemExit as ended:
                self.code = int(ended.code or 0)
            return said()

    @contextlib.contextmanager
    def inside(self, settings: dict[str, str] | None = None) -> Iterator[object]:
        """This process, with the session's folder, environment and output; yields a function that says the output."""
        before = (sys.argv, sys.stdout, sys.stderr, Path.cwd(), dict(os.environ))
        written = io.BytesIO()
        screen = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment | (settings or {}))
        sys.stdout = sys.stderr = screen
        try:
            yield lambda: written.getvalue().decode("utf-8")
        finally:
            sys.argv, sys.stdout, sys.stderr = before[:3]
            os.chdir(before[3])
            os.environ.clear()
            os.environ.update(before[4])


def steps(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is shown below it."""
    found: list[tuple[list[str], list[str]]] = []
    open_until = ""
    for line in text.splitlines():
        if open_until:
            found[-1][0].append(line)
            open_until = "" if line == open_until else open_until
        elif line.startswith("$ "):
            found.append(([line.removeprefix("$ ")], []))
            here = re.search(r"<<'(\w+)'", line)
            open_until = here[1] if here else ""
        elif found and not found[-1][1] and found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line.removeprefix("> "))
        else:
            assert found, f"output before the first command: {line}"
            found[-1][1].append(line)
    return [(_joined(command), "\n".join(shown)) for command, shown in found]


def _joined(lines: list[str]) -> str:
    if "<<'" in lines[0]:
        return "\n".join(lines)
    return " ".join(line.removesuffix("\\").strip() for line in lines)


def agrees(shown: str, printed: str) -> bool:
    """Whether what is shown is what was printed. `…` stands for anything in its line, alone for any lines."""
    pattern = ""
    for line in shown.strip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*".join(re.escape(part) for part in _even(line).split("…")) + r"\n"
    lines = [_even(line) for line in printed.strip("\n").splitlines()]
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def _even(line: str) -> str:
    """Columns are as wide as their widest value, which differs from run to run."""
    return re.sub(r"-{3,}", "---", re.sub(r"\s+", " ", line.rstrip()))
