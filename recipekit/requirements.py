"""Whether the installed packages are those that recipekit's own metadata asks for; security floors stand there.

An installer keeps to them, but `pip install` of something else later, or `--no-deps`, doesn't.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from recipekit.errors import EnvironmentFault


@cache
def require(*names: str) -> None:
    """Looks whether some distributions are installed in a version that recipekit takes; reads no file but metadata.

    Args:
        names: normalized, of recipekit's own requirements.

    Raises:
        EnvironmentFault: one is missing, or too old or too new.
    """
    try:
        declared = [Requirement(line) for line in requires("recipekit") or ()]
    except PackageNotFoundError:
        return  # run from its source folder: nobody has promised anything
    for requirement in declared:
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if canonicalize_name(requirement.name) in names and wanted:
            _check(requirement)


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
