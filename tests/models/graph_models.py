"""Graphs of TensorFlow 1, frozen and in SavedModels: `python graph_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import text_format

v1 = tf.compat.v1


def _variable(name: str, shape: tuple[int, ...], resource: bool) -> Any:
    value = np.random.default_rng(len(name)).normal(size=shape).astype(np.float32)
    return v1.get_variable(name, initializer=tf.constant(value), use_resource=resource)


def _scorer() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two inputs of one shape and two outputs of one shape, so that a mistaken position would go unnoticed."""
    left = v1.placeholder(tf.float32, (None, 8), name="feed/left")
    right = v1.placeholder(tf.float32, (None, 8), name="feed/right")
    kernel, bias = _variable("kernel", (8, 6), False), _variable("bias", (6,), True)
    hidden = tf.nn.relu(tf.matmul(left, kernel) + bias, name="hidden")
    scores = tf.subtract(hidden, 2.0 * tf.matmul(right, kernel), name="scores")
    total = tf.add(hidden, tf.matmul(right, kernel), name="total")
    return {"zeta": left, "alpha": right}, {"scores": scores, "a_total": total}


def _decoder() -> tuple[dict[str, Any], dict[str, Any]]:
    """A graph that reads its image from a file, in front of the tensor that a model begins with."""
    path = v1.placeholder(tf.string, (), name="path")
    image = tf.reshape(tf.io.decode_raw(tf.io.read_file(path), tf.float32), (-1, 8), name="image")
    return {"path": path}, {"y": tf.nn.relu(image * 2.0, name="y")}


def _branches() -> tuple[dict[str, Any], dict[str, Any]]:
    """A branch in the control flow of TensorFlow 1, chosen by a scalar input."""
    x = v1.placeholder(tf.float32, (None, 8), name="x")
    training = v1.placeholder_with_default(False, (), name="training")
    chosen = v1.cond(training, lambda: x * 2.0, lambda: x + 1.0)
    return {"x": x, "training": training}, {"y": tf.multiply(chosen, 3.0, name="y")}


def _words() -> tuple[dict[str, Any], dict[str, Any]]:
    """Words by a lookup table to their embeddings."""
    word = v1.placeholder(tf.string, (None, 2), name="w")
    words = v1.lookup.KeyValueTensorInitializer(tf.constant(["cat", "dog"]), tf.constant([1, 2], tf.int64))
    table = v1.lookup.StaticHashTable(words, 0)
    return {"word": word}, {"embedding": tf.gather(_variable("embeddings", (3, 4), False), table.lookup(word))}


def _write_saved_model(
    folder: Path, session: Any, tags: list[str], ports: tuple[dict[str, Any], ...], main_op: Any = None
) -> None:
    infos = [{name: v1.saved_model.build_tensor_info(tensor) for name, tensor in port.items()} for port in ports]
    signature = v1.saved_model.build_signature_def(*infos, "predict")
    builder = v1.saved_model.Builder(str(folder))
    builder.add_meta_graph_and_variables(session, tags, {"predict": signature}, main_op=main_op)
    builder.save()


def build(folder: Path) -> None:
    """Writes every graph into the folder."""
    with tf.Graph().as_default() as graph, v1.Session() as session:
        ports = _scorer()
        session.run(v1.global_variables_initializer())
        _write_saved_model(folder / "scorer", session, ["serve"], ports)
        _write_saved_model(folder / "scorer_with_tags", session, ["serve", "gpu"], ports)
        idle = {**ports[0], "idle": v1.placeholder(tf.float32, (None, 2), name="idle")}
        _write_saved_model(folder / "idle_input", session, ["serve"], (idle, ports[1]))
        definition = graph.as_graph_def()
        (folder / "not_frozen.pb").write_bytes(definition.SerializeToString())
        frozen = v1.graph_util.convert_variables_to_constants(session, definition, ["scores", "total"])
        (folder / "scorer.pb").write_bytes(frozen.SerializeToString())
        (folder / "scorer.pbtxt").write_text(text_format.MessageToString(frozen))
        frozen.node.add(name="own", op="OperatorOfOurOwn")
        (folder / "unknown_operator.pb").write_bytes(frozen.SerializeToString())
    with tf.Graph().as_default(), v1.Session() as session:
        ports, fill = _words(), v1.tables_initializer()
        session.run([v1.global_variables_initializer(), fill])
        _write_saved_model(folder / "words", session, ["serve"], ports, fill)
    v1.disable_control_flow_v2()
    for make in (_decoder, _branches):
        with tf.Graph().as_default() as graph:
            make()
            (folder / f"{make.__name__[1:]}.pb").write_bytes(graph.as_graph_def().SerializeToString())


if __name__ == "__main__":
    build(Path(sys.argv[1]))
