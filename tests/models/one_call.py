"""The public one call of the converter, as a script would make it: `python one_call.py FOLDER REQUEST.json`.

The request is a list of {"model", "arrays", "schemes": [...]}; each scheme has the keys of a recipe's converter section
and `file`, where its flatbuffer goes. A scheme that TensorFlow refuses leaves no file. A request for several signatures
has `signatures` in the place of `arrays`, a file of arrays by key.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_INTEGER = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}


def _convert(model: Path, keys: list[str], scheme: dict[str, Any], samples: Callable[[], Iterator[Any]]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(model), signature_keys=keys)
    converter.exclude_conversion_metadata = True
    quantization = scheme["quantization"]
    if quantization != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantization in _INTEGER:
        float_ops = [tf.lite.OpsSet.TFLITE_BUILTINS] if scheme["allow_float"] else []
        converter.target_spec.supported_ops = [*float_ops, _INTEGER[quantization]]
        converter.representative_dataset = samples
        converter.inference_input_type = tf.as_dtype(scheme["input_type"])
        converter.inference_output_type = tf.as_dtype(scheme["output_type"])
    if scheme["granularity"] == "per_tensor":
        converter._experimental_disable_per_channel = True  # it has no public name
    for name, value in scheme["flags"].items():
        setattr(converter, name, value)
    return bytes(converter.convert())


def _samples(path: str) -> Callable[[], Iterator[dict[str, Any]]]:
    arrays = dict(np.load(path))
    count = len(next(iter(arrays.values())))
    return lambda: ({name: array[at : at + 1] for name, array in arrays.items()} for at in range(count))


def _samples_by_key(paths: dict[str, str]) -> Callable[[], Iterator[tuple[str, dict[str, Any]]]]:
    return lambda: ((key, sample) for key, path in paths.items() for sample in _samples(path)())


def _main(folder: Path, requests: list[dict[str, Any]]) -> None:
    for request in requests:
        signatures = request.get("signatures")
        keys = list(signatures) if signatures else ["serving_default"]
        samples = _samples_by_key(signatures) if signatures else _samples(request["arrays"])
        for scheme in request["schemes"]:
            with contextlib.suppress(Exception):  # whatever TensorFlow refuses with, the missing file tells
                data = _convert(folder / request["model"], keys, scheme, samples)
                Path(scheme["file"]).write_bytes(data)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
