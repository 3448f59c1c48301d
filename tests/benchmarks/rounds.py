"""Carries a scenario out: recipekit and the scripts in turn, each round in a fresh project with nothing built."""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.benchmarks.agreement import of_recipekit, of_scripts, require_same
from tests.benchmarks.measuring import Command, Usage, run
from tests.benchmarks.project import MODEL, REPOSITORY, make_project, make_project_of_many
from tests.benchmarks.results import Result, Runs
from tests.benchmarks.scenarios import Scenario, Script

_RECIPEKIT = str(Path(sysconfig.get_path("scripts"), "recipekit"))


def measure(scenario: Scenario, rounds: int, files: Mapping[str, Path], tell: Callable[[str], None]) -> Result:
    """Runs a scenario `rounds` times for its time, and once more for its memory where that is compared.

    Args:
        scenario: what to run.
        rounds: how often.
        files: what words in arguments stand for, `SAMPLES` and `LARGE`.
        tell: is told how it goes, a line at a time.

    Raises:
        CommandFailed: a command or script didn't work.
        Disagreement: both worked, but built different models.
    """
    ours: list[Usage] = []
    theirs: list[Usage] = []
    for number in range(rounds + scenario.memory):
        sample_memory = number == rounds
        with tempfile.TemporaryDirectory(prefix="recipekit-bench-") as scratch:
            round_ = _Round(scenario, Path(scratch), files, sample_memory)
            ours.append(round_.recipekit())
            tell(f"{scenario.name}: recipekit {_said(ours[-1])}")
            if scenario.scripts:
                theirs.append(round_.scripts())
                tell(f"{scenario.name}: script    {_said(theirs[-1])}")
                round_.require_same_work()
    return Result(
        title=scenario.title,
        target=scenario.target,
        children=scenario.children,
        recipekit=_runs(ours, rounds),
        script=_runs(theirs, rounds) if theirs else None,
        script_seconds_of=scenario.script_seconds_of,
        driver=scenario.driver,
    )


class _Round:
    """One round of a scenario in a scratch folder of its own."""

    def __init__(self, scenario: Scenario, scratch: Path, files: Mapping[str, Path], sample_memory: bool) -> None:
        self._scenario = scenario
        self._project = scratch / "project"
        self._results = scratch / "results"
        self._log = scratch / "log.txt"
        self._files = files
        self._sample_memory = sample_memory

    def recipekit(self) -> Usage:
        make = make_project_of_many if self._scenario.hundred_recipes else make_project
        self._project.mkdir()
        make(self._project)
        for arguments in self._scenario.before:
            run([self._command(arguments)], self._log)
        return run([self._command(self._scenario.recipekit)], self._log, sample_memory=self._sample_memory)

    def scripts(self) -> Usage:
        commands = [self._script(script, str(number)) for number, script in enumerate(self._scenario.scripts)]
        return run(commands, self._log, sample_memory=self._sample_memory)

    def require_same_work(self) -> None:
        if not self._scenario.before:  # else the outputs hold the first run's, too
            require_same(of_recipekit(self._project / "outputs"), of_scripts(self._results))

    def _command(self, arguments: tuple[str, ...]) -> Command:
        return Command((_RECIPEKIT, *self._filled(arguments)), self._project)

    def _script(self, script: Script, name: str) -> Command:
        fixed = ("--model", str(MODEL), "--output", str(self._results / name))
        arguments = (sys.executable, "-m", script.module, *fixed, *self._filled(script.options))
        return Command(arguments, REPOSITORY)

    def _filled(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        filled = list(arguments)
        for word, path in self._files.items():
            filled = [argument.replace(word, str(path)) for argument in filled]
        return tuple(filled)


def _runs(usages: list[Usage], rounds: int) -> Runs:
    """The rounds that were timed, and behind them the one that sampled memory."""
    timed, sampled = usages[:rounds], usages[rounds:]
    return Runs(
        tuple(usage.seconds for usage in timed),
        tuple(usage.largest_mib for usage in timed),
        tuple(usage.tree_mib for usage in sampled),
    )


def _said(usage: Usage) -> str:
    memory = f", {usage.tree_mib:.0f} MiB at the peak" if usage.tree_mib else ""
    return f"{usage.seconds:.2f} s{memory}"
