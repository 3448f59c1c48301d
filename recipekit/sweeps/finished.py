"""What has become of a sweep's children so far, and which need not run again: those whose output is there.

A child that failed runs again whatever it failed of. Whether the machine, the data or the recipe was at fault doesn't
show in every error, and a stage that had ended well before is found and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from recipekit import fsio, outcomes
from recipekit.errors import RecipekitError
from recipekit.manifest import FILE
from recipekit.outcome import Outcome
from recipekit.outputs import Outputs


def finished_children(folder: Path, outputs: Path) -> dict[int, Path]:
    """The outputs of a sweep's children that have ended with one that is still there, by the children's numbers.

    An output counts as there where its folder and its manifest are; `recipekit verify` reads every byte.

    Args:
        folder: of the sweep.
        outputs: the outputs folder of its project.

    Raises:
        OutputFault: the file system refused.
    """
    built = ((it.number, _output(it, outputs)) for it in ended_children(folder) if it.failure is None)
    return {number: output for number, output in built if output is not None}


def ended_children(folder: Path) -> Iterator[Outcome]:
    """The outcomes of a sweep's children, in no order.

    Raises:
        OutputFault: the file system refused.
    """
    with fsio.reported(folder):
        for path in folder.glob(f"*/{outcomes.FILE}"):
            outcome = _read(path)
            if outcome is not None and path.parent.name == str(outcome.number):
                yield outcome


def _read(path: Path) -> Outcome | None:
    """A child's outcome; None where another recipekit, or nobody, wrote it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Outcome)
    except msgspec.MsgspecError:
        return None


def _output(outcome: Outcome, outputs: Path) -> Path | None:
    try:
        output = Outputs(outputs).folder(outcome.name, outcome.version, outcome.build_key)
    except RecipekitError:
        return None
    same = str(output) == outcome.output  # else the project was moved, and the child says anew where its output is
    return output if same and (output / FILE).is_file() else None
