"""Where the children of a sweep run: in this process, or on an engine that the user has.

A launcher takes tasks one after the other, as soon as it can start another one, and tells how each has ended. Whatever
becomes of a child's process or node, the launcher goes on: such a child has failed, and says why. It knows neither
which children there are nor what a sweep writes.
"""

from recipekit.launching.by_hydra import ByHydra
from recipekit.launching.choice import open_launcher
from recipekit.launching.contract import ChildWatcher, Launcher
from recipekit.launching.here import Here
from recipekit.launching.task import Task, run_task

__all__ = ["ByHydra", "ChildWatcher", "Here", "Launcher", "Task", "open_launcher", "run_task"]
