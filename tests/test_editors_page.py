"""The page about editors and shells keeps its word: its commands print what it shows, its lines load."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT, blocks, commands, page

PAGE = page("editors.md")
COMMANDS = commands(PAGE)
(LINES,) = blocks(PAGE, "sh")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped recipes, with `recipekit` in a folder of commands."""
    folder = tmp_path_factory.mktemp("editors")
    shutil.copytree(ROOT / "recipes", folder / "recipes", ignore=shutil.ignore_patterns("models"))
    (folder / "bin").mkdir()
    (folder / "bin" / "recipekit").write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m recipekit.cli "$@"\n'
    )
    (folder / "bin" / "recipekit").chmod(0o755)
    return folder


def run(project: Path, *command: str) -> str:
    environment = {**os.environ, "PATH": f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("RECIPEKIT_RECIPES", None)
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("command", "printed"), COMMANDS, ids=[command.line for command in COMMANDS])
def test_a_command_prints_what_the_page_shows(command: str, printed: str, project: Path) -> None:
    assert run(project, "bash", "-c", command).strip() == printed.strip()


@pytest.mark.slow
@pytest.mark.parametrize(("line", "shell"), list(zip(LINES.splitlines(), ("bash", "zsh", "fish"), strict=True)))
def test_a_shell_reads_its_line_without_a_word(line: str, shell: str, project: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    before = "autoload -Uz compinit; compinit -u -D; " if shell == "zsh" else ""
    assert run(project, shell, "-c", before + line) == ""
