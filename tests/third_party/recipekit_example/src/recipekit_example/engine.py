"""The engine `halving`: float16 weights by TensorFlow's own converter, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from recipekit.contracts import CalibrateRequest, QuantizeRequest
from recipekit.errors import ConversionError


class Halving:
    """See `recipekit.contracts.Engine`."""

    def calibrate(self, request: CalibrateRequest, samples: Iterable[Any]) -> bytes:
        raise ConversionError("halving has no ranges to calibrate", where="converter", fix="set quantization: float16")

    def quantize(self, request: QuantizeRequest, samples: Iterable[Any] | None) -> bytes:
        if request.converter.quantization != "float16":
            raise ConversionError("halving makes float16 alone", where="converter", fix="set quantization: float16")
        converter = tf.lite.TFLiteConverter.from_saved_model(request.loaded.saved_model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())
