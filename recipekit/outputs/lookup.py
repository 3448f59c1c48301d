"""Which folder a user means who names an output."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from recipekit import fsio
from recipekit.errors import ProjectError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.project import find_project


def find_folder(name: str, here: Path, recipes: Path | None = None) -> Path:
    """The folder of an output or of a sweep, links such as `latest` followed.

    Args:
        name: a path, relative to the current folder, to the project, to its outputs folder or to that of its sweeps, in
            this order; there need not be a project. `latest` is the newest sweep.
        here: the current folder.
        recipes: the recipes folder, if the user names it.

    Returns:
        An absolute path.

    Raises:
        UsageError: there is no such folder, or it is the one of all outputs of a recipe.
        OutputFault: the file system refuses to look.
    """
    places, known = [here], list[Path]()
    with suppress(ProjectError):
        project = find_project(here, recipes)
        places += [project.root, project.outputs, project.outputs / "sweeps"]
        known = [project.outputs / name, *project.outputs.glob("[!.]*")]
    with fsio.reported(Path(name)):
        found = next((place / name for place in places if (place / name).exists()), None)
        if found is None and name == "latest":
            found = _newest_sweep(places[-1])
    if found is None or not found.is_dir():
        raise UsageError(
            "is no folder" if found else f"there is no such output{_meant(name, known)}",
            where=name,
            fix="name an output's folder: a path, or NAME/latest or NAME/VERSION/KEY of this project, or a sweep's id",
        )
    if (found / "latest").is_symlink():
        raise UsageError("holds outputs and is none itself", where=name, fix=f"name one of them, such as {name}/latest")
    return found.resolve()


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
    found = (path.parent for name in ("summary.json", "sweep.json") for path in sweeps.glob(f"*/{name}"))
    return max(found, default=None)
