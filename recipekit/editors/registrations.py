"""Names of plugins that a project's own modules register, found by reading the source, since none of it may run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from recipekit.compose.folders import recipe_folders
from recipekit.compose.limits import LOADER, excess
from recipekit.project import Project


def registered(project: Project, kind: str) -> tuple[str, ...]:
    """Names of a kind (`datasets`, `metrics`) in calls such as `register("datasets", "my_frames")`, sorted.

    The modules are those that the recipes name; one that can't be read registers nothing.
    """
    found = {name for file in _modules(project) for named, name in _calls(file) if named == kind}
    return tuple(sorted(found))


def _modules(project: Project) -> set[Path]:
    """The project's files behind the `modules` of all recipes and options."""
    files = [file for folder in recipe_folders(project) for file in folder.rglob("*.yaml")]
    named = {name for file in files for name in _named(_content(file))}
    places = {project.root / (name if name.endswith(".py") else f"{name.replace('.', '/')}.py") for name in named}
    return {place for place in places if place.is_file()}


def _content(file: Path) -> Any:
    with suppress(yaml.YAMLError, UnicodeDecodeError, OSError):
        text = file.read_text(encoding="utf-8-sig")
        return None if excess(text) else yaml.load(text, Loader=LOADER)  # noqa: S506  both are safe loaders
    return None


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        modules = value.get("modules")
        yield from (name for name in modules if isinstance(name, str)) if isinstance(modules, list) else ()
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _calls(file: Path) -> Iterator[tuple[str, str]]:
    """Kind and name of each registration that is written with plain texts."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2] == "register"
            and len(node.args) == 2
        ):
            kind, name = node.args
            if isinstance(kind, ast.Constant) and isinstance(name, ast.Constant):
                yield str(kind.value), str(name.value)
