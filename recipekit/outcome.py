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

    @property
    def argmax_agreement(self) -> float | None:
        """Share of samples with the same argmax, of the worst output; None where no output has classes."""
        outputs = self.measurement.parity.values() if self.measurement else ()
        return min((it.argmax_agreement for it in outputs if it.argmax_agreement is not None), default=None)

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of the checks that it was not accepted for: failed ones, or else inconclusive, or else not judged."""
        if self.status == "accepted":
            return ()
        verdicts = ("fail", "inconclusive", "not-judged")
        names = (tuple(it.name for it in self.checks if it.verdict == verdict) for verdict in verdicts)
        return next(filter(None, names), ())

    def row(self) -> dict[str, Any]:
        """One flat row for the table of a sweep."""
        measured = self.measurement
        return {
            "number": self.number,
            "recipe": self.recipe,
            "overrides": list(self.overrides),
            "name": self.name or self.recipe,
            "verdict": self.status,
            "exit_code": self.exit_code,
            "error": f"{self.failure.id} {self.failure.what}" if self.failure else None,
            "size": measured.size if measured else None,
            "sqnr_db": self.sqnr_db,
            "seconds": self.seconds,
            "output": self.output,
            "version": self.version,
            "build_key": self.build_key,
            "ratio": measured.size_ratio if measured else None,
            "argmax_agreement": self.argmax_agreement,
            "latency_p50_ms": measured.latency.p50_ms if measured and measured.latency else None,
            "failed_checks": list(self.failed_checks),
            **self._task_columns(),
        }

    def _task_columns(self) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for metric, score in self.measurement.task.items() if self.measurement else ():
            columns |= {
                f"task.{metric}": score.converted_value,
                f"task.{metric}.float": score.float_value,
                f"task.{metric}.drop": score.drop,
                f"task.{metric}.better": "higher" if score.higher_is_better else "lower",
            }
        return columns


def worst_exit_code(codes: list[int]) -> int:
    """The exit code of a sweep: its worst child's, in the order of `WORST_FIRST`; 0 without children."""
    return min(codes, key=WORST_FIRST.index, default=0)
