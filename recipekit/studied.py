"""The result of a search: `study.json` in the sweep's folder, which pages and terminals show.

It holds each trial with its parameters and values, and which ones are best. How trials are chosen isn't known here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from recipekit.contracts import Record
from recipekit.errors import OutputAltered
from recipekit.pareto import front

FILE = "study.json"
"""In the folder of a sweep that searched."""

Direction = Literal["minimize", "maximize"]


class Trial(Record, frozen=True, kw_only=True):
    """One trial of a study.

    Attributes:
        number: in the study; in its own sweep, the child's, too.
        sweep: id of the sweep whose child it was; empty where its driver was lost before it could say.
        state: `complete`; `failed`, with no values; `running` where its driver has not told its end.
        parameters: the values that were tried, by key.
        values: of the objectives, by metric.
        distances: how far it is from each bound of its recipe, without a scale; above 0 on the wrong side.
        verdict: the child's; empty where it isn't known.
        build_key: of its output; empty where there is none.
        error: id and words of what kept it from having values; empty for nothing.
    """

    number: int
    sweep: str = ""
    state: Literal["complete", "failed", "running"]
    parameters: dict[str, str | int | float]
    values: dict[str, float] = msgspec.field(default_factory=dict)
    distances: dict[str, float] = msgspec.field(default_factory=dict)
    verdict: str = ""
    build_key: str = ""
    error: str = ""

    @property
    def violation(self) -> float:
        """By how much it breaks its recipe's bounds, all together; 0 for none."""
        return sum(distance for distance in self.distances.values() if distance > 0)


class Studied(Record, frozen=True, kw_only=True):
    """A study as it stands.

    Attributes:
        name: of the study.
        storage: where it is kept, secrets withheld.
        sampler: what chose the trials.
        seed: of the sampler.
        objectives: metrics and which way they get better, in the study's order.
        parameters: what varies, by key, in words.
        fixed: the overrides that all trials share, secrets withheld.
        note: why it ended before its time; empty where it didn't.
        best: the numbers of the trials that are worth a choice.
        trials: all of them, by number.
    """

    name: str
    storage: str
    sampler: str
    seed: int
    objectives: dict[str, Direction]
    parameters: dict[str, str]
    fixed: tuple[str, ...]
    note: str
    best: tuple[int, ...]
    trials: tuple[Trial, ...]

    def best_trials(self) -> tuple[Trial, ...]:
        """The trials that `best` names."""
        return tuple(trial for trial in self.trials if trial.number in self.best)

    def nearest(self) -> Trial | None:
        """The trial that broke its bounds least, for a study in which none was accepted; None without any."""
        complete = (trial for trial in self.trials if trial.state == "complete")
        return min(complete, key=lambda trial: trial.violation, default=None)

    def headline(self) -> str:
        """What was looked for, and whether it was found, in a sentence."""
        aims = ", ".join(f"{metric} ({direction})" for metric, direction in self.objectives.items())
        ended = sum(trial.state != "running" for trial in self.trials)
        of_all = f"{ended} {'trial' if ended == 1 else 'trials'} by {aims}"
        if not self.best:
            return f"none of {of_all} was accepted"
        return f"best of {of_all}" if len(self.objectives) == 1 else f"Pareto front of {of_all}"


def best_of(trials: tuple[Trial, ...], objectives: dict[str, Direction]) -> tuple[int, ...]:
    """Numbers of the accepted trials that no other one beats; of equal parameters the first trial stands for all.

    Args:
        trials: of a study, by number.
        objectives: metrics and which way they get better. Of a single one the first of the best trials is the best.
    """
    accepted = [trial for trial in trials if trial.state == "complete" and trial.verdict == "accepted"]
    points = [[trial.values.get(metric) for metric in objectives] for trial in accepted]
    are_best = front(points, ["min" if direction == "minimize" else "max" for direction in objectives.values()])
    found: dict[tuple[str | int | float, ...], int] = {}
    for trial, is_best in zip(accepted, are_best, strict=True):
        if is_best:
            found.setdefault(tuple(trial.parameters.values()), trial.number)
    return tuple(found.values())[: 1 if len(objectives) == 1 else None]


def read_study(folder: Path) -> Studied | None:
    """The study of a sweep; None for a sweep that didn't search.

    Args:
        folder: of the sweep.

    Raises:
        OutputAltered: the file is no record of a study.
        OSError: it can't be read.
    """
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Studied) if path.is_file() else None
    except ValueError as error:
        raise OutputAltered(f"is no record of a study: {error}", where=str(path), fix="run the sweep again") from error
