"""One conversion by hand: load, convert, evaluate the float model and the converted one, save.

    python -m tests.benchmarks.scripts.convert_once --model M.keras --output FOLDER --quantization int8

This is what a team writes where it has no recipes, for one model whose input and output it knows: plain TensorFlow, and
the team's own module for the data. It does the work that the recipe `mobilenet_int8` asks for, and nothing slower than
need be: of the ways from a Keras model to a converter, `--route` takes the fastest one unless told otherwise.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from recipekit.contracts import DatasetContext
from recipekit.worker.datasets.digits import DigitsDataset

Array = npt.NDArray[Any]
Calibration = Callable[[], Iterator[list[Array]]]

FLOAT_BATCH = 100
WARMUP, TIMED = 5, 50
INTEGER_OPS = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}


def main() -> None:
    options = make_parser().parse_args()
    images, _ = digits("calibration", options.calibration_samples, shuffle=True)
    convert_and_compare(options, lambda: ([image[np.newaxis]] for image in images))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for model.tflite and result.json")
    parser.add_argument("--calibration-samples", type=int, default=200)
    parser.add_argument("--evaluation-samples", type=int, default=500)
    parser.add_argument("--route", choices=["keras", "export", "saved_model", "concrete"], default="saved_model")
    parser.add_argument("--no-yardstick", action="store_true", help="leave out the float32 conversion")
    add_scheme(parser)
    return parser


def add_scheme(parser: argparse.ArgumentParser) -> None:
    schemes = ["none", "float16", "dynamic_range", "int8", "int16x8"]
    parser.add_argument("--quantization", choices=schemes, default="int8")
    parser.add_argument("--granularity", choices=["per_channel", "per_tensor"], default="per_channel")
    parser.add_argument("--input-type", default="float32")
    parser.add_argument("--output-type", default="float32")
    parser.add_argument("--allow-float", action="store_true")


def digits(split: str, count: int, *, shuffle: bool = False) -> tuple[Array, Array]:
    """Images (count, 48, 48, 3) and labels (count,)."""
    dataset = DigitsDataset(DatasetContext(root=Path.cwd(), seed=0), split=split)
    order = np.random.default_rng(0).permutation(len(dataset)) if shuffle else np.arange(len(dataset))
    samples = [dataset[index] for index in order[:count].tolist()]
    images: list[Any] = [dict(sample.tensors)["image"] for sample in samples]
    return np.stack(images), np.array([sample.label for sample in samples])


def convert_and_compare(options: argparse.Namespace, calibration: Calibration) -> None:
    images, labels = digits("test", options.evaluation_samples)
    model = tf.keras.models.load_model(options.model, compile=False)
    expected = model.predict(images, batch_size=FLOAT_BATCH, verbose=0)
    with tempfile.TemporaryDirectory() as scratch:
        new_converter = converters(model, options.route, scratch)
        yardstick = None if options.no_yardstick else new_converter().convert()
        converted = convert(new_converter, options, calibration, yardstick)
    save(options.output, converted, compare(converted, yardstick, images, labels, expected))


def converters(model: Any, route: str, scratch: str) -> Callable[[], Any]:
    """Makes fresh converters of a Keras model."""
    if route == "keras":
        return lambda: tf.lite.TFLiteConverter.from_keras_model(model)
    spec = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    if route == "export":
        model.export(scratch, input_signature=[spec], verbose=False)
        return lambda: tf.lite.TFLiteConverter.from_saved_model(scratch)
    serve = tf.function(lambda image: {"probabilities": model(image, training=False)}, autograph=False)
    function = serve.get_concrete_function(spec)
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]  # else they are not saved
    if route == "concrete":
        return lambda: tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    tf.saved_model.save(module, scratch, signatures=function)
    return lambda: tf.lite.TFLiteConverter.from_saved_model(scratch)


def convert(
    new_converter: Callable[[], Any], scheme: argparse.Namespace, calibration: Calibration, float32: bytes | None
) -> bytes:
    """The flatbuffer of a scheme; the float32 one itself where that is asked for and already there."""
    if scheme.quantization == "none" and float32 is not None:
        return float32
    converter = new_converter()
    if scheme.quantization != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if scheme.quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if scheme.granularity == "per_tensor":
        converter._experimental_disable_per_channel = True
    if scheme.quantization in INTEGER_OPS:
        integer = INTEGER_OPS[scheme.quantization]
        converter.representative_dataset = calibration
        floats = [tf.lite.OpsSet.TFLITE_BUILTINS] if scheme.allow_float else []
        converter.target_spec.supported_ops = [*floats, integer]
        converter.inference_input_type = tf.dtypes.as_dtype(scheme.input_type)
        converter.inference_output_type = tf.dtypes.as_dtype(scheme.output_type)
    flatbuffer: bytes = converter.convert()
    return flatbuffer


class Model:
    """A converted model with one input and one output, real numbers in and out."""

    def __init__(self, flatbuffer: bytes) -> None:
        self._interpreter = tf.lite.Interpreter(model_content=flatbuffer, num_threads=1)
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self.input_type = np.dtype(self._input["dtype"]).name
        self.output_type = np.dtype(self._output["dtype"]).name

    def __call__(self, image: Array) -> Array:
        self.feed(image)
        self._interpreter.invoke()
        values: Array = self._interpreter.get_tensor(self._output["index"])[0]
        scale, zero_point = self._output["quantization"]
        return (values.astype(np.float32) - zero_point) * scale if scale else values

    def feed(self, image: Array) -> None:
        values = image[np.newaxis]
        scale, zero_point = self._input["quantization"]
        if scale:
            limits = np.iinfo(self._input["dtype"])
            values = np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(self._input["dtype"])
        self._interpreter.set_tensor(self._input["index"], values)

    def milliseconds(self) -> float:
        started = time.perf_counter()
        self._interpreter.invoke()
        return 1e3 * (time.perf_counter() - started)

    def float_tensors(self) -> int:
        """How many tensors are real numbers, as an integer-only target must not have."""
        return sum(detail["dtype"] == np.float32 for detail in self._interpreter.get_tensor_details())


def compare(converted: bytes, yardstick: bytes | None, images: Array, labels: Array, expected: Array) -> dict[str, Any]:
    """The numbers that decide whether the converted model is good enough."""
    model = Model(converted)
    outputs = np.stack([model(image) for image in images])
    error = np.sum(np.square(expected.astype(np.float64) - outputs))
    signal = np.sum(np.square(expected.astype(np.float64)))
    result = {
        "size": len(converted),
        "sqnr_db": float(10 * np.log10(signal / error)),
        "max_abs_error": float(np.abs(expected - outputs).max()),
        "argmax_agreement": float(np.mean(expected.argmax(axis=1) == outputs.argmax(axis=1))),
        "top1_float": float(np.mean(expected.argmax(axis=1) == labels)),
        "top1_converted": float(np.mean(outputs.argmax(axis=1) == labels)),
        "input_type": model.input_type,
        "output_type": model.output_type,
        "float_tensors": model.float_tensors(),
    }
    if yardstick is None:
        return {**result, "p50_ms": latencies([model], images[0])[0]}
    p50_ms, float32_p50_ms = latencies([model, Model(yardstick)], images[0])
    ratio = len(converted) / len(yardstick)
    return {**result, "size_ratio": ratio, "p50_ms": p50_ms, "float32_p50_ms": float32_p50_ms}


def latencies(models: Sequence[Model], image: Array) -> list[float]:
    """Median milliseconds of each model for one image, timed in turns."""
    for model in models:
        model.feed(image)
    rounds = [[model.milliseconds() for model in models] for _ in range(WARMUP + TIMED)]
    medians: list[float] = np.median(rounds[WARMUP:], axis=0).tolist()
    return medians


def save(folder: Path, flatbuffer: bytes, result: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(flatbuffer)
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
