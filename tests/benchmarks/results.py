"""What was measured, as records and as a JSON file: each scenario's runs, and the machine that they ran on."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import msgspec

from tests.benchmarks.machine import Machine


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a scenario is built for; zero where nothing is asked.

    Attributes:
        ratio: at most this share of the script's time.
        seconds: at most this time.
        memory_ratio: at most this share of the script's peak memory.
    """

    ratio: float = 0.0
    seconds: float = 0.0
    memory_ratio: float = 0.0


class Runs(msgspec.Struct, frozen=True):
    """All rounds of one side of a scenario.

    Attributes:
        seconds: wall-clock time of each round, by `measuring.Usage`.
        largest_mib: the largest single process of each of those rounds.
        tree_mib: the peak of the process tree in each round that sampled memory, whose time isn't counted.
    """

    seconds: tuple[float, ...]
    largest_mib: tuple[float, ...]
    tree_mib: tuple[float, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario as it was measured.

    Attributes:
        title: what was done.
        target: what it is held against.
        children: how many variants one run builds.
        recipekit: its runs.
        script: those of the script; None where there is no script to compare with.
        script_seconds_of: the scenario from whose scripts the time of as many scripts as there are children is
            extrapolated; empty for none.
        driver: whether the memory of the largest process, the driver, is shown.
    """

    title: str
    target: Target
    children: int
    recipekit: Runs
    script: Runs | None
    script_seconds_of: str = ""
    driver: bool = False


class Report(msgspec.Struct, frozen=True):
    """Results by the name of their scenario, all of one machine."""

    machine: Machine
    results: dict[str, Result]


def merged(old: Report | None, new: Report) -> Report:
    """The new results, and the old ones of other scenarios if they come from the same machine."""
    kept = old.results if old is not None and old.machine == new.machine else {}
    return Report(new.machine, {**kept, **new.results})


def read(path: Path) -> Report | None:
    """A report as it was written; None where there is none."""
    return msgspec.json.decode(path.read_bytes(), type=Report) if path.is_file() else None


def write(path: Path, report: Report) -> None:
    """Writes a report."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def script_seconds(result: Result, results: dict[str, Result]) -> tuple[float, ...]:
    """Seconds of the script's rounds, extrapolated where the result says so; empty where there are none."""
    if result.script is not None:
        return result.script.seconds
    other = results.get(result.script_seconds_of)
    if other is None or other.script is None:
        return ()
    return (median(other.script.seconds) / other.children * result.children,)
