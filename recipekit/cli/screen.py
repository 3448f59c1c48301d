"""What a run shows on the terminal: its stages as they go, the table of checks, the table of a sweep.

On a terminal a stage that runs has a spinner; in a log file there is one plain line a finished stage. Everything but
`--format json` output goes here, and nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table
from rich.text import Text

from recipekit.acceptance import Check
from recipekit.cli.messages import more
from recipekit.outcome import Outcome

_STYLES = {"pass": "green", "accepted": "green", "fail": "red", "rejected": "red", "failed": "red"}


class Screen:
    """Shows the progress and the end of runs on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("", console=console)
        self._running: list[str] = []
        self._progress: dict[str, str] = {}
        self._lock = Lock()

    def warning(self, text: str) -> None:
        """A warning."""
        self._console.print(Text.assemble(("warning ", "yellow"), text), highlight=False, soft_wrap=True)

    def started(self, step: str) -> None:
        """A step begins, maybe while others run."""
        with self._lock:
            self._running.append(step)
            self._show_running()

    def finished(self, step: str, seconds: float, note: str) -> None:
        """A step has ended well."""
        with self._lock:
            if step in self._running:
                self._running.remove(step)
            self._line("[green]done[/] ", step, seconds, note)
            self._show_running()

    def progress(self, step: str, text: str) -> None:
        """A step that runs has come so far; shown beside its spinner."""
        with self._lock:
            self._progress[step] = f" ({text})"
            self._show_running()

    def found(self, step: str, seconds: float, note: str) -> None:
        """The result of a step was there; it took so many seconds when it ran."""
        with self._lock:
            self._line("[cyan]found[/]", step, seconds, note)

    def stopped(self) -> None:
        """No step runs any more, however it ended."""
        with self._lock:
            self._running.clear()
            self._show_running()

    def _line(self, word: str, step: str, seconds: float, note: str) -> None:
        line = f"  {word} {step:<18} {seconds:6.2f} s  {escape(note)}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def _show_running(self) -> None:
        if self._console.is_terminal:
            if self._running:
                steps = (f"{step}{self._progress.get(step, '')}" for step in self._running)
                self._status.update(escape(f"{', '.join(steps)} ..."))
                self._status.start()
            else:
                self._status.stop()

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

    def explanation(self, outcome: Outcome) -> None:
        """What became of each stage, and which input had changed where it ran."""
        for line in explained(outcome):
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
        for error_id in dict.fromkeys(outcome.failure.id for outcome in outcomes if outcome.failure):
            self._console.print(more(error_id), end="", highlight=False, soft_wrap=True)
        self._console.print(f"summary: {_shown(str(folder), root)}", highlight=False, soft_wrap=True)


class ChildScreen:
    """Shows one child of a sweep: a line when it has ended, and warnings on the way. Children may run side by side."""

    def __init__(self, console: Console, number: int, *, explain: bool) -> None:
        self._console = console
        self._number = number
        self._explain = explain

    def started(self, step: str) -> None:
        """Nothing is shown of single steps."""

    def finished(self, step: str, seconds: float, note: str) -> None:
        """Nothing is shown of single steps."""

    def progress(self, step: str, text: str) -> None:
        """Nothing is shown of single steps."""

    def found(self, step: str, seconds: float, note: str) -> None:
        """Nothing is shown of single steps."""

    def warning(self, text: str) -> None:
        """A warning."""
        self._print(Text.assemble(("warning ", "yellow"), text))

    def ended(self, outcome: Outcome) -> None:
        """The child's end: its verdict and which stages ran, or why it has no output."""
        words = Text(f"{outcome.recipe} {' '.join(outcome.overrides)}".rstrip(), style="bold")
        words.append(": ")
        if outcome.failure is not None:
            failure = outcome.failure
            words.append(f"error {failure.id}: ", style="red")
            words.append(": ".join(filter(None, (failure.where, failure.what))), style="default")
        else:
            words.append(outcome.status, style=_STYLES.get(outcome.status, "yellow"))
            ran = ", ".join(stage.name for stage in outcome.stages if not stage.found)
            how = "already built" if outcome.already_built else f"ran {ran}" if ran else "every stage found"
            words.append(f" in {outcome.seconds:.1f} s ({how})", style="default")
        self._print(words)
        if self._explain:
            for line in explained(outcome):
                self._print(line)

    def _print(self, line: Text) -> None:
        self._console.print(Text.assemble(f"[{self._number}] ", line), highlight=False, soft_wrap=True)


def explained(outcome: Outcome) -> Iterator[Text]:
    """A line a stage: found or ran, and what was different from the build before."""
    if outcome.already_built:
        yield Text("  the output was found by its build key, so no stage of the conversion was looked for")
    for stage in outcome.stages:
        word, style = ("found", "cyan") if stage.found else ("ran", "green")
        why = "; ".join(stage.changes) or ("" if stage.found else "no earlier result to compare with")
        yield Text.assemble("  ", (f"{word:<5}", style), f" {stage.name:<18} {stage.seconds:6.2f} s  {why}".rstrip())


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
    if check.limit is None:
        return ""
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


def _number(value: float | bool | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _shown(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path
