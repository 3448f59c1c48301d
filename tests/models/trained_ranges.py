"""Prints the variables of a SavedModel's signature that hold ranges, as JSON: `python trained_ranges.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import json
import sys

import tensorflow as tf

if __name__ == "__main__":
    variables = tf.saved_model.load(sys.argv[1]).variables_of_signature
    ranges = {variable.name.partition(":")[0]: variable.numpy().ravel().tolist() for variable in variables}
    print(json.dumps({name: values for name, values in ranges.items() if name.endswith(("_min", "_max"))}))  # noqa: T201
