"""What a sweep keeps in its folder so that another process can go on with it.

That is a copy of the recipes it began with (`copied/`), a record of how it began (`sweep.json`), and a lock that its
driver holds (`.lock`). The children's outcomes are written by the sweep. This room composes nothing and runs nothing.
"""

from recipekit.sweeps.continuing import require_repeatable, resumed_project
from recipekit.sweeps.copying import COPIED, copy_recipes
from recipekit.sweeps.driving import driven
from recipekit.sweeps.finding import find_sweep, sweep_ids
from recipekit.sweeps.finished import finished_children
from recipekit.sweeps.inputs import changed_inputs
from recipekit.sweeps.record import (
    GRID,
    RECORD,
    SEARCH,
    SO_FAR,
    Beginning,
    is_resumable,
    is_unfinished,
    read_record,
    write_record,
)

__all__ = [
    "COPIED",
    "GRID",
    "RECORD",
    "SEARCH",
    "SO_FAR",
    "Beginning",
    "changed_inputs",
    "copy_recipes",
    "driven",
    "find_sweep",
    "finished_children",
    "is_resumable",
    "is_unfinished",
    "read_record",
    "require_repeatable",
    "resumed_project",
    "sweep_ids",
    "write_record",
]
