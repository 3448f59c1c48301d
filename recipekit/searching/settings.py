"""The settings of a search, checked: what stands below `hydra.sweeper`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from recipekit.acceptance import METRICS
from recipekit.contracts import Record
from recipekit.errors import UsageError
from recipekit.nearest import did_you_mean
from recipekit.secrecy import redacted
from recipekit.studied import Direction

_WHERE = "hydra.sweeper"

Sampler = Literal["tpe", "nsgaii", "random", "qmc", "grid"]

_DEFAULT: dict[str, Direction] = {"size.bytes": "minimize", "parity.sqnr_db": "maximize"}
"""What is aimed at where nobody says: the front that every summary weighs, without a benchmark and labels."""

_FIXED = tuple(f"{section}.{metric}" for section, metrics in METRICS.items() for metric in metrics)
"""Metrics whose names are known before anything is measured."""

_TASK = "task."
_KINDS = (".drop", ".float")


class Settings(Record, frozen=True, kw_only=True):
    """What a search is asked for; the packaged option says what each key means."""

    objectives: dict[str, Direction] | None = None
    n_trials: int = 20
    n_jobs: int = 2
    sampler: Sampler = "tpe"
    n_startup_trials: int = 10
    seed: int | None = 0
    storage: str | None = None
    study_name: str | None = None


def read_settings(found: Mapping[str, Any]) -> Settings:
    """Checks a sweeper's settings.

    Args:
        found: the keys below `hydra.sweeper`, as Hydra composed them; `params` left out.

    Raises:
        UsageError: one of them has no meaning or another type.
    """
    for name in found:
        if name not in Settings.__struct_fields__:
            raise _refused(
                f"there is no setting '{name}'{did_you_mean(name, Settings.__struct_fields__)}",
                f"use one of {', '.join(('params', *Settings.__struct_fields__))}",
            )
    _check_words(found)
    try:
        settings = msgspec.convert(dict(found), Settings)
    except msgspec.ValidationError as error:
        raise _refused(redacted(_said(error)), "see the page of searches, docs/optuna.md") from error
    for name in ("n_trials", "n_jobs", "n_startup_trials"):
        if getattr(settings, name) < 1:
            raise _refused(f"'{name}' must be at least 1", f"write hydra.sweeper.{name}=1 or more")
    if settings.sampler == "nsgaii" and settings.n_startup_trials < 2:
        raise _refused("a generation of nsgaii has at least two trials", "raise hydra.sweeper.n_startup_trials")
    if settings.storage is not None and settings.study_name is None:
        raise _refused(
            "a storage of your own may hold several studies, and 'study_name' says which",
            "add hydra.sweeper.study_name=NAME; whoever names the same one goes on with it",
        )
    return settings


def read_objectives(settings: Settings, recipe: Mapping[str, Any]) -> dict[str, Direction]:
    """What a search aims at.

    Args:
        settings: of the search.
        recipe: a child, composed; a task metric must be one that it computes.

    Raises:
        UsageError: there is no such metric.
    """
    objectives = dict(settings.objectives or _DEFAULT)
    evaluation = recipe.get("evaluation")
    computed = (evaluation.get("metrics") if isinstance(evaluation, dict) else None) or {}
    task = [f"{_TASK}{metric}" for metric in computed] if isinstance(computed, dict) else []
    known = [*_FIXED, "model.float_ops", *task, *(f"{metric}{kind}" for metric in task for kind in _KINDS)]
    for objective in objectives:
        of_one_signature = objective.startswith(_TASK) and f"{_TASK}{objective.rpartition('/')[2]}" in known
        if objective not in known and not of_one_signature:
            section = [metric for metric in known if metric.partition(".")[0] == objective.partition(".")[0]]
            raise unknown(objective, known, f"use one of {', '.join(section or known)}")
    return objectives


def _check_words(found: Mapping[str, Any]) -> None:
    """Words that a setting doesn't know, said better than a decoder would."""
    samplers = get_args(Sampler)
    if isinstance(found.get("sampler"), str) and found["sampler"] not in samplers:
        near = did_you_mean(found["sampler"], samplers)
        raise _refused(f"there is no sampler '{found['sampler']}'{near}", f"use one of {', '.join(samplers)}")
    objectives = found.get("objectives")
    for metric, direction in objectives.items() if isinstance(objectives, dict) else ():
        if direction not in get_args(Direction):
            near = did_you_mean(str(direction), get_args(Direction))
            raise _refused(
                f"the objective '{metric}' is '{direction}'{near}", f"write {metric}: minimize, or {metric}: maximize"
            )


def unknown(objective: str, known: list[str], fix: str) -> UsageError:
    """The error of an objective that nobody measures.

    Args:
        objective: as the search names it.
        known: those that are.
        fix: what to do.
    """
    return UsageError(
        f"the objective '{objective}' is not measured{did_you_mean(objective, known)}",
        where=f"{_WHERE}.objectives",
        fix=fix,
    )


def _said(error: msgspec.ValidationError) -> str:
    """A complaint of the decoder's with the place in front."""
    words, _, place = str(error).partition(" - at `$.")
    return f"'{place.rstrip('`')}': {words}"


def _refused(what: str, fix: str) -> UsageError:
    return UsageError(what, where=_WHERE, fix=fix)
