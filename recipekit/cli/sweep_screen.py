"""What a sweep shows while it runs: one line of all of it, and one that stays for each child that has ended."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.text import Text

from recipekit.cli.display import display_on
from recipekit.cli.screen import STYLES, explained
from recipekit.cli.tables import data_console
from recipekit.contracts import Progress
from recipekit.outcome import Outcome

_SWEEP = "sweep"
_MOST_NAMED = 3


class SweepScreen:
    """Makes the screens of children, and counts them; in another process of the same sweep it counts nothing.

    Attributes:
        folder: of the sweep; None before it has begun.
        total: how many children there are; None where only Hydra knows.
        ended: how many of them have ended here.
    """

    def __init__(self, *, stderr: bool, explain: bool) -> None:
        self._options = {"stderr": stderr, "explain": explain}
        self._explain = explain
        self._console = data_console(stderr=stderr)
        self._display = display_on(self._console)
        self._lock = Lock()
        self._steps: dict[int, list[str]] = {}
        self.folder: Path | None = None
        self.total: int | None = None
        self.ended = 0

    def __getstate__(self) -> dict[str, bool]:
        return self._options  # a console can't travel between processes

    def __setstate__(self, options: dict[str, bool]) -> None:
        self.__init__(**options)  # type: ignore[misc]  # the same screen on the other process's console

    def __call__(self, number: int) -> ChildScreen:
        """The screen of a child."""
        return ChildScreen(self._console, number, explain=self._explain, sweep=self)

    def begun(self, folder: Path, total: int | None, ended: int = 0) -> None:
        """The sweep begins, or goes on.

        Args:
            folder: of the sweep.
            total: how many children there are; None where only Hydra knows.
            ended: how many of them have ended before.
        """
        self.folder, self.total, self.ended = folder, total, ended
        if ended:
            of_all = "" if total is None else f" of {total}"
            self._console.print(f"children that had ended before: {ended}{of_all}", highlight=False)
        self._display.start(_SWEEP)
        self._show()

    def step_runs(self, number: int, step: str, runs: bool) -> None:
        """A step of a child has begun, or has ended."""
        with self._lock:
            steps = self._steps.setdefault(number, [])
            if runs:
                steps.append(step)
            elif step in steps:
                steps.remove(step)
        self._show()

    def child_ended(self, number: int) -> None:
        """A child has ended, however."""
        with self._lock:
            self._steps.pop(number, None)
            self.ended += 1
        self._show()

    def stopped(self) -> None:
        """The sweep has ended, however."""
        self._display.stop()

    def _show(self) -> None:
        with self._lock:
            running = [f"[{number}] {step}" for number, steps in sorted(self._steps.items()) for step in steps]
            named = ", ".join(running[:_MOST_NAMED])
            more = f" and {len(running) - _MOST_NAMED} more" if len(running) > _MOST_NAMED else ""
            shown = Progress(done=self.ended, total=self.total, unit="children", note=f"{named}{more}")
        self._display.update(_SWEEP, shown)


class ChildScreen:
    """Shows one child of a sweep: a line when it has ended, and warnings on the way. Children may run side by side."""

    def __init__(self, console: Console, number: int, *, explain: bool, sweep: SweepScreen) -> None:
        self._console = console
        self._number = number
        self._explain = explain
        self._sweep = sweep

    def started(self, step: str) -> None:
        """A step begins, which the sweep's line names."""
        self._sweep.step_runs(self._number, step, True)

    def finished(self, step: str, _seconds: float, _note: str) -> None:
        """A step has ended well, and leaves the sweep's line."""
        self._sweep.step_runs(self._number, step, False)

    def progress(self, step: str, progress: Progress) -> None:
        """Nothing is shown of how far single steps are."""

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
            words.append(outcome.status, style=STYLES.get(outcome.status, "yellow"))
            ran = ", ".join(stage.name for stage in outcome.stages if not stage.found)
            how = "already built" if outcome.already_built else f"ran {ran}" if ran else "every stage found"
            words.append(f" in {outcome.seconds:.1f} s ({how})", style="default")
        self._sweep.child_ended(self._number)
        self._print(words)
        if self._explain:
            for line in explained(outcome):
                self._print(line)

    def _print(self, line: Text) -> None:
        self._console.print(Text.assemble(f"[{self._number}] ", line), highlight=False, soft_wrap=True)
