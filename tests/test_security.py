"""What SECURITY.md says against what the package does."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from recipekit.pool import Limits
from recipekit.worker.guarded_archive import FREE_BYTES, MAX_EXPANSION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, str]:
    """First two cells of each row in the first table below a text."""
    below = TEXT.partition(heading)[2]
    rows = re.match(r"[\s\S]*?\n((?:\|.*\n)+)", below)
    assert rows
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[1].splitlines()[2:]]
    return {first.strip("`"): second for first, second, *_ in cells}


def floors() -> dict[str, list[tuple[str, Marker | None]]]:
    """Lowest versions that pyproject allows, by package, with the marker of each."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, list[tuple[str, Marker | None]]] = {}
    for requirement in map(Requirement, project["dependencies"]):
        lowest = [clause.version for clause in requirement.specifier if clause.operator == ">="]
        found.setdefault(requirement.name, []).extend((version, requirement.marker) for version in lowest)
    return found


@pytest.mark.parametrize("package", list(table("## Floors")))
def test_the_floors_are_those_of_the_package(package: str) -> None:
    said = table("## Floors")[package]
    declared = [version for version, _ in floors()[package]]
    assert re.findall(r"(?<!Python )\b\d+(?:\.\d+)+", said) == declared


def test_the_limits_are_those_of_the_workers() -> None:
    said, limits = table("The limits of a child"), Limits()
    assert list(said) == ["stage_timeout", "memory_limit_mib", "file_limit_mib", "process_limit"]
    assert float(said["stage_timeout"]) == limits.seconds
    assert float(said["file_limit_mib"]) == limits.file_mib
    assert said["process_limit"].startswith("64,")


def test_the_bounds_of_archives_are_those_of_the_guards() -> None:
    assert TEXT.count(f"{MAX_EXPANSION} times what is stored (beyond {FREE_BYTES // 2**20} MiB)") == 2
