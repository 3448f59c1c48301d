"""What chooses the next trial: Optuna's samplers, and a search space as Optuna takes it.

A sampler is made anew for each trial, from the study's seed and the trial's number, and learns everything else from the
study itself. So a study that is resumed chooses what it would have chosen without the interruption, and two processes
that work on one study don't choose the same.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterable

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from recipekit.compose.space import Choice, Parameter
from recipekit.errors import UsageError
from recipekit.searching.settings import Settings


def sampler_for(settings: Settings, seed: int, number: int) -> BaseSampler:
    """The sampler of one trial.

    Args:
        settings: of the search.
        seed: of the study.
        number: of the trial.
    """
    own = zlib.crc32(f"{seed}/{number}".encode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of the last two
        match settings.sampler:
            case "tpe":
                return TPESampler(n_startup_trials=settings.n_startup_trials, seed=own)
            case "nsgaii":
                return NSGAIISampler(population_size=settings.n_startup_trials, seed=own)
            case "random":
                return RandomSampler(seed=own)
            case "qmc":  # one sequence for the whole study: the storage says how far it is
                return QMCSampler(
                    scramble=True,
                    seed=seed % 2**32,
                    independent_sampler=RandomSampler(seed=own),
                    warn_asynchronous_seeding=False,
                    warn_independent_sampling=False,
                )
            case "grid":
                return BruteForceSampler(seed=own)


def distributions(parameters: Iterable[Parameter], sampler: str) -> dict[str, BaseDistribution]:
    """A search space, by the parameters' keys.

    Args:
        parameters: what varies.
        sampler: what is to choose; `grid` tries every combination and so needs values that can be counted.

    Raises:
        UsageError: they can't be.
    """
    parameters = tuple(parameters)
    endless = [parameter.key for parameter in parameters if parameter.size is None]
    if sampler == "grid" and endless:
        raise UsageError(
            f"the sampler 'grid' tries every combination, and the values of '{endless[0]}' can't be counted",
            where="hydra.sweeper.sampler",
            fix=f"write {endless[0]}=range(from, to, step), or take another sampler",
        )
    return {parameter.key: _distribution(parameter) for parameter in parameters}


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Choice):
        return CategoricalDistribution(parameter.texts)
    if parameter.whole:
        return IntDistribution(
            int(parameter.low), int(parameter.high), log=parameter.log, step=int(parameter.step or 1)
        )
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step)
