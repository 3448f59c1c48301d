"""Measured numbers as estimates: the value, and how far the samples let it be trusted.

It turns the counts and replicates of a measurement into intervals. It doesn't know what a recipe accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recipekit.contracts import PairedCounts, Parity, TaskScore
from recipekit.intervals import Interval, paired_difference, percentile, wilson

CONFIDENCE = 0.95
"""Level of the intervals that are only shown, since no bound is judged by them."""


class Estimate(NamedTuple):
    """A measured number in its metric's unit; the interval, where there is one, holds the value."""

    value: float
    interval: Interval | None = None


def proportion(value: float, successes: int, trials: int, confidence: float) -> Estimate:
    """A share with Wilson's interval, its rows taken as independent."""
    return Estimate(value, _around(value, wilson(successes, trials, confidence)))


def parity_metric(parity: Parity, metric: str, confidence: float = CONFIDENCE) -> Estimate | None:
    """A parity metric of one output, an agreement with its interval; None where the output has no such metric."""
    value = getattr(parity, metric)
    if value is None:
        return None
    if metric == "argmax_agreement" and parity.agreeing is not None and parity.rows:
        return proportion(value, parity.agreeing, parity.rows, confidence)
    return Estimate(value)


def converted_score(score: TaskScore, confidence: float = CONFIDENCE) -> Estimate:
    """The converted model's value: Wilson's interval of a proportion, else the bootstrap's where there is one."""
    if score.paired is not None:
        right = score.paired.both + score.paired.only_converted
        return proportion(score.converted_value, right, _pairs(score.paired), confidence)
    return _bootstrapped(score.converted_value, [converted for converted, _ in score.replicates], confidence)


def score_drop(score: TaskScore, confidence: float = CONFIDENCE) -> Estimate:
    """The drop: Tango's paired interval of proportions, else the paired bootstrap's where there is one.

    The value comes from the counts where there are any, so that 1 of 100 is 0.01 exactly.
    """
    if score.paired is None:
        return _bootstrapped(score.drop, [loss for _, loss in score.replicates], confidence)
    lost, won, pairs = score.paired.only_float, score.paired.only_converted, _pairs(score.paired)
    if not score.higher_is_better:
        lost, won = won, lost
    return Estimate((lost - won) / pairs, paired_difference(lost, won, pairs, confidence))


def relative_score_drop(score: TaskScore, confidence: float) -> Estimate:
    """The drop over the float model's absolute value.

    The interval is the drop's, divided by the float value. That is right to first order in the drop: the variance of
    a ratio of paired means then equals that of their difference over the squared denominator (delta method).

    Raises:
        ZeroDivisionError: the float model's value is 0.
    """
    loss = score_drop(score, confidence)
    whole = abs(score.float_value)
    interval = loss.interval and (loss.interval[0] / whole, loss.interval[1] / whole)
    return Estimate(loss.value / whole, interval)


def _bootstrapped(value: float, replicates: Sequence[float], confidence: float) -> Estimate:
    return Estimate(value, _around(value, percentile(replicates, confidence)) if replicates else None)


def _around(value: float, interval: Interval) -> Interval:
    """The interval, widened where a skewed bootstrap or rounding leaves the measured value outside."""
    return min(interval[0], value), max(interval[1], value)


def _pairs(counts: PairedCounts) -> int:
    return counts.both + counts.only_float + counts.only_converted + counts.neither
