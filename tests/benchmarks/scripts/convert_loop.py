"""Many conversions in one process: the float model is loaded and evaluated once, then converted scheme by scheme.

    python -m tests.benchmarks.scripts.convert_loop --model M.keras --output FOLDER --scheme A='--quantization int8' ...

It is the step that a team takes when `convert_once` has become too slow, and so the harder opponent in a sweep.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile

import numpy as np
import tensorflow as tf

from tests.benchmarks.scripts.convert_once import (
    FLOAT_BATCH,
    add_scheme,
    compare,
    convert,
    converters,
    digits,
    make_parser,
    save,
)


def main() -> None:
    parser = make_parser()
    parser.add_argument("--scheme", action="append", required=True, metavar="NAME=OPTIONS", help="may be repeated")
    options = parser.parse_args()
    calibration, _ = digits("calibration", options.calibration_samples, shuffle=True)
    images, labels = digits("test", options.evaluation_samples)
    model = tf.keras.models.load_model(options.model, compile=False)
    expected = model.predict(images, batch_size=FLOAT_BATCH, verbose=0)
    with tempfile.TemporaryDirectory() as scratch:
        new_converter = converters(model, options.route, scratch)
        yardstick = new_converter().convert()
        for text in options.scheme:
            name, _, arguments = text.partition("=")
            converted = convert(
                new_converter, scheme(arguments), lambda: ([image[np.newaxis]] for image in calibration), yardstick
            )
            save(options.output / name, converted, compare(converted, yardstick, images, labels, expected))


def scheme(arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_scheme(parser)
    return parser.parse_args(shlex.split(arguments))


if __name__ == "__main__":
    main()
