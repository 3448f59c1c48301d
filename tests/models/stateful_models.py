"""Models that remember: `python stateful_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

_KERNEL = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)


class Smoother(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A moving average of what goes by, and a count of it; both begin with numbers of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.average = tf.Variable(np.full((1, 4), 2, np.float32))
        self.count = tf.Variable(10)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        average = self.average.assign(self.average * 0.75 + tf.reduce_mean(x, 0, keepdims=True) * 0.25)
        count = self.count.assign_add(1)
        return {"y": tf.matmul(average, _KERNEL), "count": tf.reshape(count, (1,))}


def build(folder: Path) -> None:
    """Writes every model into the folder."""
    smoother = Smoother()
    tf.saved_model.save(smoother, str(folder / "smoother"), signatures={"serving_default": smoother.serve})
    sequence = tf_keras.Input((6, 3), batch_size=1, name="sequence")
    tf_keras.Model(sequence, tf_keras.layers.LSTM(4, name="state")(sequence)).save(folder / "lstm.h5")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
