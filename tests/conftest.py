"""Fixtures that several test modules share."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from recipekit.contracts import STAGES, Record
from recipekit.pool import Pool
from tests.faults.report import Seen, spelled, write

pytest_plugins = ("tests.browser", "tests.object_storage")

settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of machines, not laws
settings.register_profile("everyday", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")


class RunStage(Protocol):
    """Runs one stage in its warm worker and returns its record."""

    def __call__(self, name: str, request: Record) -> Any: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="rewrite the files in tests/golden")


_seen_faults: list[Seen] = []
"""What tests of the fault table have seen, in the process that collects the reports of all others."""


_failed: set[str] = set()
"""Tests that failed."""


TOGETHER = ("tests/launching/",)
"""Folders whose files share what is slow to start, a Ray cluster: of several processes, one runs all of them."""

LONGEST_FIRST = (
    "tests/launching/",
    "tests/e2e/test_compatibility.py",
    "tests/e2e/test_shipped_pages.py",
    "tests/e2e/test_tiny_project.py",
    "tests/faults/test_signals.py",
    "tests/worker/engines/test_one_call.py",
    "tests/report/test_sweep_in_browser.py",
    "tests/e2e/test_stages_found.py",
    "tests/untrusted/test_mutations.py",
    "tests/compose/test_grid.py",
    "tests/worker/stages/test_optimize.py",
    "tests/faults/test_interruptions.py",
    "tests/api/test_builds.py",
    "tests/faults/test_kills.py",
    "tests/e2e/test_mlperf_tiny.py",
    "tests/faults/test_file_faults.py",
    "tests/faults/test_error_pages.py",
    "tests/faults/test_resumed_sweeps.py",
    "tests/e2e/test_optuna_page.py",
    "tests/e2e/test_first_recipe.py",
    "tests/worker/sources/test_keras_application.py",
)
"""What takes most of a minute or more, the longest first: two processes that take turns then end together."""


def turn(nodeid: str) -> str:
    """What a process runs as a whole: the file of a test, or a folder."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


class ByTurn(LoadFileScheduling):  # type: ignore[misc]  # xdist is untyped
    """Deals out turns to processes, where pytest-xdist deals out files."""

    def _split_scope(self, nodeid: str) -> str:
        return turn(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByTurn | None:
    return ByTurn(config, log) if config.getvalue("dist") == "loadfile" else None


GARBAGE = 20_000
"""So many new objects are looked through together; after each 700, as Python does, it is a twentieth of all time."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Lets the collector of garbage pass over what stays to the end: every module and every test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first, and lets a report say of which rows of the fault table its test is."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(turn(item.nodeid), len(places)))
    for item in items:
        rows = {row for mark in item.iter_markers("fault") for row in mark.args}
        item.user_properties += [("fault", row) for row in sorted(rows)]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    test = report.nodeid.partition("tests/")[2].partition("[")[0]
    if report.failed:
        _failed.add(test)
    properties = report.user_properties
    exits = [spelled(value) for name, value in properties if name == "exit"]
    if report.when == "teardown" and report.passed:
        _seen_faults.extend(
            Seen(int(str(row)), test, code) for name, row in properties if name == "fault" for code in exits
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    gc.collect()  # what pytest does twice from here on, to hear of what nobody has closed
    gc.freeze()
    collects = not hasattr(session.config, "workerinput")  # of several processes, one
    if collects and _seen_faults and session.config.getoption("--update-goldens"):
        write(one for one in _seen_faults if one.test not in _failed)


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


@pytest.fixture(scope="session")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the folders of all tests are."""
    base = tmp_path_factory.getbasetemp()
    return str(base.parent if base.name.startswith("popen-") else base)


@pytest.fixture(autouse=True)
def imports_of_a_test(temporary: str) -> Iterator[None]:
    """A project whose code a test has run is taken off the path again, and what was imported from it is forgotten."""
    path, modules = set(sys.path), set(sys.modules)
    yield
    added = {folder for folder in sys.path if folder not in path and not folder.startswith(sys.prefix)}
    sys.path[:] = [folder for folder in sys.path if folder not in added]
    for name, module in [(name, module) for name, module in sys.modules.items() if name not in modules]:
        if any(place.startswith((temporary, *added)) for place in _places(module)):
            sys.modules.pop(name, None)


def _places(module: ModuleType) -> list[str]:
    """Where a module's code is; a lazy one is not loaded to tell."""
    spec = getattr(module, "__dict__", {}).get("__spec__")
    try:
        return [str(place) for place in (spec.origin, *(spec.submodule_search_locations or []))] if spec else []
    except KeyError:  # a package without `__init__.py` asks the one that it is in, which Ray takes away again
        return []


@pytest.fixture(scope="session", autouse=True)
def tensorflow_stays_in_children() -> Iterator[None]:
    """The law of the suite: the test process itself never imports TensorFlow."""
    yield
    assert not {"tensorflow", "tf_keras", "keras"} & set(sys.modules)
