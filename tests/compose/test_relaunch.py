"""A sweep that goes on takes another launcher and nothing else."""

from __future__ import annotations

import pytest

from recipekit.compose.relaunch import relaunched
from recipekit.errors import ForbiddenKey, UsageError

BEGUN = ["recipe=x", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "seed=1,2"]


@pytest.mark.parametrize(
    ("given", "complete"),
    [
        ([], BEGUN),
        (["hydra/launcher=basic"], ["recipe=x", "seed=1,2", "hydra/launcher=basic"]),
        (
            ["hydra.launcher.n_jobs=1"],
            ["recipe=x", "hydra/launcher=joblib", "seed=1,2", "hydra.launcher.n_jobs=1"],
        ),
        (
            ["hydra.launcher.verbose=1", "hydra/launcher=joblib"],
            ["recipe=x", "seed=1,2", "hydra.launcher.verbose=1", "hydra/launcher=joblib"],
        ),
    ],
)
def test_a_launcher_takes_the_place_of_the_one_before(given: list[str], complete: list[str]) -> None:
    assert relaunched(BEGUN, given) == complete


@pytest.mark.parametrize("given", ["seed=3", "recipe=y", "+seed=3", "~acceptance", "hydra.sweeper.params.seed=1"])
def test_whatever_would_make_another_sweep_of_it_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="would make another sweep of it") as refused:
        relaunched(BEGUN, [given])
    assert "hydra/launcher=NAME" in refused.value.fix


def test_what_is_not_anybody_s_to_set_is_still_refused() -> None:
    with pytest.raises(ForbiddenKey):
        relaunched(BEGUN, ["hydra.run.dir=/tmp"])
