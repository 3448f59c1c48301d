"""Fixtures that several test modules share."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from recipekit.contracts import STAGES, Record
from recipekit.pool import Pool


class RunStage(Protocol):
    """Runs one stage in its warm worker and returns its record."""

    def __call__(self, name: str, request: Record) -> Any: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="rewrite the files in tests/golden")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-goldens"))


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as pool:
        yield pool


@pytest.fixture(scope="session")
def run_stage(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> RunStage:
    root: Path = tmp_path_factory.mktemp("stages")
    counter = itertools.count()

    def run(name: str, request: Record) -> Any:
        return pool.run(STAGES[name], request, root / f"{next(counter):03d}-{name}").record

    return run


@pytest.fixture(scope="session", autouse=True)
def tensorflow_stays_in_children() -> Iterator[None]:
    """The law of the suite: the test process itself never imports TensorFlow."""
    yield
    assert not {"tensorflow", "tf_keras", "keras"} & set(sys.modules)
