"""The rooms and their levels: imports go one way, libraries have an address, and nothing grows past its idea.

A room is a module or package directly below `recipekit`. It may import rooms of lower levels alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "recipekit"

LEVELS = (
    {"errors", "nearest", "intervals", "turns", "secrecy", "schemas", "error_pages", "language", "pareto"},
    {"digests", "fsio", "locks", "contracts"},
    {
        "registry",
        "acceptance",
        "estimates",
        "inputs",
        "repository",
        "environment",
        "requirements",
        "samples",
        "project",
        "faults",
        "extras",
        "summary",
    },
    {"rules", "manifest", "outcome", "store", "fitting", "artifacts"},
    {"recipe", "gate", "outputs", "workspace", "pool", "report", "lint", "exports", "ci"},
    {"compose", "surroundings", "signing"},
    {"build", "editors"},
    {"graph", "publication"},
    {"explanation", "publisher"},
    {"execution"},
    {"sampling", "measuring"},
    {"pipeline"},
    {"facilities"},
    {"sweeping", "linting", "audit", "tracking", "validation", "catalogue"},
    {"drafting"},
    {"diagnosis"},
    {"api"},
    {"cli"},
)
"""Rooms from the lowest level up."""

OPEN_TO_WORKERS = {"errors", "nearest", "secrecy", "digests", "contracts", "registry", "samples", "fitting"}
"""Rooms that the worker processes share with their parent."""

ADDRESSES = {
    "hydra": {"compose"},
    "omegaconf": {"compose"},
    "jsonschema": {"faults"},
    "jsonschema_rs": {"schemas"},
    "jinja2": {"report", "drafting"},
    "markupsafe": {"report"},
    "plotly": {"report"},
    "rich": {"cli"},
    "yaml": {"compose", "catalogue", "publication", "exports", "editors", "drafting"},
    "filelock": {"workspace"},
    "psutil": {"pool"},
    "packaging": {"environment", "requirements"},
    "rfc8785": {"digests"},
    "numpy": {"worker", "testing"},
    "cryptography": {"signing"},
    "model_signing": {"signing"},
    "mlflow": {"tracking"},
    "PIL": {"worker"},
    "sklearn": {"worker"},
    "h5py": {"worker"},
    "tensorflow": {"worker"},
    "tf_keras": {"worker"},
    "keras": {"worker"},
    "ai_edge_litert": {"worker"},
    "ai_edge_quantizer": {"worker"},
    "scipy": {"worker"},
    "google": {"worker"},
    "lets_plot": {"worker"},
}
"""Third-party libraries and the rooms that may import them; `msgspec` is everywhere's."""

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 60


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name below `recipekit`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a tree imports; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def typing_only(tree: ast.Module) -> set[ast.AST]:
    """Nodes below `if TYPE_CHECKING:`, which import nothing at run time."""
    return {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }


def ours(tree: ast.AST) -> set[str]:
    """Modules of recipekit that a tree imports, by their name below `recipekit`."""
    found = set()
    for name in imports(tree):
        if name.startswith("recipekit."):
            below = name.removeprefix("recipekit.")
            while below and below not in MODULES:
                below = below.rpartition(".")[0]
            if below:
                found.add(below)
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def level(name: str) -> int:
    return next(at for at, rooms in enumerate(LEVELS) if name in rooms)


NO_PARENT = {"worker", "testing", "presets", "schema", "__init__"}
PARENT = sorted(name for name in MODULES if name and room(name) not in NO_PARENT)
WORKER = sorted(name for name in MODULES if room(name) in {"worker", "testing"})


def test_every_room_has_a_level() -> None:
    assert {room(name) for name in PARENT} == set().union(*LEVELS)


@pytest.mark.parametrize("module", PARENT)
def test_a_room_imports_lower_levels_alone(module: str) -> None:
    for imported in ours(MODULES[module]):
        if room(imported) != room(module):
            assert room(imported) != "worker", f"{module} imports {imported}, which belongs to the workers"
            assert level(room(imported)) < level(room(module)), f"{module} imports {imported}"


@pytest.mark.parametrize("module", WORKER)
def test_a_worker_module_imports_workers_and_what_is_shared_with_them(module: str) -> None:
    for imported in ours(MODULES[module]):
        assert room(imported) in {"worker", *OPEN_TO_WORKERS}, f"{module} imports {imported}"


@pytest.mark.parametrize("module", [name for name in WORKER if name.count(".") == 2 and "stages" not in name])
def test_a_plugin_imports_no_stage_and_no_plugin_of_another_kind(module: str) -> None:
    kinds = {"datasets", "metrics", "sources", "engines", "stages"}
    kind = module.split(".")[1]
    for imported in ours(MODULES[module]):
        parts = imported.split(".")
        if parts[0] == "worker" and len(parts) > 2 and parts[1] in kinds:
            assert parts[1] == kind, f"{module} imports {imported}"


def test_modules_import_each_other_without_cycles() -> None:
    sorter = TopologicalSorter({name: ours(tree) - {name} for name, tree in MODULES.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", sorted(MODULES))
def test_libraries_stay_at_their_address(module: str) -> None:
    tree = MODULES[module]
    unused = typing_only(tree)
    at_run_time = ast.Module([node for node in tree.body if node not in unused], [])
    for name in imports(at_run_time):
        library = name.partition(".")[0]
        assert room(module) in ADDRESSES.get(library, {room(module)}), f"{module} imports {library}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_import_of_ours_hides_in_a_function(module: str) -> None:
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not ours(node), f"{module}.{node.name} imports recipekit inside"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_and_functions_hold_one_idea(module: str) -> None:
    path = PACKAGE / (module.replace(".", "/") + ".py")
    path = path if path.is_file() else PACKAGE / module.replace(".", "/") / "__init__.py"
    assert path.read_text(encoding="utf-8").count("\n") <= MAX_MODULE_LINES
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{module}.{node.name} has {lines} lines"


def test_no_module_is_named_for_nothing() -> None:
    grab_bags = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not {name for name in MODULES if grab_bags & set(name.split("."))}
