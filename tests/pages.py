"""Markdown pages as programs: their blocks, their commands, and what the page says that these print.

A page keeps its word where its files are written, its commands run in its order, and what they print has the shape
that is shown: the same words, numbers and digests left open, which differ by machine.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.commands import command as recipekit

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_TYPING = 2.1
"""Seconds that a reader needs for the command after a script; files younger than two may still change unseen."""


class Block(NamedTuple):
    """A fenced block: its language, its text, and the file that its first line, a comment, names; else empty."""

    language: str
    text: str
    file: str


class Command(NamedTuple):
    """A command of a `console` block with what it prints; nothing where the page shows nothing."""

    line: str
    printed: str

    @property
    def arguments(self) -> list[str]:
        """The words behind the program's name."""
        return shlex.split(self.line, comments=True)[1:]

    @property
    def exit_code(self) -> int:
        """What it ends with: as `# exit 3` behind it says, or as what it prints means, or 0."""
        said = re.search(r"# exit (\d+)$", self.line)
        if said:
            return int(said[1])
        if re.search(r"^(already built, )?rejected in ", self.printed, re.MULTILINE):
            return 3
        return 2 if re.search(r"^error RK[12]", self.printed, re.MULTILINE) else 0


def page(name: str) -> str:
    """The text of a page: `README.md`, or one of `docs/`."""
    return ((ROOT if name == "README.md" else DOCS) / name).read_text(encoding="utf-8")


def all_blocks(text: str) -> list[Block]:
    """Every fenced block of a page, in its order."""
    found = []
    for language, body in re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        named = re.match(r"# ([\w./-]+\.\w+)\n", body)
        found.append(Block(language, body, named[1] if named else ""))
    return found


def blocks(text: str, language: str) -> list[str]:
    """The texts of all blocks in a language."""
    return [block.text for block in all_blocks(text) if block.language == language]


def commands(text: str) -> list[Command]:
    """Every command of a page's consoles."""
    entries = (entry for block in blocks(text, "console") for entry in _entries(block))
    return list(entries)


def shape(text: str) -> list[str]:
    """Words of each line, numbers, digests and rules left open; empty lines out."""
    words = re.sub(r"\b[0-9a-f]{12,64}\b", "KEY", text)
    words = re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "SWEEP", words)
    words = re.sub(r"-?\d[\d.,]*(e[-+]\d+)?", "N", words)
    return [" ".join(line.split()) for line in words.splitlines() if line.strip(" ─")]


def build_shape(text: str) -> list[str]:
    """The shape of what a build prints, in no order: stages that run at once end in any, and slow ones are told."""
    return sorted(line for line in shape(text) if not line.startswith("runs "))


def run_page(text: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Writes a page's files and runs its commands and its Python, from its top to its end.

    `recipekit`, `python` and `pytest` are those of this environment; a Python block without a file runs as a script. A
    YAML block without a file is left to its page's test.

    Raises:
        AssertionError: a command ends otherwise, or prints another thing, than the page shows.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    for block in all_blocks(text):
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            _run([sys.executable, "-"], folder, variables, block.text)
        elif block.language == "console":
            for command in _entries(block.text):
                done = _printed(command, folder, variables)
                read = build_shape if command.line.startswith("recipekit run") else shape
                shown = read(command.printed)
                assert not shown or read(done) == shown, f"{command.line}\n{done}"


def _entries(console: str) -> Iterator[Command]:
    for entry in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        line, _, printed = entry.partition("\n")
        yield Command(line, printed)


def _printed(command: Command, folder: Path, variables: Mapping[str, str]) -> str:
    program, *arguments = shlex.split(command.line, comments=True)
    if program == "recipekit":
        done = recipekit(folder, arguments, variables, tensorflow=True)
        return _checked(command.line, done.code, done.out, done.err, command.exit_code)
    programs = {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest"]}
    return _run([*programs.get(program, [program]), *arguments], folder, variables, code=command.exit_code)


def _run(line: list[str], folder: Path, variables: Mapping[str, str], script: str = "", code: int = 0) -> str:
    done = subprocess.run(
        line, cwd=folder, env=dict(variables), input=script, capture_output=True, text=True, check=False
    )
    time.sleep(_TYPING)
    return _checked(" ".join(line), done.returncode, done.stdout, done.stderr, code)


def _checked(line: str, ended: int, out: str, err: str, code: int) -> str:
    """What a page shows of what is printed; it must have ended with a code."""
    assert ended == code, f"{line} ended with {ended}:\n{out + err}"
    return out + err if code == 2 else out
