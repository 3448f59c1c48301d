"""Quantization-aware training by tensorflow-model-optimization: 8-bit arithmetic is simulated, its ranges learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recipekit.worker.optimization.put_back import PutBack
from recipekit.worker.optimization.toolkit import load_toolkit
from recipekit.worker.optimization.weights import LayerWeight
from recipekit.worker.optimization.wrapped_layers import Train, refused

STEP = "quantization_aware_training"

_CALIBRATED = (
    "leave this step out: `quantization: int8` then takes its ranges from `representative_dataset`, for recurrent"
    " layers, too, and keeps zeros and clusters; the log holds the whole traceback"
)


def train_for_quantization(model: Any, kept: Sequence[LayerWeight], train: Train) -> Any:
    """Gives a model with simulated quantization, trained; zeros and equal values of some weights stay so.

    The package has schemes of its own that keep them. They aren't used: their layers share one switch, which the first
    layer without zeros turns off for all, and they pass over a layer with a ReLU layer behind it.

    Args:
        model: functional, of tf_keras.
        kept: weights of it whose zeros and equal values stay.
        train: the training.

    Raises:
        OptimizationError: the package can't quantize a layer, or takes one of the kept ones apart.
    """
    quantization = load_toolkit().quantization.keras
    try:
        simulating = quantization.quantize_apply(quantization.quantize_annotate_model(model))
    except (ValueError, RuntimeError) as error:
        raise refused(STEP, error, _CALIBRATED) from error
    train(simulating, [PutBack(simulating, kept)])
    return simulating
