"""Small recipe projects on disk, for tests that compose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recipekit.project import Project

BODY = """\
name: digits
version: "1.0.0"
source: {kind: keras, path: models/m.keras}
evaluation: {dataset: {plugin: digits}}
"""

RECIPE = f"""\
# @package _global_
defaults:
  - /converter: none
  - _self_
{BODY}"""
"""The smallest recipe worth composing: seven lines after the defaults list's three."""


def recipe(*choices: str, body: str = "") -> str:
    """A recipe with more entries in its defaults list, in front of `_self_`, and more in its body."""
    entries = "".join(f"  - {choice}\n" for choice in choices)
    return f"# @package _global_\ndefaults:\n{entries}  - _self_\n{BODY}{body}"


def write_project(
    root: Path, files: Mapping[str, str | bytes], env: tuple[str, ...] = (), folder: str = "recipes"
) -> Project:
    """Writes a recipes folder; paths are relative to it."""
    recipes = root / folder
    recipes.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = recipes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Project(root=root, recipes=recipes, outputs=root / "outputs", env=env)
