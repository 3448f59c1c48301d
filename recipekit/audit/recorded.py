"""What an output has recorded, believed only after a look at every byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from recipekit import fsio, manifest
from recipekit.contracts import Measurement
from recipekit.errors import OutputAltered, UsageError
from recipekit.nearest import did_you_mean
from recipekit.outputs import differences
from recipekit.project import Project


def output_folder(named: str, project: Project | None) -> Path | None:
    """The folder of the output that a user names, links followed; None where it names none.

    Args:
        named: a folder, or a place below the project's outputs as in `mobilenet_int8/latest`.
        project: None outside of a project.
    """
    places = [Path(named), *([project.outputs / named] if project is not None else [])]
    return next((place.resolve() for place in places if (place / manifest.FILE).is_file()), None)


def require_output(named: str, project: Project | None) -> Path:
    """The same for verbs about outputs alone.

    Raises:
        UsageError: it names no output.
    """
    folder = output_folder(named, project)
    if folder is None:
        known = [path.name for path in project.outputs.glob("[!.]*")] if project is not None else []
        raise UsageError(
            f"there is no output '{named}'{did_you_mean(named.partition('/')[0], known)}",
            where="command line",
            fix=f"name the folder that holds an output's {manifest.FILE}, or NAME/latest",
        )
    return folder


def read_recorded(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and results of an output.

    Raises:
        OutputAltered: it isn't what its manifest says, or was written by a recipekit that wrote other results.
        OutputFault: it can't be read.
    """
    recorded = manifest.read(folder)
    with fsio.reported(folder):
        faults = differences(folder, recorded)
        if faults:
            fix = f"look at it with `recipekit verify {folder}`, or build it anew with --rebuild"
            raise OutputAltered("\n  ".join(["differs from its manifest:", *faults]), where=str(folder), fix=fix)
        content = (folder / manifest.RESULTS).read_bytes()
    try:
        results: dict[str, Any] = msgspec.json.decode(content)
        msgspec.convert(results["measurement"], Measurement)
    except (msgspec.MsgspecError, KeyError) as error:
        raise OutputAltered(
            f"is not as this recipekit writes it: {error}",
            where=str(folder / manifest.RESULTS),
            fix="build it anew with --rebuild",
        ) from error
    return recorded, results
