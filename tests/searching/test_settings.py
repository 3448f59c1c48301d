"""What stands below `hydra.sweeper` is checked before anything runs; a wrong word is answered with the right one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from recipekit.errors import UsageError
from recipekit.searching.settings import Settings, read_objectives, read_settings

RECIPE: dict[str, Any] = {"evaluation": {"metrics": {"top1_accuracy": {}}}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"n_trails": 3}, "there is no setting 'n_trails'; did you mean 'n_trials'?"),
        ({"direction": "minimize"}, "there is no setting 'direction'"),
        ({"n_trials": "many"}, "'n_trials': Expected `int`, got `str`"),
        ({"n_trials": 0}, "'n_trials' must be at least 1"),
        ({"n_jobs": -1}, "'n_jobs' must be at least 1"),
        ({"sampler": "tpi"}, "there is no sampler 'tpi'; did you mean 'tpe'?"),
        ({"sampler": "nsgaii", "n_startup_trials": 1}, "a generation of nsgaii has at least two trials"),
        ({"objectives": {"size.bytes": "minimise"}}, "is 'minimise'; did you mean 'minimize'?"),
        ({"objectives": ["size.bytes"]}, "'objectives': Expected `object | null`, got `array`"),
        ({"storage": "sqlite:///x.db"}, "a storage of your own may hold several studies"),
    ],
)
def test_a_setting_without_a_meaning_is_refused(found: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        read_settings(found)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("objective", "near"),
    [
        ("size.byte", "size.bytes"),
        ("parity.sqnr", "parity.sqnr_db"),
        ("task.top1_acuracy", "task.top1_accuracy"),
        ("task.top1_accuracy.drob", "task.top1_accuracy.drop"),
        ("latency.p50", "latency.p50_ms"),
        ("bytes", "size.bytes"),
    ],
)
def test_a_metric_that_nobody_measures_is_refused_with_the_nearest(objective: str, near: str) -> None:
    settings = Settings(objectives={objective: "minimize"})
    with pytest.raises(UsageError, match=f"the objective '{objective}' is not measured") as caught:
        read_objectives(settings, RECIPE)
    assert near in f"{caught.value.what} {caught.value.fix}"


@pytest.mark.parametrize(
    "objective",
    [
        "size.bytes",
        "parity.rmse",
        "latency.ratio",
        "target.sram_kib",
        "model.float_ops",
        "task.top1_accuracy",
        "task.top1_accuracy.drop",
        "task.encode/top1_accuracy",
    ],
)
def test_every_metric_of_a_run_can_be_an_objective(objective: str) -> None:
    assert read_objectives(Settings(objectives={objective: "maximize"}), RECIPE) == {objective: "maximize"}


def test_without_objectives_a_search_aims_at_small_and_faithful_models() -> None:
    assert read_objectives(Settings(), {}) == {"size.bytes": "minimize", "parity.sqnr_db": "maximize"}
