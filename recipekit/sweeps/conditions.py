"""What a recipe's composition depends on besides the project's files: packaged options and defaults, and variables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import recipekit
from recipekit import digests
from recipekit.project import Project
from recipekit.secrecy import is_secret_variable

_SHIPPED = ("presets", "schema")
"""Folders of the package with options, and with defaults of what nobody wrote."""


@cache
def shipped() -> str:
    """The `dirHash1` of the packaged options and schemas."""
    package = Path(recipekit.__file__).parent
    files = (path for name in _SHIPPED for path in (package / name).rglob("*") if path.suffix in {".yaml", ".json"})
    return digests.of_names({path.relative_to(package).as_posix(): digests.of_file(path) for path in files})


def variables(project: Project, files: Iterable[str], overrides: Sequence[str]) -> dict[str, str | None]:
    """SHA-256 of the variables that recipes or overrides read; of all that they may, where one makes up a name.

    Args:
        project: as it reads its recipes from a copy.
        files: of the copy, by their paths there.
        overrides: of the command line.
    """
    assert project.copied is not None, "the project reads its recipes from where they stand"
    texts = [*overrides, *((project.copied / name).read_text("utf-8", errors="replace") for name in files)]
    asking = [text for text in texts if "oc.env" in text]
    any_name = any("oc.env:$" in text for text in asking)
    names = (name for name in project.env if not is_secret_variable(name))
    return {name: digest_of_variable(name) for name in names if any_name or any(name in text for text in asking)}


def digest_of_variable(name: str) -> str | None:
    """SHA-256 of an environment variable's value; None where it is not set."""
    value = os.environ.get(name)
    return None if value is None else digests.of_bytes(os.fsencode(value))
