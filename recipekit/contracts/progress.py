"""How far a stage has come, as its worker tells and as a terminal shows it."""

from __future__ import annotations

from recipekit.contracts.record import Record


class Progress(Record, frozen=True, kw_only=True):
    """How far a step that runs has come; as text, one short line.

    Attributes:
        done: how many units are behind it.
        total: how many there are; None where nobody knows.
        unit: what is counted, in the plural.
        note: what else there is to say.
        seconds_before: how long the step took when it ran last; None where nobody knows.
    """

    done: int = 0
    total: int | None = None
    unit: str = ""
    note: str = ""
    seconds_before: float | None = None

    @property
    def counted(self) -> str:
        """How many of how many; empty where nobody knows."""
        return f"{self.done:,} of {self.total:,} {self.unit}" if self.total is not None else ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.counted, self.note)))
