"""What stages stand on: everything that runs in a worker, and nothing that doesn't."""

from __future__ import annotations

import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from recipekit import environment
from recipekit.surroundings import WORKER_ROOMS, Surroundings
from tests.test_architecture import imports, modules, ours, room

INTERNAL = {"recipekit", "google"}
"""Our own package, and a namespace that several distributions of TensorFlow's closure share."""


@pytest.fixture(scope="module")
def surroundings() -> Surroundings:
    return Surroundings(Path(__file__).parent)


def test_the_rooms_of_workers_are_those_that_workers_import_and_no_others() -> None:
    reached: set[str] = set()
    pending = {module for module in modules() if room(module) == "worker"}
    while pending:
        reached |= pending
        pending = {imported for module in pending for imported in ours(modules()[module])} - reached
    assert {room(module) for module in reached} == WORKER_ROOMS


ELSEWHERE = {"lets_plot"}
"""The drawings' library decides nothing of other stages; `tests/graph/test_stages.py` holds that it is in their key."""

TEXT = "worker.golden.generated_test"
"""No worker imports it: it becomes the test that an output brings."""


@pytest.mark.slow
def test_every_library_of_the_workers_is_among_the_tools_of_tensorflow_stages(surroundings: Surroundings) -> None:
    packages = surroundings.tools("tensorflow")["packages"]
    distributions = packages_distributions()
    used = {
        name.partition(".")[0]
        for module, tree in modules().items()
        if room(module) in WORKER_ROOMS and module != TEXT
        for name in imports(tree)
    }
    for library in used - INTERNAL - ELSEWHERE - set(sys.stdlib_module_names):
        assert {canonicalize_name(name) for name in distributions[library]} & packages.keys(), library


def test_stages_without_tensorflow_do_not_depend_on_its_version(surroundings: Surroundings) -> None:
    packages = surroundings.tools("litert")["packages"]
    assert "tensorflow" not in packages
    assert packages.keys() >= {"ai-edge-litert", "ai-edge-quantizer", "numpy", "scikit-learn"}


def test_a_library_of_the_command_line_is_no_tool(surroundings: Surroundings) -> None:
    assert not surroundings.tools("litert")["packages"].keys() & {"hydra-core", "jinja2", "jsonschema"}


def test_an_extra_brings_its_packages_where_it_is_used(surroundings: Surroundings) -> None:
    plain = {package.name for package in surroundings.environment.packages}
    audio = surroundings.packages_of(frozenset({"audio"}))
    assert {"librosa", "soxr", "numba"} <= audio.keys()
    assert not audio.keys() & plain
    assert {package.name for package in surroundings.environment_with(frozenset({"audio"})).packages} == plain | {
        *audio
    }
    assert surroundings.packages_of(frozenset()) == {}
    assert surroundings.environment_with(frozenset()) == surroundings.environment


def test_code_of_a_worker_counts_and_code_of_the_command_does_not(tmp_path: Path) -> None:
    def digest() -> str:
        return environment.source_digest(tmp_path, WORKER_ROOMS)

    (tmp_path / "worker" / "engines").mkdir(parents=True)
    (tmp_path / "cli").mkdir()
    for name in ("worker/engines/own.py", "digests.py", "cli/run.py", "gate.py"):
        (tmp_path / name).write_text("1")
    before = digest()
    (tmp_path / "cli" / "run.py").write_text("2")
    (tmp_path / "gate.py").write_text("2")
    assert digest() == before
    (tmp_path / "worker" / "engines" / "own.py").write_text("2")
    assert digest() != before
    (tmp_path / "worker" / "engines" / "own.py").write_text("1")
    (tmp_path / "digests.py").write_text("2")
    assert digest() != before
