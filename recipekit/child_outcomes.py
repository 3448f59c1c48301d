"""The outcomes of a sweep's children, read one at a time from where each child has left its own.

An outcome takes some ten kilobytes, and a sweep may have so many children that all of them would fill the memory. So
they stay in their files: who goes through all holds one at a time.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import msgspec

from recipekit.metrics import flat_metrics
from recipekit.outcome import Outcome, worst_exit_code
from recipekit.pareto import Direction
from recipekit.studied import read_study
from recipekit.summary import weighing

FILE = "outcome.json"
"""The file of a child, in a folder by its number."""


def outcome_of(folder: Path, number: int) -> Outcome | None:
    """The outcome that a child has left; None where it hasn't ended, or what is there isn't its outcome.

    Args:
        folder: of the sweep.
        number: the child's.

    Raises:
        OSError: it can't be read.
    """
    try:
        outcome = msgspec.json.decode(_bytes(folder, number), type=Outcome)
    except (FileNotFoundError, msgspec.MsgspecError):  # another recipekit may have written it, or a crash half of it
        return None
    return outcome if outcome.number == number else None


def objectives_of(folder: Path) -> dict[str, Direction] | None:
    """What a sweep that searched aimed at, by the columns of its summary; None for one that didn't search.

    Raises:
        OutputAltered: the record of its study is none.
        OSError: it can't be read.
    """
    study = read_study(folder)
    return None if study is None else weighing(study.objectives)


def row_of(outcome: Outcome, objectives: Iterable[str] | None) -> dict[str, Any]:
    """One flat row for the table of a sweep, in which nothing is missing that its search aimed at.

    Args:
        outcome: of a child.
        objectives: columns of what it aimed at; None where nobody searched.
    """
    row = outcome.row()
    missing = [column for column in objectives or () if column not in row]
    measured = flat_metrics(outcome.measurement) if missing and outcome.measurement is not None else {}
    return {**row, **{column: measured.get(column) for column in missing}}


class Outcomes(Sequence[Outcome]):
    """The outcomes below a sweep's folder, in the order of their numbers; each is read when it is asked for.

    Which there are is looked up once. It takes eight bytes a child.

    Attributes:
        exit_code: the worst child's.
    """

    def __init__(self, folder: Path, lost: tuple[Outcome, ...] = ()) -> None:
        """Looks which children have ended, by a look at each outcome; what is none is left out.

        Args:
            folder: of the sweep.
            lost: outcomes that have no file; they come last.

        Raises:
            OSError: the folder or a file can't be read.
        """
        with os.scandir(folder) as entries:
            numbers = sorted(int(entry.name) for entry in entries if entry.name.isdecimal())
        self._folder = folder
        self._numbers = array("q")
        self._lost = lost
        codes = {outcome.exit_code for outcome in lost}
        for number in numbers:
            outcome = outcome_of(folder, number)
            if outcome is not None:
                self._numbers.append(number)
                codes.add(outcome.exit_code)
        self.exit_code = worst_exit_code(list(codes))

    def __len__(self) -> int:
        return len(self._numbers) + len(self._lost)

    @overload
    def __getitem__(self, at: int) -> Outcome: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Outcome, ...]: ...
    def __getitem__(self, at: int | slice) -> Outcome | tuple[Outcome, ...]:
        """An outcome by its place, or some of them.

        Raises:
            OSError: a child's file has gone.
            msgspec.DecodeError: it is no outcome.
        """
        if isinstance(at, slice):
            return tuple(self[place] for place in range(*at.indices(len(self))))
        place = range(len(self))[at]
        if place >= len(self._numbers):
            return self._lost[place - len(self._numbers)]
        return msgspec.json.decode(_bytes(self._folder, self._numbers[place]), type=Outcome)

    def __iter__(self) -> Iterator[Outcome]:
        return map(self.__getitem__, range(len(self)))


def _bytes(folder: Path, number: int) -> bytes:
    with open(f"{folder}/{number}/{FILE}", "rb") as stream:  # noqa: PTH123  half the time of a Path
        return stream.read()


class Lines(Collection[dict[str, Any]]):
    """Rows in a file of JSON lines, read anew each time that they are gone through."""

    def __init__(self, file: Path, rows: Iterator[Mapping[str, Any]]) -> None:
        """Writes the file.

        Raises:
            OSError: it can't be written.
        """
        self._file = file
        self._count = 0
        encoder = msgspec.json.Encoder()
        with file.open("wb") as stream:
            for row in rows:
                stream.write(encoder.encode(row) + b"\n")
                self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        decoder = msgspec.json.Decoder(dict[str, Any])
        with self._file.open("rb") as stream:
            yield from map(decoder.decode, stream)

    def __contains__(self, row: object) -> bool:
        return any(row == each for each in self)
