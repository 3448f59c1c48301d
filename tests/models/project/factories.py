"""A project's own model factories, good and bad."""

from __future__ import annotations

import sys
from typing import Any

import keras
import tensorflow as tf

_SPEC = tf.TensorSpec((None, 4), tf.float32, name="x")


def keras_model(units: int) -> Any:
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(units)(x))


class OwnLayer(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """Is registered nowhere, and says what it is made of unless it is forgetful."""

    def __init__(self, factor: float, forgetful: bool, **options: Any) -> None:
        super().__init__(**options)
        self.factor, self.forgetful = factor, forgetful

    def call(self, x: Any) -> Any:
        return x * self.factor

    def get_config(self) -> dict[str, Any]:
        made_of = {} if self.forgetful else {"factor": self.factor, "forgetful": False}
        return {**super().get_config(), **made_of}


def mixed_precision(forgetful: bool = False) -> Any:
    x = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(8, activation="relu", dtype="mixed_float16")(x)
    return keras.Model(x, keras.layers.Dense(2)(OwnLayer(2.0, forgetful, dtype="mixed_float16")(hidden)))


class Holder(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Holds a Keras 3 model in a list, where TensorFlow's own export loses its weights."""

    def __init__(self) -> None:
        super().__init__()
        x = keras.Input((4,))
        hidden = keras.layers.BatchNormalization()(keras.layers.Dense(8, activation="relu")(x))
        self.models = [keras.Model(x, keras.layers.Dense(3)(hidden))]

    @tf.function(input_signature=[_SPEC])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> dict[str, Any]:
        return {"y": self.models[0](x)}


class TwoFunctions(Holder):
    """Has two functions that could be meant."""

    @tf.function(input_signature=[_SPEC])  # type: ignore[untyped-decorator]
    def serving_default(self, x: Any) -> dict[str, Any]:
        return {"z": x}


class Vocabulary(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Uses a lookup table, which is not a variable."""

    def __init__(self) -> None:
        super().__init__()
        keys, values = tf.constant([1, 2], tf.int64), tf.constant([10, 20], tf.int64)
        self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1)

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.int64, name="id")])  # type: ignore[untyped-decorator]
    def __call__(self, key: Any) -> Any:
        return self.table.lookup(key)


def holder() -> Any:
    return Holder()


def two_functions() -> Any:
    return TwoFunctions()


def bare_module() -> Any:
    return tf.Module()


def vocabulary() -> Any:
    return Vocabulary()


class Predictor(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Has one function, by a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([[1.0], [2.0], [3.0], [4.0]])

    @tf.function(input_signature=[_SPEC])  # type: ignore[untyped-decorator]
    def predict(self, x: Any) -> Any:
        return tf.matmul(x, self.weight)


def predictor() -> Any:
    return Predictor()


def declared_function() -> Any:
    weight = tf.Variable([[1.0], [2.0], [3.0], [4.0]])

    @tf.function(input_signature=[_SPEC])  # type: ignore[untyped-decorator]
    def predict(x: Any) -> Any:
        return tf.matmul(x, weight)

    predict.weight = weight
    return predict


def undeclared_function() -> Any:
    return tf.function(lambda x: x)


def row_of_three() -> Any:
    """Fails for an index above 2."""
    rows = tf.constant([[1.0], [2.0], [3.0]])
    return tf.function(lambda at: tf.gather(rows, at)).get_concrete_function(tf.TensorSpec((None, 1), tf.int32, "at"))


def nested() -> Any:
    """Takes a mapping of a tensor and a list, and a number that is no input."""

    @tf.function  # type: ignore[untyped-decorator]
    def serve(pair: Any, scale: float = 2.0) -> Any:
        return {"y": pair["left"] - scale * pair["right"][0] + 3.0 * pair["right"][1]}

    row = tf.TensorSpec((None, 4))
    return serve.get_concrete_function({"left": row, "right": [row, row]})


def wrapped() -> Any:
    """A function of TensorFlow 1."""
    return tf.compat.v1.wrap_function(lambda x: x * 2.0, [tf.TensorSpec((None, 4), name="x")])


def restored(path: str) -> Any:
    return tf.saved_model.load(path)


def concrete() -> Any:
    weight = tf.Variable([[1.0], [2.0], [3.0], [4.0]])

    @tf.function  # type: ignore[untyped-decorator]
    def difference(zeta: Any, alpha: Any) -> Any:
        return tf.matmul(zeta, weight) - 2.0 * tf.matmul(alpha, weight), zeta + alpha

    spec = {name: tf.TensorSpec((None, 4), tf.float32, name=name) for name in ("zeta", "alpha")}
    function = difference.get_concrete_function(**spec)
    function.weight = weight
    return function


def odd_names() -> Any:
    @tf.function  # type: ignore[untyped-decorator]
    def difference(tensors: Any) -> Any:
        return {"left/right": tensors["side-view"] - 2.0 * tensors["class"]}

    return difference.get_concrete_function(
        {name: tf.TensorSpec((None, 4), tf.float32, name=name) for name in ("side-view", "class")}
    )


def weighted(inputs: list[str], outputs: list[str]) -> Any:
    """Each output is a sum of all inputs with weights of its own."""

    @tf.function  # type: ignore[untyped-decorator]
    def serve(tensors: Any) -> Any:
        return {
            output: tf.add_n([tensors[name] * (place * 4.0 + index + 1) for index, name in enumerate(inputs)])
            for place, output in enumerate(outputs)
        }

    return serve.get_concrete_function({name: tf.TensorSpec((None, 4), name=name) for name in inputs})


def weighted_keras(inputs: list[str], outputs: list[str]) -> Any:
    tensors = [keras.Input((4,), name=name) for name in inputs]
    scaled = [
        [keras.layers.Rescaling(place * 4.0 + index + 1)(x) for index, x in enumerate(tensors)]
        for place in range(len(outputs))
    ]
    sums = [keras.layers.Add(name=name)(terms) for name, terms in zip(outputs, scaled, strict=True)]
    return keras.Model(tensors, sums)


def number() -> Any:
    return 7


def leaves() -> Any:
    sys.exit(0)
