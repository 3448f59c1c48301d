"""TFRecord files as TensorFlow writes them: `python tfrecords.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(folder: Path) -> None:
    """Three records a file, plain and in both compressions."""
    rng = np.random.default_rng(0)
    for compression in ("", "GZIP", "ZLIB"):
        with tf.io.TFRecordWriter(str(folder / f"{compression or 'plain'}.tfrecord"), compression) as writer:
            for index in range(3):
                image = rng.integers(0, 256, (9, 7, 3), np.uint8)
                features = {
                    "x": tf.train.Feature(float_list=tf.train.FloatList(value=[index + 0.25, -index, 1e-3])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[index])),
                    "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"größe {index}".encode()])),
                    "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.io.encode_png(image).numpy()])),
                    "raw": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
                }
                writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
