"""The table of a sweep: a row a child, what all children have in common told once beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest

from rich.text import Text

from recipekit.cli.tables import PlainTable, plain_table
from recipekit.outcome import Outcome

_MOST_CHILDREN = 50
"""Rows of the table; what a terminal has scrolled away nobody reads, and a row takes a millisecond."""

_NUMBERS = {"#", "bytes", "SQNR dB", "seconds", "exit"}


class SweepTable:
    """The children of a sweep, of many those that went wrong before all others.

    Attributes:
        statuses: how many children ended how.
        errors: ids of errors, in the order in which they came.
    """

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        """Looks at every outcome once.

        Args:
            outcomes: of all children.
        """
        self.statuses = Counter[str]()
        self.errors: dict[str, None] = {}
        self._recipes = set[str]()
        self._shared: list[str] = []
        chosen = nsmallest(_MOST_CHILDREN, self._through(outcomes), key=lambda outcome: outcome.exit_code == 0)
        self._shown = sorted(chosen, key=lambda outcome: outcome.number)

    def table(self, styles: Mapping[str, str]) -> PlainTable:
        """The rows, without columns that say nothing.

        Args:
            styles: of statuses.
        """
        shared = self._common()
        rows = [_row(outcome, shared, styles) for outcome in self._shown]
        silent = {name for name in ("recipe", "overrides") if not any(row[name] for row in rows)}
        silent |= {"recipe"} if len(self._recipes) < 2 else set()
        spoken = (name for name in _COLUMNS if name not in silent)
        table = plain_table(*(f"{name}>" if name in _NUMBERS else name for name in spoken), apart=True)
        for row in rows:
            table.add_row(*(cell for name, cell in row.items() if name not in silent))
        return table

    def notes(self) -> Iterator[str]:
        """What the table leaves out, a line each."""
        if shared := self._common():
            yield f"the same for all: {' '.join(shared)}"
        if self.statuses.total() > len(self._shown):
            told = ", ".join(f"{count:,} {status}" for status, count in self.statuses.most_common())
            yield f"{len(self._shown)} of {self.statuses.total():,} children are shown: {told} in all"

    def _common(self) -> Sequence[str]:
        """Overrides of every child; of one alone they are its own."""
        return self._shared if self.statuses.total() > 1 else []

    def _through(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            own = set(outcome.overrides)
            self._shared = [it for it in self._shared if it in own] if self.statuses else list(outcome.overrides)
            self.statuses[outcome.status] += 1
            self._recipes.add(outcome.recipe)
            if outcome.failure is not None:
                self.errors[outcome.failure.id] = None
            yield outcome


_COLUMNS = ("#", "recipe", "overrides", "verdict", "bytes", "SQNR dB", "seconds", "exit")


def _row(outcome: Outcome, shared: Sequence[str], styles: Mapping[str, str]) -> dict[str, str | Text]:
    measured = outcome.measurement
    verdict = outcome.failure.id if outcome.failure else outcome.status
    return dict(
        zip(
            _COLUMNS,
            (
                str(outcome.number),
                outcome.recipe,
                " ".join(it for it in outcome.overrides if it not in shared),
                Text(verdict, style=styles.get(outcome.status, "yellow")),
                f"{measured.size:,}" if measured else "",
                f"{outcome.sqnr_db:.1f}" if outcome.sqnr_db is not None else "",
                f"{outcome.seconds:.1f}",
                str(outcome.exit_code),
            ),
            strict=True,
        )
    )
