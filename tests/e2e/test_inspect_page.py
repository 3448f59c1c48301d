"""docs/inspect.md keeps its word: its commands, one after the other, print what it shows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, recipekit
from tests.test_readme import blocks

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

PAGE = (ROOT / "docs" / "inspect.md").read_text(encoding="utf-8")


def shape(text: str) -> list[str]:
    """Words of each line with numbers and digests left open, which differ by machine."""
    words = re.sub(r"\b[0-9a-f]{12,64}\b", "KEY", text)
    words = re.sub(r"-?\d[\d.,]*", "N", words)
    return [" ".join(line.split()) for line in words.splitlines() if line.strip(" ─")]


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    for block in blocks(PAGE, "console"):
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = entry.partition("\n")
            program, *arguments = shlex.split(command)
            if program == "recipekit":
                done = recipekit(tmp_path, arguments)
            else:
                done = subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            if printed:
                assert shape(done.stdout) == shape(printed), command
    assert (tmp_path / "MODEL_CARD.md").is_file()
    assert (tmp_path / "bom.json").is_file()
