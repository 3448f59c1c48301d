"""Which of a sweep's children need not run again: those whose output is there.

A child that failed runs again, whatever the error was: an error doesn't always show whether the machine, the data or
the recipe was at fault. Stages that had succeeded are found in the store and cost nothing.
"""

from __future__ import annotations

from pathlib import Path

from recipekit import fsio
from recipekit.child_outcomes import Outcomes
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
    with fsio.reported(folder):
        built = ((it.number, _output(it, outputs)) for it in Outcomes(folder) if it.failure is None)
        return {number: output for number, output in built if output is not None}


def _output(outcome: Outcome, outputs: Path) -> Path | None:
    try:
        output = Outputs(outputs).folder(outcome.name, outcome.version, outcome.build_key)
    except RecipekitError:
        return None
    same = str(output) == outcome.output  # else the project was moved, and the child says anew where its output is
    return output if same and (output / FILE).is_file() else None
