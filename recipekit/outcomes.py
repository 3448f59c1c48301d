"""The outcomes of a sweep's children, read one at a time from where each child has left its own.

A sweep may have more children than memory should hold outcomes, some ten kilobytes each. So whoever looks at all of
them goes through their files, and only who asks for one has it.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import msgspec

from recipekit.contracts import Record
from recipekit.outcome import EXIT_CODES, Failure, Outcome, worst_exit_code

FILE = "outcome.json"
"""The file of a child, in a folder by its number."""


class _Ending(Record, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """As much of an outcome as its exit code needs."""

    status: str
    failure: Failure | None = None


class Outcomes(Sequence[Outcome]):
    """The outcomes below a sweep's folder, in the order of their numbers; each is read when it is asked for.

    Which there are is looked up once. It takes eight bytes a child.
    """

    def __init__(self, folder: Path, lost: tuple[Outcome, ...] = ()) -> None:
        """Looks which children have ended.

        Args:
            folder: of the sweep.
            lost: outcomes that have no file; they come last.

        Raises:
            OSError: the folder can't be read.
        """
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries if entry.name.isdecimal())
            numbers = sorted(int(name) for name in names if os.access(f"{folder}/{name}/{FILE}", os.F_OK))
        self._folder = folder
        self._numbers = array("q", numbers)
        self._lost = lost

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
        return msgspec.json.decode(self._bytes(self._numbers[place]), type=Outcome)

    def __iter__(self) -> Iterator[Outcome]:
        return map(self.__getitem__, range(len(self)))

    @cached_property
    def exit_code(self) -> int:
        """The worst child's."""
        decoder = msgspec.json.Decoder(_Ending)
        endings = {decoder.decode(self._bytes(number)) for number in self._numbers}
        found = {each.failure.exit_code if each.failure else EXIT_CODES[each.status] for each in endings}
        return worst_exit_code([*found, *(outcome.exit_code for outcome in self._lost)])

    def _bytes(self, number: int) -> bytes:
        with open(f"{self._folder}/{number}/{FILE}", "rb") as stream:  # noqa: PTH123  half the time of a Path
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
