"""Selective quantization by the public API, as its guide writes it.

`python quantization_debugger.py SAVED_MODEL ARRAYS.npz OPTIONS OUT`; OPTIONS is a JSON object of keywords for
`QuantizationDebugOptions`. The one step without a public name is the last one of every conversion, which lets constants
of equal content share a buffer; the debugger leaves it out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import deduplicate_readonly_buffers


def _main(model: str, arrays: str, options: str, out: str) -> None:
    samples = dict(np.load(arrays))
    count = len(next(iter(samples.values())))
    converter = tf.lite.TFLiteConverter.from_saved_model(model, signature_keys=["serving_default"])
    converter.exclude_conversion_metadata = True
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: (
        {name: array[at : at + 1] for name, array in samples.items()} for at in range(count)
    )
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(**json.loads(options)),
    )
    Path(out).write_bytes(deduplicate_readonly_buffers(debugger.get_nondebug_quantized_model()))


if __name__ == "__main__":
    _main(*sys.argv[1:])
