"""Fixture models that need TensorFlow: built by child processes, once for all test processes; and other scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit import locks
from tests.commands import script

SCRIPTS = Path(__file__).parent / "models"


def script_of_models(name: str, *arguments: str | Path) -> str:
    """What `tests/models/<name>.py ARGUMENTS...` prints in a child process that has TensorFlow; it must succeed."""
    code, out, err = script(SCRIPTS, name, *map(str, arguments))
    assert code == 0, err
    return out


def built_once(builder: str, factory: pytest.TempPathFactory) -> Path:
    """The folder that `tests/models/<builder>.py FOLDER` fills; tests must not write into it.

    Args:
        builder: name of the script, without `.py`.
        factory: of the session; the folder lies above those of pytest-xdist's processes.
    """
    root = factory.getbasetemp()
    root = root.parent if root.name.startswith("popen-") else root
    folder, unfinished = root / builder, root / f"{builder}.part"
    with locks.exclusive(root / f"{builder}.lock"):
        if not folder.exists():
            unfinished.mkdir()
            script_of_models(builder, unfinished)
            unfinished.rename(folder)
    return folder
