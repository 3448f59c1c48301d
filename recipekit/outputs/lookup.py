"""Finds the folder of an output or a sweep by the name, path or URL that a user gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from recipekit import fsio
from recipekit.errors import ProjectError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.outputs.names import KEY, LATEST, SWEEP_ID
from recipekit.outputs.shared import SharedOutputs
from recipekit.project import Project, find_project
from recipekit.remote.url import check_url
from recipekit.summary import SUMMARY

_URL = re.compile(
    rf"(?P<base>[a-z0-9]+://.+)/(?:sweeps/(?P<sweep>{SWEEP_ID})|(?P<name>[^/]+)/(?:latest|(?P<version>[^/]+)/(?P<key>{KEY})))"
)
_SHORT = re.compile(rf"(?P<name>[^/]+)/(?:latest|(?P<version>[^/]+)/(?P<key>{KEY}))")


def find_folder(name: str, here: Path, recipes: Path | None = None) -> Path:
    """The folder of an output or of a sweep, links such as `latest` followed.

    Args:
        name: a path, relative to the current folder, to the project, to its outputs folder or to that of its sweeps, in
            this order; there need not be a project. `latest` is the newest sweep. What isn't here is looked for in the
            shared outputs, where the `latest` of a name is always asked for; a URL of an output or a sweep means those
            there. What is found there is brought into the project's outputs first.
        here: the current folder.
        recipes: the recipes folder, if the user names it.

    Returns:
        An absolute path.

    Raises:
        UsageError: there is no such folder, or it is the one of all outputs of a recipe.
        OutputFault: the file system refuses to look, or the shared outputs can't be used.
        OutputAltered: what is in the shared outputs isn't what its manifest says.
    """
    if "://" in name:
        return _at_url(name, find_project(here, recipes))
    places, known = [here], list[Path]()
    project: Project | None = None
    with suppress(ProjectError):
        project = find_project(here, recipes)
        places += [project.root, project.outputs, project.sweeps]
        known = [project.outputs / name, *project.outputs.glob("[!.]*")]
    with fsio.reported(Path(name)):
        found = next((place / name for place in places[:2] if (place / name).exists()), None)
        if found is None and project is not None and project.shared_outputs:
            _bring(name, project)
        if found is None:
            found = next((place / name for place in places[2:] if (place / name).exists()), None)
        if found is None and name == LATEST:
            found = _newest_sweep(places[-1])
    if found is None or not found.is_dir():
        raise UsageError(
            "is no folder" if found else f"there is no such output{_meant(name, known)}",
            where=name,
            fix="name an output's folder: a path, or NAME/latest or NAME/VERSION/KEY of this project, or a sweep's id",
        )
    if (found / LATEST).is_symlink():
        raise UsageError("holds outputs and is none itself", where=name, fix=f"name one of them, such as {name}/latest")
    return found.resolve()


def find_file(name: str, here: Path, recipes: Path | None = None) -> Path:
    """A file or folder by its path, or the folder of an output by its name or URL; the path where neither is there.

    Raises:
        UsageError: a URL names no output.
        OutputFault, OutputAltered: as of `find_folder`.
    """
    path = Path(name)
    if "://" in name:
        return find_folder(name, here, recipes)
    with suppress(UsageError):
        return path if (here / path).exists() else find_folder(name, here, recipes)
    return path


def _bring(name: str, project: Project) -> None:
    """Sees to it that an output or a sweep of the shared outputs is here, if there is one of that name."""
    shared, output = SharedOutputs.of(project), _SHORT.fullmatch(name)
    if output is not None and output["key"] is None:
        shared.bring_latest(output["name"])
    elif output is not None and not (project.outputs / name).exists():
        shared.bring(output["name"], output["version"], output["key"])
    elif re.fullmatch(SWEEP_ID, name) and not (project.sweeps / name).exists():
        shared.bring_sweep(name)


def _at_url(url: str, project: Project) -> Path:
    """The folder of what a URL names, brought here and verified, whatever was here before."""
    parts = _URL.fullmatch(url.rstrip("/"))
    if parts is None:
        raise UsageError(
            "names no output", where=url, fix="write URL/NAME/latest, URL/NAME/VERSION/KEY, or URL/sweeps/ID of a sweep"
        )
    shared = SharedOutputs(project.outputs, check_url(parts["base"], where=url))
    if parts["sweep"] is not None:
        found = shared.bring_sweep(parts["sweep"])
    else:
        version, key = parts["version"], parts["key"]
        if key is None:
            version, _, key = shared.latest_of(parts["name"]).partition("/")
        found = shared.bring(parts["name"], version, key) if key else None
    if found is None:
        raise UsageError("there is no such output", where=url, fix="look what is there with the service's own tools")
    return found


def _meant(name: str, known: Sequence[Path]) -> str:
    """The output that was probably meant.

    Args:
        name: as the user wrote it.
        known: where it would lie below the outputs folder, then that folder's own folders; empty outside of a project.
    """
    if not known:
        return ""
    place, *folders = known
    above, slash, last = name.rstrip("/").rpartition("/")
    if slash and place.parent.is_dir():
        near = [f"{above}/{path.name}" for path in place.parent.glob("[!.]*")]
        return did_you_mean(name, near) if last else ""
    return did_you_mean(name.partition("/")[0], [folder.name for folder in folders])


def _newest_sweep(sweeps: Path) -> Path | None:
    """The sweep that began last and has a record of it, or a summary; ids begin with the time."""
    found = (path.parent for name in (SUMMARY, "sweep.json") for path in sweeps.glob(f"*/{name}"))
    return max(found, default=None)
