"""The rooms and their levels: imports go one way, libraries have an address, and nothing grows past its idea.

A room is a module or package directly below `recipekit`. It may import rooms of lower levels alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from recipekit.surroundings import WORKER_ROOMS

PACKAGE = Path(__file__).resolve().parents[1] / "recipekit"

LEVELS = (
    {"schema"},
    {
        "errors",
        "nearest",
        "intervals",
        "turns",
        "secrecy",
        "escaping",
        "schemas",
        "error_pages",
        "language",
        "pareto",
        "portable",
    },
    {"digests", "fsio", "contracts", "registry"},
    {"locks"},
    {"remote"},
    {
        "acceptance",
        "estimates",
        "inputs",
        "repository",
        "environment",
        "requirements",
        "same_samples",
        "project",
        "faults",
        "extras",
        "summary",
        "studied",
    },
    {"rules", "manifest", "outcome", "store", "fitting", "artifacts", "metrics"},
    {"child_outcomes", "recipe", "gate", "outputs", "workspace", "pool", "report", "lint", "exports", "ci"},
    {"compose", "surroundings", "signing", "sweeps"},
    {"build", "editors"},
    {"graph", "publication"},
    {"explanation", "publisher"},
    {"execution"},
    {"sampling", "measuring"},
    {"pipeline"},
    {"facilities"},
    {"launching", "searching", "summarising"},
    {"sweeping", "linting", "audit", "tracking", "validation", "catalogue"},
    {"drafting", "resuming"},
    {"diagnosis"},
    {"api"},
    {"cli"},
    {"__main__"},
)
"""Rooms from the lowest level up."""

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
    "psutil": {"pool", "launching"},
    "submitit": {"launching"},
    "fsspec": {"remote"},
    "azure": {"remote"},
    "packaging": {"environment", "requirements"},
    "rfc8785": {"digests"},
    "numpy": {"worker", "testing"},
    "cryptography": {"signing"},
    "model_signing": {"signing"},
    "mlflow": {"tracking"},
    "optuna": {"searching"},
    "sqlalchemy": {"searching"},
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
    "ray": {"launching"},
    "grpc": {"launching"},
}
"""Third-party libraries and the rooms that may import them; `msgspec` is everywhere's."""

DEFERRED = {
    "cli.dispatch": {"cli.ending", "cli.streams"},
    "cli.run": {"cli.run_sweep", "cli.run_reports"},
    "cli.run_ending": {"signing.signer", "tracking"},
    "cli.validate": {"cli.validation_reports"},
    "cli.ci_output": {"ci.junit"},
    "compose.session": {"requirements"},
    "report.rendering": {"report.compiled_templates"},
}
"""Modules of ours that are imported late, so that a command begins sooner that has no use for them; levels hold for
them too, and none may close a circle."""

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 60


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name below `recipekit`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """A tree and every statement below it; imports, functions and conditions stand in no expression."""
    yield tree
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(tree, block, ()):
            yield from statements(child)


@cache
def imports(tree: ast.AST) -> tuple[str, ...]:
    """Dotted names that a tree imports; `from a import b` counts as `a.b`."""
    found: list[str] = []
    for node in statements(tree):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(found)


def typing_only(tree: ast.Module) -> set[ast.AST]:
    """Nodes below `if TYPE_CHECKING:`, which import nothing at run time."""
    return {
        child
        for node in statements(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in statements(node)
    }


@cache
def ours(tree: ast.AST) -> frozenset[str]:
    """Modules of recipekit that a tree imports, by their name below `recipekit`."""
    found = set()
    for name in imports(tree):
        if name.startswith("recipekit."):
            below = name.removeprefix("recipekit.")
            while below and below not in modules():
                below = below.rpartition(".")[0]
            if below:
                found.add(below)
    return frozenset(found)


@cache
def functions(tree: ast.Module) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    """Every function of a module, also those inside of others."""
    return tuple(node for node in statements(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def room(module: str) -> str:
    return module.partition(".")[0]


def level(name: str) -> int:
    return next(at for at, rooms in enumerate(LEVELS) if name in rooms)


NO_PARENT = {"worker", "testing", "presets", "__init__"}


def of_parent() -> list[str]:
    """Modules of the process that a user starts."""
    return [name for name in modules() if name and room(name) not in NO_PARENT]


def of_workers() -> list[str]:
    """Modules that workers alone import."""
    return [name for name in modules() if room(name) in {"worker", "testing"}]


def test_every_room_has_a_level() -> None:
    assert {room(name) for name in of_parent()} == set().union(*LEVELS)


def test_a_room_imports_lower_levels_alone() -> None:
    for module in of_parent():
        for imported in ours(modules()[module]):
            if room(imported) != room(module):
                assert room(imported) != "worker", f"{module} imports {imported}, which belongs to the workers"
                assert level(room(imported)) < level(room(module)), f"{module} imports {imported}"


def test_a_worker_module_imports_workers_and_what_is_shared_with_them() -> None:
    for module in of_workers():
        for imported in ours(modules()[module]):
            assert room(imported) in WORKER_ROOMS, f"{module} imports {imported}"


def test_a_plugin_imports_no_stage_and_no_plugin_of_another_kind() -> None:
    kinds = {"datasets", "metrics", "sources", "engines", "stages"}
    for module in (name for name in of_workers() if name.count(".") == 2 and "stages" not in name):
        kind = module.split(".")[1]
        for imported in ours(modules()[module]):
            parts = imported.split(".")
            if parts[0] == "worker" and len(parts) > 2 and parts[1] in kinds:
                assert parts[1] == kind, f"{module} imports {imported}"


def test_modules_import_each_other_without_cycles() -> None:
    sorter = TopologicalSorter({name: ours(tree) - {name} for name, tree in modules().items()})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' -> '.join(error.args[1])}")


def test_libraries_stay_at_their_address() -> None:
    for module, tree in modules().items():
        unused = typing_only(tree)
        at_run_time = ast.Module([node for node in tree.body if node not in unused], [])
        for name in imports(at_run_time):
            library = name.partition(".")[0]
            assert room(module) in ADDRESSES.get(library, {room(module)}), f"{module} imports {library}"


def test_no_import_of_ours_hides_in_a_function_but_what_few_commands_need() -> None:
    found = {module: frozenset().union(*(ours(node) for node in functions(tree))) for module, tree in modules().items()}
    assert {module: imported for module, imported in found.items() if imported} == DEFERRED


def test_modules_hold_one_idea() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert path.read_text(encoding="utf-8").count("\n") <= MAX_MODULE_LINES, path


def test_functions_hold_one_idea() -> None:
    for module, tree in modules().items():
        for node in functions(tree):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{module}.{node.name} has {lines} lines"


def test_no_module_is_named_for_nothing() -> None:
    grab_bags = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not {name for name in modules() if grab_bags & set(name.split("."))}
