"""Confidence intervals for what is measured on a sample of all the inputs that a model will ever see.

Pure arithmetic on counts and numbers: it knows neither models nor metrics nor bounds. Each interval holds its own
point estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

Interval = tuple[float, float]
"""Low and high end."""

_BISECTIONS = 60  # halves an interval of length 2 to below the resolution of float64


def wilson(successes: int, trials: int, confidence: float) -> Interval:
    """Wilson's score interval of a proportion, inside [0, 1].

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Args:
        successes: 0 to `trials`.
        trials: at least 1, independent of each other.
        confidence: level between 0 and 1.
    """
    z = _two_sided_z(confidence)
    share = successes / trials
    weight = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / weight
    half = z / weight * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def paired_difference(only_first: int, only_second: int, pairs: int, confidence: float) -> Interval:
    """Tango's score interval of the difference of two paired proportions, first minus second, inside [-1, 1].

    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17 (1998). The interval holds every difference that the score test doesn't reject.
    It doesn't collapse without discordant pairs: it is then +-z^2 / (pairs + z^2).

    Args:
        only_first: pairs in which the first alone succeeded.
        only_second: pairs in which the second alone succeeded.
        pairs: all pairs, at least 1, concordant ones included, independent of each other.
        confidence: level between 0 and 1.
    """
    upper = _greatest_difference(only_first, only_second, pairs, confidence)
    return -_greatest_difference(only_second, only_first, pairs, confidence), upper


def percentile(replicates: Sequence[float], confidence: float) -> Interval:
    """Percentile interval of bootstrap replicates, with linear interpolation between order statistics.

    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. It holds the replicates' median.

    Args:
        replicates: at least one, finite, in any order.
        confidence: level between 0 and 1.
    """
    ordered = sorted(replicates)
    tail = (1 - confidence) / 2
    return _quantile(ordered, tail), _quantile(ordered, 1 - tail)


def _two_sided_z(confidence: float) -> float:
    from statistics import NormalDist  # noqa: PLC0415  recipes are checked without

    return NormalDist().inv_cdf((1 + confidence) / 2)


@lru_cache(maxsize=64)  # the children of a sweep often have their counts in common
def _greatest_difference(only_first: int, only_second: int, pairs: int, confidence: float) -> float:
    """The upper end of Tango's interval, by bisection between the estimate and 1."""
    z_squared = _two_sided_z(confidence) ** 2
    kept, rejected = (only_first - only_second) / pairs, 1.0
    for _ in range(_BISECTIONS):
        middle = (kept + rejected) / 2
        gap = only_first - only_second - pairs * middle
        if gap * gap <= z_squared * _variance(only_first, only_second, pairs, middle):
            kept = middle
        else:
            rejected = middle
    return kept


def _variance(only_first: int, only_second: int, pairs: int, difference: float) -> float:
    """Variance of `only_first - only_second` under a given difference.

    The probability of `only_second` is its constrained maximum likelihood estimate, the greater root of
    a q^2 + b q + c = 0 (Tango 1998, section 3).
    """
    a = 2 * pairs
    b = (2 * pairs - only_first + only_second) * difference - only_first - only_second
    c = -only_second * difference * (1 - difference)
    root = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    return pairs * (2 * root + difference * (1 - difference))


def _quantile(ordered: Sequence[float], probability: float) -> float:
    position = probability * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
