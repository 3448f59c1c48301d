"""Models for the tests of the workers, built once by a child with TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.built_models import built_once


@pytest.fixture(scope="session")
def measured_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/measured_models.py`."""
    return built_once("measured_models", tmp_path_factory)


@pytest.fixture(scope="session")
def float_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/float_models.py`."""
    return built_once("float_models", tmp_path_factory)


@pytest.fixture(scope="session")
def optimized_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/optimized_models.py`."""
    return built_once("optimized_models", tmp_path_factory)


@pytest.fixture(scope="session")
def graph_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/graph_models.py`."""
    return built_once("source_models", tmp_path_factory) / "graph_models"


@pytest.fixture(scope="session")
def half_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/half_models.py`."""
    return built_once("source_models", tmp_path_factory) / "half_models"


@pytest.fixture(scope="session")
def typed_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/typed_models.py`."""
    return built_once("source_models", tmp_path_factory) / "typed_models"


@pytest.fixture(scope="session")
def stateful_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the models of `tests/models/stateful_models.py`."""
    return built_once("source_models", tmp_path_factory) / "stateful_models"
