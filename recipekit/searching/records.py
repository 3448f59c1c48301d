"""A study's trials as recipekit's own records, and what is kept with a trial so that they can be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from optuna.trial import FrozenTrial, Trial, TrialState

from recipekit import studied
from recipekit.outcome import Outcome
from recipekit.searching.distances import distances

SWEEP = "sweep"
"""The attribute of a trial that holds its sweep's id."""

_VERDICT, _BUILD_KEY, _ERROR = "verdict", "build_key", "error"

_STATES: Mapping[TrialState, Literal["complete", "failed", "running"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.FAIL: "failed",
    TrialState.PRUNED: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "running",
}


def keep_end(trial: Trial, outcome: Outcome, error: str) -> None:
    """Keeps with a trial what became of its child.

    Args:
        trial: not told yet.
        outcome: of the child.
        error: why it has no values; empty where it has.
    """
    for name, share in distances(outcome).items():
        if name not in trial.constraints:  # else kept by a driver that was lost before it could tell the end
            trial.set_constraint(name, share)
    trial.set_user_attr(_VERDICT, outcome.status)
    if outcome.build_key:
        trial.set_user_attr(_BUILD_KEY, outcome.build_key)
    if error:
        trial.set_user_attr(_ERROR, error)


def recorded(trial: FrozenTrial, metrics: list[str]) -> studied.Trial:
    """A trial as a record.

    Args:
        trial: of a study.
        metrics: the study's objectives, in the order of its values.
    """
    attributes: dict[str, Any] = trial.user_attrs
    return studied.Trial(
        number=trial.number,
        sweep=attributes.get(SWEEP, ""),
        state=_STATES[trial.state],
        parameters=dict(trial.params),
        values=dict(zip(metrics, trial.values or (), strict=False)) if trial.values else {},
        distances=dict(trial.constraints),
        verdict=attributes.get(_VERDICT, ""),
        build_key=attributes.get(_BUILD_KEY, ""),
        error=attributes.get(_ERROR, ""),
    )
