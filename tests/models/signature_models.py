"""A project whose models have several signatures: `python signature_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_DRAW = np.random.default_rng(0)

RECIPE = """# @package _global_
name: several
version: "1.0.0"
source: {kind: saved_model, path: models/coder, signature: [encode, decode, score]}
representative_dataset:
  signatures:
    encode: {plugin: npz, path: data/x.npz, samples: 120}
    decode: {plugin: npz, path: data/embedding.npz, samples: 110}
    score: {plugin: npz, path: data/x.npz, samples: 120}
converter: {quantization: int8}
evaluation:
  dataset:
    signatures:
      encode: {plugin: npz, path: data/test_x.npz, samples: 40}
      decode: {plugin: npz, path: data/test_embedding.npz}
      score: {plugin: npz, path: data/test_labelled.npz}
  metrics: {score/top1_accuracy: {output: scores}}
  benchmark: {runs: 5, warmup: 1}
acceptance:
  parity: {sqnr_db: {min: 20}}
  task: {score/top1_accuracy: {max_drop: 0.1}}
"""


class Coder(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """An encoder, what decodes its embedding, and a classifier on top of it; encoder and classifier share weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = tf.Variable(_DRAW.normal(size=(8, 64)).astype(np.float32))
        self.second = tf.Variable(_DRAW.normal(size=(64, 64)).astype(np.float32) / 8)
        self.back = tf.Variable(_DRAW.normal(size=(64, 8)).astype(np.float32) / 8)

    def embedding(self, x: Any) -> Any:
        return tf.nn.relu(tf.matmul(tf.nn.relu(tf.matmul(x, self.first)), self.second))

    @tf.function(input_signature=[tf.TensorSpec((None, 8), name="x")])  # type: ignore[untyped-decorator]
    def encode(self, x: Any) -> dict[str, Any]:
        return {"embedding": self.embedding(x)}

    @tf.function(input_signature=[tf.TensorSpec((None, 64), name="embedding")])  # type: ignore[untyped-decorator]
    def decode(self, embedding: Any) -> dict[str, Any]:
        y = tf.matmul(embedding, self.back)
        return {"y": y, "rectified": tf.nn.relu(y)}

    @tf.function(input_signature=[tf.TensorSpec((None, 8), name="x")])  # type: ignore[untyped-decorator]
    def score(self, x: Any) -> dict[str, Any]:
        embedding = self.embedding(x)
        return {"embedding": embedding, "scores": tf.matmul(embedding, self.back)}


class Remembering(tf.Module):  # type: ignore[misc]
    """What one signature has added up, the other one reads."""

    def __init__(self) -> None:
        super().__init__()
        self.total = tf.Variable(np.full((1, 4), 2, np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator]
    def add(self, x: Any) -> dict[str, Any]:
        return {"total": self.total.assign_add(tf.reduce_sum(x, 0, keepdims=True))}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator]
    def scaled(self, x: Any) -> dict[str, Any]:
        return {"y": x * self.total}


def _write_data(folder: Path, coder: Coder) -> None:
    folder.mkdir()
    x, test_x = (_DRAW.normal(size=(count, 8)).astype(np.float32) for count in (150, 60))
    for prefix, values in (("", x), ("test_", test_x)):
        embedding = coder.encode(tf.constant(values))["embedding"].numpy()
        np.savez(folder / f"{prefix}x.npz", x=values)
        np.savez(folder / f"{prefix}embedding.npz", embedding=embedding)
    labels = coder.score(tf.constant(test_x))["scores"].numpy().argmax(axis=1)
    np.savez(folder / "test_labelled.npz", x=test_x, labels=labels)


def _write_graph(folder: Path) -> None:
    """A SavedModel of TensorFlow 1 with two signatures, whose inputs have names that Python has not."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, (None, 8), name="x")
        weights = tf.compat.v1.get_variable("weights", initializer=_DRAW.normal(size=(8, 4)).astype(np.float32))
        projected = tf.matmul(x, weights)
        session.run(tf.compat.v1.global_variables_initializer())
        built = {"project": ("feed/x", projected), "normalize": ("class", tf.nn.softmax(projected))}
        signatures = {
            key: tf.compat.v1.saved_model.build_signature_def(
                {name: tf.compat.v1.saved_model.build_tensor_info(x)},
                {"y": tf.compat.v1.saved_model.build_tensor_info(output)},
            )
            for key, (name, output) in built.items()
        }
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()


def build(folder: Path) -> None:
    """Writes models, data and recipe into the folder."""
    (folder / "models").mkdir()
    (folder / "recipes").mkdir()
    coder, remembering = Coder(), Remembering()
    signatures = {"encode": coder.encode, "decode": coder.decode, "score": coder.score}
    tf.saved_model.save(coder, str(folder / "models" / "coder"), signatures=signatures)
    signatures = {"add": remembering.add, "scaled": remembering.scaled}
    tf.saved_model.save(remembering, str(folder / "models" / "remembering"), signatures=signatures)
    _write_graph(folder / "models" / "graph")
    _write_data(folder / "data", coder)
    (folder / "recipes" / "several.yaml").write_text(RECIPE)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
