"""Every check in turn over the datasets of a build."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

from recipekit.contracts import FirstLayer, Signature
from recipekit.lint import fitness, scale, variety
from recipekit.lint.finding import Finding
from recipekit.lint.reading import Examined

_TURNS = Lock()


def lint(
    signature: Signature,
    first_layers: tuple[FirstLayer, ...],
    calibration: Examined | None,
    evaluation: Examined | None,
) -> tuple[Finding, ...]:
    """What is to be said of samples before they meet a model; the same arguments are looked at once a process.

    Args:
        signature: the float model's.
        first_layers: its own scaling of its inputs.
        calibration: the set that ranges come from; None where the scheme needs none.
        evaluation: the set that the model is judged on; None where it is the same one.

    Returns:
        Errors first. Where there are any, nothing is said of values.
    """
    with _TURNS:  # children of a sweep come at the same time with the same question
        return _lint(signature, first_layers, calibration, evaluation)


@lru_cache(maxsize=64)
def _lint(
    signature: Signature,
    first_layers: tuple[FirstLayer, ...],
    calibration: Examined | None,
    evaluation: Examined | None,
) -> tuple[Finding, ...]:
    sets = [dataset for dataset in (calibration, evaluation) if dataset is not None]
    errors: list[Finding] = []
    for dataset in sets:
        errors += fitness.misfit_errors(dataset, signature)
        errors += fitness.non_finite_errors(dataset, signature)
    found = [*errors, *_variety(calibration, evaluation)]
    if not errors:
        for dataset in sets:
            found += scale.scaled_twice(dataset, signature, first_layers)
        if calibration is not None and evaluation is not None:
            found += scale.differences(calibration, evaluation, signature)
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _variety(calibration: Examined | None, evaluation: Examined | None) -> Iterator[Finding]:
    for dataset in (calibration, evaluation):
        if dataset is not None:
            yield from variety.repetitions(dataset)
            yield from variety.constants(dataset)
            yield from variety.too_few(dataset)
    if calibration is not None and evaluation is not None:
        yield from variety.shared_samples(calibration, evaluation)
    yield from variety.classes(calibration, evaluation)
