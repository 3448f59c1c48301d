"""Rules of the language itself: its version, and names that can't be given."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.faults import Fault
from recipekit.rules.section import Section

LANGUAGE_VERSION = 1
"""The newest `schema_version` that this recipekit reads."""


_RESERVED_NAMES = {
    "con",
    "prn",
    "aux",
    "nul",
    "latest",
    "sweeps",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def language_version(recipe: Section) -> Iterator[Fault]:
    """A recipe that was written for a newer language."""
    version = recipe["schema_version"]
    if version > LANGUAGE_VERSION:
        yield Fault(
            ("schema_version",),
            f"'schema_version' {version} is too new: this recipekit reads up to {LANGUAGE_VERSION}; upgrade recipekit",
        )


def reserved_names(recipe: Section) -> Iterator[Fault]:
    """Names that mean something to the outputs folder, or to an operating system."""
    if recipe["name"].split(".")[0] in _RESERVED_NAMES:
        yield Fault(("name",), f"'name' must not be '{recipe['name']}', which is reserved")
