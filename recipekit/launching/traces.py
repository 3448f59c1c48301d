"""Files by which children in other processes say that they have begun, and how they have ended.

An engine that loses a process says little of the children in it; these files do. A child without one has never begun,
and one that has begun but not ended was lost, or still runs. This module knows no engine.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from recipekit import fsio
from recipekit.launching.task import Task, run_task
from recipekit.launching.variables import deciding, take
from recipekit.outcome import Outcome

_BEGUN, _ENDED = ".begun", ".json"


class Traces:
    """The traces of a sweep's children in one folder, for those that leave them and for the driver; picklable."""

    def __init__(self, folder: Path) -> None:
        """Reads and writes nothing.

        Args:
            folder: of the traces; on a file system that the children's processes and the driver share.
        """
        self.folder = folder
        self._variables = deciding()

    def carry_out(self, task: Task) -> None:
        """Carries out a task in this process, with the variables of the sweep's own."""
        take(self._variables)
        self._path(task.number, _BEGUN).touch()
        self.end(run_task(task))

    def end(self, outcome: Outcome) -> None:
        """Leaves the trace of a child's end."""
        unfinished = self._path(outcome.number, f".{os.getpid()}")
        unfinished.write_bytes(msgspec.json.encode(outcome))
        unfinished.replace(self._path(outcome.number, _ENDED))

    def has_begun(self, number: int) -> bool:
        """Whether a child has begun."""
        return self._path(number, _BEGUN).exists()

    def arrivals(self, awaited: Container[int]) -> Iterator[Outcome]:
        """Outcomes of children that have ended; their traces go.

        Args:
            awaited: numbers of the children that matter.

        Raises:
            OutputFault: the file system refused.
        """
        with fsio.reported(self.folder):
            self.folder.chmod(self.folder.stat().st_mode)  # a network file system now looks at it anew
            names = os.listdir(self.folder)  # noqa: PTH208  names alone, of a folder that may be large
        for name in names:
            stem, extension = os.path.splitext(name)  # noqa: PTH122
            if extension == _ENDED and int(stem) in awaited:
                with fsio.reported(self.folder):
                    outcome = msgspec.json.decode((self.folder / name).read_bytes(), type=Outcome)
                    self.forget(outcome.number)
                yield outcome

    def forget(self, number: int) -> None:
        """Removes a child's traces."""
        for extension in (_BEGUN, _ENDED):
            with suppress(FileNotFoundError):
                self._path(number, extension).unlink()

    def _path(self, number: int, extension: str) -> Path:
        return self.folder / f"{number}{extension}"
