"""What a run shows on the terminal: its stages as they go, the table of checks, the table of a sweep.

A stage that runs is shown by the display, one that has ended or was found has a line that stays. Everything but
`--format json` output goes here, and nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from recipekit.acceptance import Check
from recipekit.ci.wording import bound, number
from recipekit.cli.display import display_on
from recipekit.cli.messages import more
from recipekit.cli.search_lines import found
from recipekit.cli.sweep_table import SweepTable
from recipekit.cli.tables import PlainTable, plain_table
from recipekit.contracts import STAGES, Progress
from recipekit.outcome import Outcome, StageReport
from recipekit.studied import Studied

_READINGS = "survey-"
"""How the labels of stages begin that read samples."""

_ROOM_FOR_INTERVALS = 60
"""Columns of a terminal that shows the intervals of checks."""

STYLES = {"pass": "green", "accepted": "green", "fail": "red", "rejected": "red", "failed": "red"}


class Screen:
    """Shows the progress and the end of runs on a console.

    Attributes:
        kept: stages of the running build whose results are in the store for certain; samples that code of the project
            gave are read again.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._display = display_on(console)
        self.kept: list[str] = []

    def warning(self, text: str) -> None:
        """A warning."""
        self._console.print(Text.assemble(("warning ", "yellow"), text), highlight=False, soft_wrap=True)

    def started(self, step: str) -> None:
        """A step begins, maybe while others run."""
        self._display.start(step)

    def finished(self, step: str, seconds: float, note: str) -> None:
        """A step has ended well."""
        self._display.end(step)
        self.kept += [step] if not step.startswith(_READINGS) else []
        self._line("done", "green", step, seconds, note)

    def progress(self, step: str, progress: Progress) -> None:
        """A step that runs has come so far, or took so long when it ran last."""
        self._display.update(step, progress)

    def found(self, step: str, seconds: float, note: str) -> None:
        """The result of a step was there; it took so many seconds when it ran."""
        self.kept.append(step)
        self._line("found", "cyan", step, seconds, note)

    def stopped(self) -> None:
        """No step runs any more, however it ended."""
        self._display.stop()

    def _line(self, word: str, style: str, step: str, seconds: float, note: str) -> None:
        line = Text.assemble("  ", (f"{word:<5}", style), f" {step:<18} {seconds:6.2f} s  {note}")
        self._console.print(line, highlight=False, soft_wrap=True)

    def outcome(self, outcome: Outcome, root: Path) -> None:
        """The end of a single run: its checks, its verdict, its folder."""
        if outcome.checks:
            self._console.print(_check_table(outcome.checks, self._console.width))
        for check in outcome.checks:
            if check.verdict != "pass" and check.detail:
                self._console.print(f"  {check.name}: {check.detail}", highlight=False, markup=False, soft_wrap=True)
        if unbounded := _unbounded(outcome):
            words = f"  without a bound: {', '.join(unbounded)}"
            self._console.print(words, highlight=False, markup=False, soft_wrap=True)
        word = f"already built, {outcome.status}" if outcome.already_built else outcome.status
        style = STYLES.get(outcome.status, "yellow")
        line = Text.assemble((word, f"bold {style}"), f" in {outcome.seconds:.1f} s: {_shown(outcome.output, root)}")
        self._console.print(line, highlight=False, soft_wrap=True)

    def explanation(self, outcome: Outcome) -> None:
        """What became of each stage, and which input had changed where it ran."""
        for line in explained(outcome):
            self._console.print(line, highlight=False, soft_wrap=True)

    def sweep(self, outcomes: Iterable[Outcome], folder: Path, root: Path, study: Studied | None = None) -> None:
        """The end of a sweep: a row a child, of many for those that went wrong before all others; findings last."""
        children = SweepTable(outcomes)
        self._console.print(children.table(STYLES))
        for note in children.notes():
            self._console.print(note, highlight=False, markup=False, soft_wrap=True)
        for line in found(study) if study else ():
            self._console.print(line, highlight=False, soft_wrap=True)
        for error_id in children.errors:
            self._console.print(more(error_id), end="", highlight=False, soft_wrap=True)
        self._console.print(Text(f"summary: {_shown(str(folder), root)}"), soft_wrap=True)


def explained(outcome: Outcome) -> Iterator[Text]:
    """A line a stage, in the order of a build: found or ran, and what was different from the build before."""
    if outcome.already_built:
        yield Text("  the output was found by its build key, so no stage of the conversion was looked for")
    for stage in sorted(outcome.stages, key=_turn):
        word, style = ("found", "cyan") if stage.found else ("ran", "green")
        unchanged = "the same inputs" if stage.found else "no earlier result to compare with"
        why = "; ".join(stage.changes) or unchanged
        yield Text.assemble("  ", (f"{word:<5}", style), f" {stage.name:<18} {stage.seconds:6.2f} s  {why}")


def _turn(report: StageReport) -> int:
    """The place of a stage in a build; a stage that runs twice has a label that goes on after its name."""
    return list(STAGES).index(report.name if report.name in STAGES else report.name.partition("-")[0])


def _check_table(checks: Sequence[Check], width: int) -> PlainTable:
    """A row a check; names fold before a number is cut, and intervals go where there is no room for all of them."""
    estimated = width >= _ROOM_FOR_INTERVALS and any(check.interval is not None for check in checks)
    table = plain_table("check", "bound>", "value>", *(("interval>",) if estimated else ()), "verdict<", apart=True)
    for check in checks:
        interval = "" if check.interval is None else f"{check.interval[0]:.3g} to {check.interval[1]:.3g}"
        verdict = Text(check.verdict, style=STYLES.get(check.verdict, "yellow"))
        table.add_row(check.name, bound(check), number(check.value), *((interval,) if estimated else ()), verdict)
    return table


def _unbounded(outcome: Outcome) -> list[str]:
    """The quality that was measured and that no check judges, in words."""
    judged = {check.name.rpartition(".")[0] for check in outcome.checks}
    task = outcome.measurement.task if outcome.measurement else {}
    words = [
        f"{name} {number(score.converted_value)} (float model {number(score.float_value)})"
        for name, score in task.items()
        if f"task.{name}" not in judged
    ]
    if outcome.sqnr_db is not None and not any(name.startswith("parity.") for name in judged):
        words.append(f"SQNR {outcome.sqnr_db:.1f} dB")
    return words


def _shown(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path
