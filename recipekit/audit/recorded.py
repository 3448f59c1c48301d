"""What an output has recorded, believed only after a look at every byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from recipekit import fsio, manifest
from recipekit.contracts import Measurement
from recipekit.errors import OutputAltered
from recipekit.outputs import differences


def read_whole(folder: Path) -> dict[str, Any]:
    """The manifest of an output that holds, byte for byte, what the manifest lists.

    Raises:
        OutputAltered: it isn't what its manifest says.
        OutputFault: it can't be read.
    """
    recorded = manifest.read(folder)
    with fsio.reported(folder):
        faults = differences(folder, recorded)
    if faults:
        raise OutputAltered(
            "\n  ".join(["differs from its manifest:", *map(str, faults)]),
            where=str(folder),
            fix="take an unaltered copy of it, or build it anew with `recipekit run --rebuild`",
        )
    return recorded


def read_recorded(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and results of an output.

    Raises:
        OutputAltered: it isn't what its manifest says, or was written by a recipekit that wrote other results.
        OutputFault: it can't be read.
    """
    recorded = read_whole(folder)
    with fsio.reported(folder):
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
