"""The paired bootstrap: how far a metric and its drop would move on another draw of the same samples.

It knows nothing of confidence levels or bounds; it gives the replicates from which an interval is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recipekit.worker.progress import Counted

Score = Callable[[npt.NDArray[np.float64]], tuple[float, float]]


def paired(
    score: Score, higher_is_better: bool, samples: int, replicates: int, seed: int
) -> tuple[tuple[float, float], ...]:
    """Replicates of a metric of two models, each on the same resample for both.

    A resample of the samples with replacement is the same thing as weights from a multinomial distribution, which
    spare the copies (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 6).

    Args:
        score: gives the metric of the float model and of the converted one under sample weights of shape (samples,).
        higher_is_better: the metric's direction.
        samples: number of samples.
        replicates: number of resamples.
        seed: of the resamples; the same seed gives the same replicates.

    Returns:
        Pairs (converted value, drop), a positive drop being a loss of quality. A resample on which the metric is
        undefined, such as one without any sample of a class, is left out.
    """
    draw = np.random.default_rng(seed)
    shares = np.full(samples, 1 / samples)
    pairs = []
    for _ in Counted(range(replicates), replicates, "resamples"):
        weights = draw.multinomial(samples, shares).astype(np.float64)
        float_value, converted_value = score(weights)
        drop = float_value - converted_value if higher_is_better else converted_value - float_value
        pairs.append((converted_value, drop))
    return tuple(pair for pair in pairs if all(map(math.isfinite, pair)))
