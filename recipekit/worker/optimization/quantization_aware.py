"""Quantization-aware training by tensorflow-model-optimization: 8-bit arithmetic is simulated, its ranges learnt."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import tf_keras

from recipekit.errors import OptimizationError
from recipekit.worker.optimization.put_back import PutBack
from recipekit.worker.optimization.simulable import simulable
from recipekit.worker.optimization.toolkit import load_toolkit
from recipekit.worker.optimization.weights import LayerWeight
from recipekit.worker.optimization.wrapped_layers import Train, refused

STEP = "quantization_aware_training"

_SCHEMES = "tensorflow_model_optimization.python.core.quantization.keras.default_8bit."
_OUTPUT_ONLY = ("Multiply", "Subtract")
"""Layers without weights that TensorFlow Lite computes in integers, and that the package has no scheme for."""

_BY_PATTERN = ("BatchNormalization", "InputLayer", "SeparableConv1D", "SeparableConv2D")
"""Kinds of layer that the package knows together with others alone; `simulable` leaves no other normalization."""

_ACTIVATIONS = ("linear", "relu", "relu6", "swish", "gelu", "sigmoid", "tanh", "softmax")

_CALIBRATED = (
    "leave this step out: `quantization: int8` then takes its ranges from `representative_dataset`, for recurrent"
    " layers, too, and keeps zeros and clusters; or build the model from the layers that docs/optimize.md lists"
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
    prepared = simulable(model, {weight.layer for weight in kept})
    _require_known(prepared)
    output_only = importlib.import_module(f"{_SCHEMES}default_8bit_quantize_configs").Default8BitOutputQuantizeConfig

    def annotated(layer: Any) -> Any:
        scheme = output_only() if type(layer).__name__ in _OUTPUT_ONLY else None
        return quantization.quantize_annotate_layer(layer, scheme)

    try:
        with quantization.quantize_scope():
            simulating = quantization.quantize_apply(tf_keras.models.clone_model(prepared, clone_function=annotated))
    except (ValueError, RuntimeError) as error:
        raise refused(STEP, error, _CALIBRATED) from error
    train(simulating, [PutBack(simulating, kept)])
    return simulating


def _require_known(model: Any) -> None:
    """Refuses a model with layers that the package has no scheme for, all of them by name."""
    registry = importlib.import_module(f"{_SCHEMES}default_8bit_quantize_registry").Default8BitQuantizeRegistry()
    known = (*_BY_PATTERN, *_OUTPUT_ONLY)
    unknown = {
        it.name: type(it).__name__ for it in model.layers if not (type(it).__name__ in known or registry.supports(it))
    }
    for layer in model.layers:
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if layer.name not in unknown and activation not in _ACTIVATIONS:
            unknown[layer.name] = f"{type(layer).__name__} with {activation}"
    if unknown:
        names = ", ".join(f"{name} ({kind})" for name, kind in unknown.items())
        raise OptimizationError(
            f"tensorflow-model-optimization has no 8-bit scheme for {names}",
            where=f"optimize.{STEP}",
            fix=_CALIBRATED,
        )
