"""Whether values are of the scale that the model was made for, and calibration samples like those that judge it.

Nothing is expected of values but what the model itself says, by a scaling layer at its input, or what two datasets of
one recipe say of each other. The thresholds are so wide that ordinary variation between samples never reaches them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from recipekit.contracts import FirstLayer, Signature, TensorStatistics
from recipekit.fitting import UNNAMED, sole_input
from recipekit.lint.finding import Finding
from recipekit.lint.reading import Examined, read_extremes, share_outside

_FLAT, _WILD = 0.05, 20.0
"""Width of rescaled values, or deviation of normalized ones, that no data of the right scale has."""

_FAR = 10.0
"""Mean of normalized values, in their deviations, that no data of the right scale has."""

_STD_RATIO = 4.0
_MEAN_DISTANCE = 2.0
_ENOUGH = 5
_OUTSIDE = 0.1
_MARGIN = 0.01
_SEEN = 0.001
"""Share of values below which some thousand of them tell no number."""

Named = dict[str, TensorStatistics]


def scaled_twice(dataset: Examined, signature: Signature, layers: tuple[FirstLayer, ...]) -> Iterator[Finding]:
    """Values that the model's own scaling layer makes nothing sensible of."""
    statistics = _by_input(dataset, signature)
    for layer in layers:
        tensor = statistics.get(layer.input)
        if tensor is None or tensor.lowest == tensor.highest:
            continue
        made = _made_of(tensor, layer)
        if made:
            yield dataset.finding(
                "input-range",
                f"the values of '{layer.input}' run from {tensor.lowest:.4g} to {tensor.highest:.4g}, and the model's"
                f" own layer '{layer.name}' ({layer.kind}) makes {made} of them",
                "give the values that the layer was made for: the model scales by itself, so take `rescale` or"
                " `normalize` out of `preprocess`, or add what is missing",
            )


def _made_of(tensor: TensorStatistics, layer: FirstLayer) -> str:
    """What a layer makes of the values, if that is far from what it is there for."""
    if layer.kind == "Rescaling":
        ends = sorted(value * layer.scale + layer.offset for value in (tensor.lowest, tensor.highest))
        width = ends[1] - ends[0]
        return "" if _FLAT <= width <= _WILD else f"{ends[0]:.4g} to {ends[1]:.4g}"
    mean, std = tensor.mean * layer.scale + layer.offset, tensor.std * abs(layer.scale)
    if _FLAT <= std <= _WILD and abs(mean) <= _FAR:
        return ""
    return f"a mean of {mean:.4g} and a deviation of {std:.4g} instead of 0 and 1"


def differences(calibration: Examined, evaluation: Examined, signature: Signature) -> Iterator[Finding]:
    """Inputs whose values are of one scale in the calibration set and of another in the evaluation set."""
    evaluated = _by_input(evaluation, signature)
    for name, tensor in _by_input(calibration, signature).items():
        other = evaluated.get(name)
        if other is None or not _is_measured(signature, name):
            continue
        if min(calibration.samples.count, evaluation.samples.count) >= _ENOUGH and _differ(tensor, other):
            yield calibration.finding(
                "distribution-mismatch",
                f"'{name}' has mean {tensor.mean:.4g} and deviation {tensor.std:.4g} here, {other.mean:.4g} and"
                f" {other.std:.4g} in {evaluation.section}",
                "preprocess both sets alike, as the model is used",
            )
        else:
            yield from _beyond(name, tensor, other, evaluation)


def _differ(one: TensorStatistics, other: TensorStatistics) -> bool:
    low, high = sorted((one.std, other.std))
    return low > 0 and (high > _STD_RATIO * low or abs(one.mean - other.mean) > _MEAN_DISTANCE * high)


def _beyond(name: str, calibrated: TensorStatistics, evaluated: TensorStatistics, where: Examined) -> Iterator[Finding]:
    margin = _MARGIN * (calibrated.highest - calibrated.lowest)
    low, high = calibrated.lowest - margin, calibrated.highest + margin
    excess = [max(low - lowest, highest - high) for lowest, highest in read_extremes(evaluated)]
    outside = [index for index, distance in enumerate(excess) if not math.isnan(distance) and distance > 0]
    if len(outside) > max(1, _OUTSIDE * len(excess)):
        farthest = max(outside, key=excess.__getitem__)
        lowest, highest = read_extremes(evaluated)[farthest]
        value = lowest if low - lowest > highest - high else highest
        yield where.finding(
            "outside-calibrated-range",
            f"{len(outside)} of {len(excess)} samples hold values of '{name}' outside the calibrated range"
            f" {calibrated.lowest:.4g} to {calibrated.highest:.4g}{_share(evaluated, low, high)}, this one {value:.4g}",
            "calibrate with more samples, or with such as the model meets in use",
            farthest,
        )


def _share(tensor: TensorStatistics, low: float, high: float) -> str:
    """How many of all values lie outside, as far as those that were kept tell."""
    share = share_outside(tensor, low, high)
    if share is None:
        return ""
    return f" ({100 * share:.2g} % of all values)" if share >= _SEEN else f" (under {100 * _SEEN:g} % of all values)"


def _is_measured(signature: Signature, name: str) -> bool:
    """Whether an input holds measured values; large integers are identifiers, whose distribution says nothing."""
    return any(spec.name == name and not spec.dtype.endswith(("int32", "int64")) for spec in signature.inputs)


def _by_input(dataset: Examined, signature: Signature) -> Named:
    statistics = dataset.samples.statistics
    return {
        (sole_input({UNNAMED: None}, signature) or UNNAMED) if tensor.name == UNNAMED else tensor.name: tensor
        for tensor in statistics
    }
