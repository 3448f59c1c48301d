"""What a launcher promises, whatever engine it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from recipekit.execution import Watcher
from recipekit.launching.task import Task
from recipekit.outcome import Outcome


class ChildWatcher(Watcher, Protocol):
    """Is told what becomes of one child."""

    def ended(self, outcome: Outcome) -> None:
        """The child has ended, with an output or without one."""


class Launcher(Protocol):
    """Runs the children of one sweep."""

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        """Runs every task, and returns when all have ended.

        A child that raises, is killed, takes too long or loses its node is an outcome with a `failure`; no other child
        suffers from it.

        Args:
            tasks: the children. Another one is taken only when it can begin soon, since a sweeper may choose it by what
                has ended before; how many are under way at once is the launcher's to decide.
            ended: is told each child's outcome as soon as it is known, by any thread, one at a time or several at once.

        Raises:
            RecipekitError: the engine can't be reached or doesn't take children at all.
        """
