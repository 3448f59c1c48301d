"""What was measured, as flat numbers under the names that bounds have in a recipe's `acceptance`.

Programs read them and searches aim at them. Nothing here knows which of them a recipe bounds.
"""

from __future__ import annotations

from msgspec import UNSET

from recipekit.acceptance import METRICS
from recipekit.contracts import Measurement

_WORST = {"sqnr_db": min, "cosine_similarity": min, "argmax_agreement": min}
"""Of these parity metrics the least value is the worst, of all others the greatest."""


def flat_metrics(measurement: Measurement) -> dict[str, float]:
    """Every number of a measurement.

    Args:
        measurement: of a converted model.

    Returns:
        By name: `parity.<metric>` of the worst output, `task.<metric>` of the converted model with
        `task.<metric>.float` and `task.<metric>.drop` beside it, `size.bytes`, `size.ratio`, `model.float_ops`, and
        where it was measured, `latency.<metric>` in milliseconds, `latency.ratio`, and `target.<metric>`.
    """
    found: dict[str, float] = {}
    for metric in METRICS["parity"]:
        values = [getattr(parity, metric) for parity in measurement.parity.values()]
        known = [value for value in values if value is not None]
        if known:
            found[f"parity.{metric}"] = _WORST.get(metric, max)(known)
    for metric, score in measurement.task.items():
        found[f"task.{metric}"] = score.converted_value
        found[f"task.{metric}.float"] = score.float_value
        found[f"task.{metric}.drop"] = score.drop
    found["size.bytes"] = measurement.size
    found["size.ratio"] = measurement.size_ratio
    found["model.float_ops"] = measurement.census.float_ops
    if measurement.latency is not None:
        latency = measurement.latency
        found |= {f"latency.{metric}": getattr(latency, metric) for metric in ("p50_ms", "p90_ms", "mean_ms")}
        if measurement.float32_latency is not None:
            found["latency.ratio"] = latency.p50_ms / measurement.float32_latency.p50_ms
    if measurement.target is not UNSET:
        found |= {f"target.{metric}": getattr(measurement.target, metric) for metric in METRICS["target"]}
    return found
