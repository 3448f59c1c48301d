"""Whether the installed packages are those that recipekit's own metadata asks for; security floors stand there.

An installer keeps to them, but `pip install` of something else later, or `--no-deps`, doesn't.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from recipekit.errors import EnvironmentFault


def declared() -> tuple[Requirement, ...]:
    """What recipekit asks for on this interpreter, without extras; nothing where it runs from its source folder."""
    return tuple(it for it in _requirements() if it.marker is None or it.marker.evaluate({"extra": ""}))


def extras() -> dict[str, tuple[str, ...]]:
    """The distributions that each extra of recipekit's brings, by the extra's name, sorted."""
    found: dict[str, list[str]] = {}
    for requirement in _requirements():
        named = re.search(r"extra == ['\"]([\w-]+)['\"]", str(requirement.marker or ""))
        if named and requirement.marker is not None and requirement.marker.evaluate({"extra": named[1]}):
            found.setdefault(named[1], []).append(requirement.name)
    return {extra: tuple(names) for extra, names in sorted(found.items())}


@cache
def require(*names: str) -> None:
    """Looks whether some distributions are installed in a version that recipekit takes; reads no file but metadata.

    Args:
        names: normalized, of recipekit's own requirements.

    Raises:
        EnvironmentFault: one is missing, or too old or too new.
    """
    for requirement in declared():
        if canonicalize_name(requirement.name) in names:
            _check(requirement)


def _requirements() -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires("recipekit") or ()]
    except PackageNotFoundError:
        return []  # run from its source folder: nobody has promised anything


def _check(requirement: Requirement) -> None:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        found = ""
    if found and requirement.specifier.contains(found, prereleases=True):
        return
    state = f"is installed in version {found}" if found else "is not installed"
    raise EnvironmentFault(
        f"{requirement.name} {state}, and recipekit needs {requirement.specifier}",
        where="environment",
        fix=f'pip install "{requirement.name}{requirement.specifier}"',
    )
