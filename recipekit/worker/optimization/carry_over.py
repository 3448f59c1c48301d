"""A Keras model as a functional tf_keras model of its own, which tensorflow-model-optimization can work on.

A model of tf_keras is copied. One of Keras 3 is built again from its configuration, layer by layer, with its weights;
models inside of models are spelled out. Whatever comes of it is compared with the original on random input, and
refused unless both agree within the rounding of float32.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tf_keras

from recipekit.contracts import Signature, TensorSpec
from recipekit.errors import OptimizationError, in_a_line
from recipekit.worker.float_model import FloatModel
from recipekit.worker.keras_model import output_names
from recipekit.worker.layers import generation
from recipekit.worker.named_tensors import Tensors
from recipekit.worker.recurrent import find

_TOLERANCE = 1e-5
"""Largest difference, relative to the largest output: what another order of float32 additions leaves behind."""

_DYNAMIC = 16  # stands for a dynamic dimension other than the batch
_RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
_ONE_SHOT = "prune alone and without `finetune` works on any Keras model: leave out `finetune`, `cluster` and"
_WAY_OUT = f"{_ONE_SHOT} `quantization_aware_training`; or build the model from tf_keras layers"

Config = dict[str, Any]


class Carried(NamedTuple):
    """A model carried over.

    Attributes:
        model: functional, of tf_keras, with flat lists of inputs and outputs.
        inputs: what its inputs are called, in their order.
        outputs: what its outputs are called, in their order.
        how: one sentence for the user.
    """

    model: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    how: str

    def float_model(self, model: Any, specs: tuple[TensorSpec, ...], parameters: int | None) -> FloatModel:
        """A model that was made of this one, with the same inputs and outputs by the same names.

        Args:
            model: of tf_keras; its inputs and outputs have the order of this one's.
            specs: of the inputs.
            parameters: number of weights, as the original counts them.
        """

        def forward(tensors: Tensors) -> Tensors:
            outputs = model([tensors[name] for name in self.inputs], training=False)
            flat = outputs if isinstance(outputs, list | tuple) else [outputs]
            return dict(zip(self.outputs, flat, strict=True))

        return FloatModel(forward, specs, model, "tf_keras", self.how, parameters, recurrent=find(model))


def carry_over(original: FloatModel, signature: Signature) -> Carried:
    """Gives a copy of a Keras model in tf_keras.

    Args:
        original: a float model whose owner is a Keras model; it isn't changed.
        signature: with the shapes that random input gets.

    Raises:
        OptimizationError: tf_keras can't rebuild the model, or the copy computes something else.
    """
    source = original.owner
    inputs = tuple(spec.name for spec in original.inputs)
    if not getattr(source, "inputs", None) or not getattr(source, "outputs", None):
        raise _refused("it is a subclassed model, whose layers can't be told apart")
    try:
        if generation(source) == "tf_keras":
            model, how = _copied(source), "a copy of the tf_keras model"
        else:
            model, how = _Rebuilding(source).model(), "rebuilt in tf_keras layer by layer, with its weights"
    except OptimizationError:
        raise
    except Exception as error:
        raise _refused(in_a_line(error)) from error
    carried = Carried(model, inputs, output_names(source), how)
    _require_parity(original, carried.float_model(model, original.inputs, None), signature)
    return carried


def _copied(source: Any) -> Any:
    flat = tf_keras.Model(list(source.inputs), list(source.outputs))
    copy = tf_keras.models.clone_model(flat)
    copy.set_weights(flat.get_weights())
    return copy


class _Rebuilding:
    """One functional or sequential model of Keras 3 being built again."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._layers: dict[int, Any] = {}
        self._names: set[str] = set()

    def model(self) -> Any:
        inputs = []
        for tensor in self._source.inputs:
            name = tensor._keras_history.operation.name
            self._names.add(name)
            inputs.append(tf_keras.Input(tensor.shape[1:], tensor.shape[0], name=name, dtype=tensor.dtype))
        return tf_keras.Model(inputs, self._outputs(self._source, inputs))

    def _outputs(self, model: Any, inputs: list[Any]) -> list[Any]:
        """What a model gives for symbolic inputs, node by node as its configuration tells."""
        config = model.get_config()
        if "input_layers" not in config:
            (tensor,) = inputs
            for layer in model.layers:
                (tensor,) = self._call(layer, [tensor], {})
            return [tensor]
        made = {
            reference[:2]: [tensor]
            for reference, tensor in zip(_references(config["input_layers"]), inputs, strict=True)
        }
        pending = [
            (layer["name"], index, node)
            for layer in config["layers"]
            for index, node in enumerate(layer["inbound_nodes"])
        ]
        while pending:
            waiting = []
            for name, index, node in pending:
                if all(reference[:2] in made for reference in _references(node)):
                    arguments, keywords = _resolved(node["args"], made), _resolved(node["kwargs"], made)
                    made[name, index] = self._call(model.get_layer(name), arguments, keywords)
                else:
                    waiting.append((name, index, node))
            if len(waiting) == len(pending):
                raise _refused(f"the graph of '{model.name}' has a circle at '{waiting[0][0]}'")
            pending = waiting
        return [made[name, node][tensor] for name, node, tensor in _references(config["output_layers"])]

    def _call(self, layer: Any, arguments: list[Any], keywords: Config) -> list[Any]:
        if hasattr(layer, "inputs") and hasattr(layer, "layers"):  # a model inside of the model
            return self._outputs(layer, _flat(arguments))
        if id(layer) not in self._layers:
            self._layers[id(layer)] = self._rebuilt(layer)
        given = {name: value for name, value in keywords.items() if value is not None}
        called = self._layers[id(layer)](*arguments, **given)
        self._layers[id(layer)].set_weights(layer.get_weights())
        return _flat([called])

    def _rebuilt(self, layer: Any) -> Any:
        kind = type(layer)
        if generation(layer) is None:
            raise _refused(f"'{layer.name}' ({kind.__name__}) is an operator between layers: use a layer instead")
        twin = getattr(tf_keras.layers, kind.__name__, None)
        if not kind.__module__.startswith("keras.") or twin is None:
            raise _refused(f"tf_keras has no layer like '{layer.name}' ({kind.__name__})")
        config = _translated(layer, twin)
        while config["name"] in self._names:
            config["name"] += "_inner"
        self._names.add(config["name"])
        return twin(**config)


def _translated(layer: Any, twin: type) -> Config:
    """A Keras 3 layer's configuration as the arguments of its twin; initializers are left out, the weights follow."""
    accepted = {
        name
        for base in twin.__mro__
        if "__init__" in vars(base)
        for name in inspect.signature(base.__init__).parameters  # type: ignore[misc]  # of a class, on purpose
    }
    renamed = _RENAMED.get(type(layer).__name__, {})
    config = {renamed.get(name, name): value for name, value in layer.get_config().items()}
    kept = {name: value for name, value in config.items() if name in accepted and not name.endswith("_initializer")}
    for name, value in kept.items():
        if isinstance(value, dict) and "class_name" in value and name.endswith(("_regularizer", "_constraint")):
            kind = tf_keras.regularizers if name.endswith("_regularizer") else tf_keras.constraints
            kept[name] = kind.get({"class_name": value["class_name"], "config": value["config"]})
    return {**kept, "name": layer.name, "trainable": layer.trainable, "dtype": layer.dtype_policy.name}


def _references(structure: Any) -> Iterator[tuple[str, int, int]]:
    """Every (layer, node, tensor) in the part of a configuration that holds tensors; mappings in the order of keys."""
    if isinstance(structure, dict):
        if structure.get("class_name") == "__keras_tensor__":
            yield tuple(structure["config"]["keras_history"])
            return
        for key in sorted(structure):
            yield from _references(structure[key])
    elif isinstance(structure, list | tuple):
        if len(structure) == 3 and isinstance(structure[0], str) and isinstance(structure[1], int):
            yield tuple(structure)
            return
        for item in structure:
            yield from _references(item)


def _resolved(structure: Any, made: dict[Any, list[Any]]) -> Any:
    """Arguments of a call with the tensors in the place of their references."""
    if isinstance(structure, dict):
        if structure.get("class_name") == "__keras_tensor__":
            name, node, tensor = structure["config"]["keras_history"]
            return made[name, node][tensor]
        return {key: _resolved(value, made) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return [_resolved(item, made) for item in structure]
    return structure


def _flat(tensors: Any) -> list[Any]:
    if isinstance(tensors, list | tuple):
        return [tensor for item in tensors for tensor in _flat(item)]
    return [tensors]


def _require_parity(original: FloatModel, copy: FloatModel, signature: Signature) -> None:
    draw = np.random.default_rng(0)
    samples = {}
    for spec in signature.inputs:
        shape = tuple(size if size is not None else _DYNAMIC if axis else 2 for axis, size in enumerate(spec.shape))
        values = draw.normal(size=shape) if spec.dtype.startswith("float") else draw.integers(0, 2, shape)
        samples[spec.name] = values.astype(spec.dtype)
    expected, got = original(samples), copy(samples)
    for name, values in expected.items():
        limit = _TOLERANCE * max(1.0, float(np.abs(values).max(initial=0)))
        error = float(np.abs(values - got[name]).max(initial=0)) if name in got else float("inf")
        if not error <= limit:
            raise _refused(f"the copy's output '{name}' is off by {error:.3g}, where rounding explains {limit:.1g}")


def _refused(why: str) -> OptimizationError:
    return OptimizationError(
        f"the model can't be carried over to tf_keras, which tensorflow-model-optimization works on: {why}",
        where="optimize",
        fix=_WAY_OUT,
    )
