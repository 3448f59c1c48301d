"""The children of a sweep as results, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from recipekit.api.results import RunResult
from recipekit.outcome import Outcome


class Runs(Sequence[RunResult]):
    """The children of a sweep, each read from its file when it is asked for: a sweep may have very many."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        """Reads nothing yet."""
        self._outcomes = outcomes

    def __len__(self) -> int:
        return len(self._outcomes)

    @overload
    def __getitem__(self, at: int) -> RunResult: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[RunResult, ...]: ...
    def __getitem__(self, at: int | slice) -> RunResult | tuple[RunResult, ...]:
        if isinstance(at, slice):
            return tuple(map(RunResult, self._outcomes[at]))
        return RunResult(self._outcomes[at])

    def __iter__(self) -> Iterator[RunResult]:
        return map(RunResult, self._outcomes)
