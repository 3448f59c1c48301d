"""What a run shows on the terminal: its stages as they go, the table of checks, the table of a sweep.

On a terminal a stage that runs has a spinner; in a log file there is one plain line a finished stage. Everything but
`--format json` output goes here, and nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table
from rich.text import Text

from recipekit.acceptance import Check
from recipekit.outcome import Outcome

_STYLES = {"pass": "green", "accepted": "green", "fail": "red", "rejected": "red", "failed": "red"}


class Screen:
    """Shows the progress and the end of runs on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def headline(self, text: str) -> None:
        """A line above a run's stages."""
        self._console.print(Text(text, style="bold"), highlight=False)

    def warning(self, text: str) -> None:
        """A warning."""
        self._console.print(Text.assemble(("warning ", "yellow"), text), highlight=False, soft_wrap=True)

    def started(self, step: str) -> None:
        """A step begins."""
        if self._console.is_terminal:
            self._status = self._console.status(f"{step} ...")
            self._status.start()

    def finished(self, step: str, seconds: float, note: str) -> None:
        """A step has ended well."""
        self.stopped()
        line = f"  [green]done[/] {step:<10} {seconds:6.2f} s  {escape(note)}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def stopped(self) -> None:
        """No step runs any more, however it ended."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def outcome(self, outcome: Outcome, root: Path) -> None:
        """The end of a single run: its checks, its verdict, its folder."""
        if outcome.checks:
            self._console.print(_check_table(outcome.checks))
        for check in outcome.checks:
            if check.verdict != "pass" and check.detail:
                self._console.print(f"  {check.name}: {check.detail}", highlight=False, markup=False, soft_wrap=True)
        word = f"already built, {outcome.status}" if outcome.already_built else outcome.status
        style = _STYLES.get(outcome.status, "yellow")
        line = Text.assemble((word, f"bold {style}"), f" in {outcome.seconds:.1f} s: {_shown(outcome.output, root)}")
        self._console.print(line, highlight=False, soft_wrap=True)

    def failure(self, outcome: Outcome) -> None:
        """Why a child of a sweep has no output."""
        if outcome.failure is not None:
            failure = outcome.failure
            place = f"{failure.where}: " if failure.where else ""
            line = Text.assemble((f"error {failure.id}: ", "red"), f"{place}{failure.what}")
            self._console.print(line, highlight=False, soft_wrap=True)

    def sweep(self, outcomes: Sequence[Outcome], folder: Path, root: Path) -> None:
        """The end of a sweep: one row a child."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("#", justify="right")
        several = len({outcome.recipe for outcome in outcomes}) > 1
        for column in (*(("recipe",) if several else ()), "overrides", "verdict"):
            table.add_column(column, overflow="fold")
        for column in ("bytes", "SQNR dB", "seconds", "exit"):
            table.add_column(column, justify="right", no_wrap=True)
        for outcome in outcomes:
            number, recipe, *rest = _sweep_row(outcome)
            table.add_row(number, *((recipe,) if several else ()), *rest)
        self._console.print(table)
        self._console.print(f"summary: {_shown(str(folder), root)}", highlight=False, soft_wrap=True)


def _check_table(checks: Sequence[Check]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("check", no_wrap=True)
    for column in ("bound", "value", "interval"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for check in checks:
        interval = "" if check.interval is None else f"{check.interval[0]:.3g} to {check.interval[1]:.3g}"
        verdict = Text(check.verdict, style=_STYLES.get(check.verdict, "yellow"))
        table.add_row(check.name, _bound(check), _number(check.value), interval, verdict)
    return table


def _bound(check: Check) -> str:
    kind = check.name.rpartition(".")[2]
    sign = "≥ " if kind.startswith("min") else "≤ " if kind.startswith("max") else ""
    return f"{sign}{_number(check.limit)}"


def _sweep_row(outcome: Outcome) -> list[str | Text]:
    measured = outcome.measurement
    verdict = outcome.failure.id if outcome.failure else outcome.status
    return [
        str(outcome.number),
        outcome.recipe,
        " ".join(outcome.overrides),
        Text(verdict, style=_STYLES.get(outcome.status, "yellow")),
        f"{measured.size:,}" if measured else "",
        f"{outcome.sqnr_db:.1f}" if outcome.sqnr_db is not None else "",
        f"{outcome.seconds:.1f}",
        str(outcome.exit_code),
    ]


def _number(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _shown(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path
