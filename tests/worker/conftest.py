"""Converted models for the tests of the LiteRT worker, built once by a child with TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

BUILDER = Path(__file__).parents[1] / "models" / "measured_models.py"


@pytest.fixture(scope="session")
def measured_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/measured_models.py`, shared by all test processes."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / "measured_models"
    with FileLock(root / "measured_models.lock"):
        if not folder.exists():
            unfinished = root / "measured_models.part"
            unfinished.mkdir()
            child = subprocess.run(
                [sys.executable, str(BUILDER), str(unfinished)], capture_output=True, text=True, check=False
            )
            assert child.returncode == 0, child.stderr
            unfinished.rename(folder)
    return folder
