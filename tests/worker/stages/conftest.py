"""The float models that these tests load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker.float_sources import build_float_models


@pytest.fixture(scope="session")
def float_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_float_models(tmp_path_factory)
