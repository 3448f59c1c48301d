"""What became of one run: enough for a terminal, a table of a sweep, and an exit code."""

from __future__ import annotations

from typing import Any

from recipekit.acceptance import Check
from recipekit.contracts import Measurement, Record
from recipekit.errors import RecipekitError
from recipekit.secrecy import redacted

EXIT_CODES = {"accepted": 0, "rejected": 3, "not-judged": 4}
"""Exit code of each verdict."""

WORST_FIRST = (1, 7, 2, 5, 4, 6, 3, 0)
"""Exit codes in the order in which a sweep's children decide about the sweep's own."""


class Failure(Record, frozen=True, kw_only=True):
    """An expected error as data."""

    id: str
    exit_code: int
    what: str
    where: str
    fix: str
    log: str

    @classmethod
    def of(cls, error: RecipekitError) -> Failure:
        """The data of an error, secrets withheld."""
        return cls(
            id=error.id,
            exit_code=error.exit_code,
            what=redacted(error.what),
            where=redacted(error.where),
            fix=redacted(error.fix),
            log=error.log,
        )


class StageReport(Record, frozen=True, kw_only=True):
    """What became of one stage.

    Attributes:
        name: its label.
        seconds: what it took when it ran.
        found: whether its result was in the store.
        changes: of a stage that ran, what is different from the build before; empty where there was none.
        files: `dirHash1` of the files that it left; empty where it left none, or none that are the same each time.
    """

    name: str
    seconds: float
    found: bool
    changes: tuple[str, ...] = ()
    files: str = ""


class Outcome(Record, frozen=True, kw_only=True):
    """The end of one run.

    Attributes:
        recipe: the recipe's option name.
        overrides: of the command line, the recipe's choice left out.
        number: the child's number in a sweep; 0 for a single run.
        status: `accepted`, `rejected`, `not-judged` or `failed`.
        seconds: wall-clock time of this run.
        name: of the recipe; empty where it didn't get that far.
        version: of the recipe.
        build_key: of the output; empty where there is none.
        output: the output's folder, absolute; empty where there is none.
        already_built: whether the output was found instead of built.
        checks: every check, its bound, its value.
        measurement: all that was measured.
        warnings: what the recipe does that is probably not meant.
        stages: what was looked for or run, in the order in which it was there.
        failure: why there is no output; None where there is one.
    """

    recipe: str
    overrides: tuple[str, ...] = ()
    number: int = 0
    status: str
    seconds: float
    name: str = ""
    version: str = ""
    build_key: str = ""
    output: str = ""
    already_built: bool = False
    checks: tuple[Check, ...] = ()
    measurement: Measurement | None = None
    warnings: tuple[str, ...] = ()
    stages: tuple[StageReport, ...] = ()
    failure: Failure | None = None

    @property
    def exit_code(self) -> int:
        """What a command that ends with this outcome exits with."""
        return self.failure.exit_code if self.failure else EXIT_CODES[self.status]

    @property
    def sqnr_db(self) -> float | None:
        """Signal to quantization noise of the worst output; None where parity was not measured."""
        if self.measurement is None or not self.measurement.parity:
            return None
        return min(parity.sqnr_db for parity in self.measurement.parity.values())

    def row(self) -> dict[str, Any]:
        """One flat row for the table of a sweep."""
        return {
            "number": self.number,
            "recipe": self.recipe,
            "overrides": list(self.overrides),
            "name": self.name or self.recipe,
            "verdict": self.status,
            "exit_code": self.exit_code,
            "error": f"{self.failure.id} {self.failure.what}" if self.failure else None,
            "size": self.measurement.size if self.measurement else None,
            "sqnr_db": self.sqnr_db,
            "seconds": self.seconds,
            "output": self.output,
        }


def worst_exit_code(codes: list[int]) -> int:
    """The exit code of a sweep: its worst child's, in the order of `WORST_FIRST`; 0 without children."""
    return min(codes, key=WORST_FIRST.index, default=0)
