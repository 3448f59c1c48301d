"""SavedModels with inputs of every element type and rank: `python typed_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_KERNEL = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")

Body = Callable[..., dict[str, Any]]


def _integers(**tensors: Any) -> dict[str, Any]:
    total = tf.add_n([tf.cast(tensor, tf.float32) for tensor in tensors.values()])
    return {"y": tf.matmul(total, _KERNEL), "next": tensors["int32"] + 1, "doubled": tensors["int64"] * 2}


def _booleans(chosen: Any, x: Any) -> dict[str, Any]:
    return {"y": tf.matmul(tf.where(chosen, x, -x), _KERNEL), "others": tf.logical_not(chosen)}


def _half(x: Any) -> dict[str, Any]:
    return {"y": tf.nn.relu(tf.matmul(tf.cast(x, tf.float32), _KERNEL))}


def _half_sum(x: Any) -> dict[str, Any]:
    return {"y": x + x}


def _scalars(gain: Any, count: Any, x: Any) -> dict[str, Any]:
    return {"y": tf.matmul(x, _KERNEL) * gain + tf.cast(count, tf.float32), "twice": gain * 2.0}


def _equal_words(word: Any, other: Any) -> dict[str, Any]:
    return {"same": tf.cast(tf.equal(word, other), tf.float32)}


def _one_word(word: Any) -> dict[str, Any]:
    return {"is_cat": tf.cast(tf.reshape(tf.equal(word, "cat"), (1,)), tf.float32)}


def _length(word: Any) -> dict[str, Any]:
    return {"length": tf.strings.length(word)}


def _save(folder: Path, body: Body, inputs: Mapping[str, tuple[tuple[int | None, ...], str]], **owned: Any) -> None:
    module = tf.Module()
    for name, value in owned.items():
        setattr(module, name, value)
    specs = {name: tf.TensorSpec(shape, dtype, name=name) for name, (shape, dtype) in inputs.items()}
    serve = tf.function(body).get_concrete_function(**specs)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})


def _vocabulary(folder: Path) -> None:
    """Words by a lookup table to their embeddings."""
    words = tf.lookup.KeyValueTensorInitializer(tf.constant(["cat", "Säge"]), tf.constant([1, 2], tf.int64))
    table = tf.lookup.StaticHashTable(words, 0)
    embeddings = tf.Variable(_KERNEL)

    def embed(word: Any) -> dict[str, Any]:
        return {"embedding": tf.gather(embeddings, table.lookup(word))}

    _save(folder, embed, {"word": ((None, 2), "string")}, table=table, embeddings=embeddings)


def build(folder: Path) -> None:
    """Writes every model into the folder."""
    row, words = (None, 4), (None, 2)
    _save(folder / "integers", _integers, {dtype: (row, dtype) for dtype in _INTEGERS})
    _save(folder / "booleans", _booleans, {"chosen": (row, "bool"), "x": (row, "float32")})
    _save(folder / "half", _half, {"x": (row, "float16")})
    _save(folder / "half_sum", _half_sum, {"x": (row, "float16")})
    _save(folder / "scalars", _scalars, {"gain": ((), "float32"), "count": ((), "int32"), "x": (row, "float32")})
    _save(folder / "equal_words", _equal_words, {"word": (words, "string"), "other": (words, "string")})
    _save(folder / "one_word", _one_word, {"word": ((), "string")})
    _save(folder / "length", _length, {"word": (words, "string")})
    _vocabulary(folder / "vocabulary")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
