"""A project's own Keras 3 layers: one registered, one not, one that forgets an argument."""

from __future__ import annotations

from typing import Any

import keras


class Scale(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """Multiplies by a number that its configuration holds."""

    def __init__(self, factor: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="Shop")
class Shift(Scale):
    """Adds that number instead."""

    def call(self, inputs: Any) -> Any:
        return inputs + self.factor


class Forgetful(Scale):
    """Leaves its argument out of its configuration."""

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["factor"]
        return config


class Nameless(Scale):
    """Leaves out what every layer has."""

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


class Net(keras.Model):  # type: ignore[misc]  # Keras is not typed
    """A subclassed model with two inputs in one argument."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2, name="dense")

    def call(self, inputs: Any) -> Any:
        return {"answer": self.dense(inputs["zeta"]) - 2.0 * self.dense(inputs["alpha"])}


class TwoArguments(keras.Model):  # type: ignore[misc]  # Keras is not typed
    """The same with two arguments, of which Keras saves the first one's shape alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2, name="dense")

    def call(self, zeta: Any, alpha: Any) -> Any:
        return self.dense(zeta) - 2.0 * self.dense(alpha)
