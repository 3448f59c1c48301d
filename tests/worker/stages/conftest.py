"""The folder of a stage, and the models of tests/worker/conversions.py with their conversions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.conversions import convert, models

__all__ = ["convert", "folder", "models"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the stage puts its files."""
    folder = tmp_path / "stage"
    folder.mkdir()
    return folder
