"""What builds give: a run, and a sweep of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from recipekit import manifest as manifests
from recipekit.acceptance import Check
from recipekit.api.shown import Shown, address, near
from recipekit.contracts import Measurement
from recipekit.errors import InternalError, NotAccepted, RecipekitError, by_id
from recipekit.metrics import flat_metrics
from recipekit.outcome import Failure, Outcome, StageReport, worst_exit_code
from recipekit.report import Panel, Table, check_rows
from recipekit.studied import Studied
from recipekit.summary import SUMMARY_PAGE

_SHOWN = 200
"""Children of a sweep that a notebook shows."""


@dataclass(frozen=True, repr=False)
class RunResult(Shown):
    """The end of one run.

    Attributes:
        outcome: everything that `recipekit run --format json` prints.
    """

    outcome: Outcome

    @property
    def recipe(self) -> str:
        """The recipe's option name."""
        return self.outcome.recipe

    @property
    def overrides(self) -> tuple[str, ...]:
        """What it was run with."""
        return self.outcome.overrides

    @property
    def verdict(self) -> str:
        """`accepted`, `rejected`, `not-judged`; of a sweep's child that has no output, `failed`."""
        return self.outcome.status

    @property
    def accepted(self) -> bool:
        """Whether every bound of the recipe holds."""
        return self.outcome.status == "accepted"

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every bound against its measured value."""
        return self.outcome.checks

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """Those of the checks that didn't pass."""
        return tuple(check for check in self.outcome.checks if check.verdict != "pass")

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Measured numbers under the names of bounds: `parity.sqnr_db`, `task.top1_accuracy`, `size.bytes` ...

        See `recipekit.metrics.flat_metrics`; nothing for a child without an output.
        """
        return flat_metrics(self.outcome.measurement) if self.outcome.measurement else {}

    @property
    def measurement(self) -> Measurement:
        """Everything that was measured, output by output.

        Raises:
            RecipekitError: the failure of a sweep's child that has no output.
        """
        if self.outcome.measurement is None:
            raise self._failed()
        return self.outcome.measurement

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the recipe does that is probably not meant."""
        return self.outcome.warnings

    @property
    def stages(self) -> tuple[StageReport, ...]:
        """What became of each stage: found or run, in how many seconds, and which input had changed."""
        return self.outcome.stages

    @property
    def failure(self) -> Failure | None:
        """Why a sweep's child has no output; None where there is one."""
        return self.outcome.failure

    @property
    def exit_code(self) -> int:
        """What `recipekit run` would exit with."""
        return self.outcome.exit_code

    @property
    def output(self) -> Path:
        """The output's folder, absolute.

        Raises:
            RecipekitError: the failure of a sweep's child that has no output. So for the paths below.
        """
        if not self.outcome.output:
            raise self._failed()
        return Path(self.outcome.output)

    @property
    def model(self) -> Path:
        """`model.tflite`."""
        return self.output / manifests.MODEL

    @property
    def report(self) -> Path:
        """`report.html`."""
        return self.output / manifests.REPORT

    @property
    def manifest(self) -> Path:
        """`manifest.json`."""
        return self.output / manifests.FILE

    @property
    def results(self) -> Path:
        """`results.json`."""
        return self.output / manifests.RESULTS

    def require_accepted(self) -> RunResult:
        """Itself, if it is accepted.

        Raises:
            NotAccepted: it isn't; the message names every check that didn't pass.
            RecipekitError: the failure of a sweep's child that has no output.
        """
        if self.outcome.failure is not None:
            raise self._failed()
        if not self.accepted:
            lines = [f"{check.name}: {_compared(check)} ({check.verdict})" for check in self.failed_checks]
            raise NotAccepted(
                "\n  ".join([f"the model is {self.verdict}:", *lines]),
                where=self.outcome.name,
                fix=f"see {near(self.report)}; change what the recipe converts, or what it accepts",
            )
        return self

    def __repr__(self) -> str:
        words = " ".join((self.recipe, *self.overrides))
        where = near(self.output) if self.outcome.output else f"{self.failure.id}" if self.failure else ""
        return f"RunResult({words}: {self.verdict}, {where})"

    def _failed(self) -> RecipekitError:
        failure = self.outcome.failure
        if failure is None:
            return InternalError("an outcome has neither an output nor a failure", where=self.recipe)
        return by_id().get(failure.id, InternalError)(
            failure.what, where=failure.where, fix=failure.fix, log=failure.log
        )

    def _panel(self) -> Panel:
        outcome = self.outcome
        title = " ".join((outcome.name or outcome.recipe, outcome.version, *outcome.overrides))
        if outcome.failure is not None:
            failure = outcome.failure
            facts = {failure.id: failure.what, "where": failure.where, "fix": failure.fix}
            return Panel(title, "failed", {name: text for name, text in facts.items() if text})
        facts = {
            "size": f"{self.measurement.size:,} bytes",
            "time": f"{outcome.seconds:.1f} s{', already built' if outcome.already_built else ''}",
            "output": near(self.output),
        }
        tables = [check_rows(msgspec.to_builtins(outcome.checks))] if outcome.checks else []
        if outcome.warnings:
            tables.append(Table("Warnings", ("Warning",), [(text,) for text in outcome.warnings]))
        return Panel(title, outcome.status, facts, {"report": address(self.report)}, tables)


@dataclass(frozen=True, repr=False)
class SweepResult(Shown):
    """A finished sweep, iterable over its children.

    Attributes:
        folder: `outputs/sweeps/<id>`, which holds the summary.
        runs: every child by its number, those that failed among them; each is read when it is asked for.
        study: of a search, every trial with its values; None for a sweep that didn't search.
    """

    folder: Path
    runs: Sequence[RunResult]
    study: Studied | None = None

    @property
    def accepted(self) -> tuple[RunResult, ...]:
        """The children that their recipes accept."""
        return tuple(run for run in self.runs if run.accepted)

    @property
    def best(self) -> tuple[RunResult, ...]:
        """Of a search, the accepted children that no other trial beats: one, or with several objectives their front."""
        numbers = self.study.best if self.study is not None else ()
        return tuple(run for run in self.runs if run.outcome.number in numbers)

    @property
    def exit_code(self) -> int:
        """What `recipekit run -m` would exit with: the worst child's."""
        return worst_exit_code(list({run.exit_code for run in self.runs}))

    @property
    def report(self) -> Path:
        """`summary.html`."""
        return self.folder / SUMMARY_PAGE

    def rows(self) -> list[dict[str, Any]]:
        """A flat mapping a child, as a data frame takes it: what `summary.json` holds, and every metric."""
        return [{**run.outcome.row(), **run.metrics} for run in self.runs]

    def require_accepted(self) -> SweepResult:
        """Itself, if every child is accepted.

        Raises:
            NotAccepted, RecipekitError: what the first child that isn't raises; see `RunResult.require_accepted`.
        """
        for run in self.runs:
            run.require_accepted()
        return self

    def __iter__(self) -> Iterator[RunResult]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, number: int) -> RunResult:
        return self.runs[number]

    def __repr__(self) -> str:
        return f"SweepResult({self._accepted()} accepted, {near(self.folder)})"

    def _accepted(self) -> str:
        return f"{sum(run.accepted for run in self.runs):,} of {len(self.runs):,}"

    def _panel(self) -> Panel:
        rows = [
            (
                str(run.outcome.number),
                " ".join((run.recipe, *run.overrides)),
                run.verdict,
                f"{run.metrics['size.bytes']:,.0f}" if run.metrics else "",
                f"{run.metrics['parity.sqnr_db']:.2f}" if "parity.sqnr_db" in run.metrics else "",
                f"{run.outcome.seconds:.1f}",
                f"{run.failure.id} {run.failure.what}" if run.failure else "",
            )
            for run in islice(self.runs, _SHOWN)
        ]
        heads = ("Number#", "Child", "Verdict", "Bytes#", "SQNR, dB#", "Seconds#", "Error")
        facts = {"accepted": self._accepted(), "folder": near(self.folder)}
        if len(rows) < len(self.runs):
            facts["shown"] = f"the first {len(rows)} of {len(self.runs):,}"
        links = {"summary": address(self.report)} if self.report.is_file() else {}
        return Panel("Sweep", "", facts, links, [Table("Children", heads, rows)])


def _compared(check: Check) -> str:
    return f"got {check.value}, the bound is {check.limit}" if check.limit is not None else check.detail
