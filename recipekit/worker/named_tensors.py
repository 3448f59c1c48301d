"""Inputs and outputs of a float model by name: their shapes and element types, in TensorFlow's terms and in ours.

It knows tensors and their specs, no models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import tensorflow as tf

from recipekit.contracts import TensorSpec
from recipekit.errors import SourceError
from recipekit.nearest import did_you_mean

Tensors = dict[str, Any]


def fix_shapes(
    inputs: tuple[TensorSpec, ...], input_shapes: Mapping[str, tuple[int | None, ...]]
) -> tuple[TensorSpec, ...]:
    """Inputs with dynamic dimensions replaced by those of `input_shapes`.

    Raises:
        SourceError: a name isn't an input of the model, or a shape contradicts the model's own.
    """
    known = {spec.name: spec for spec in inputs}
    for name, shape in input_shapes.items():
        if name not in known:
            raise SourceError(
                f"the model has no input '{name}'{did_you_mean(name, known)}",
                where="source.input_shapes",
                fix=f"its inputs are {', '.join(known)}",
            )
        own = known[name].shape
        if len(own) != len(shape) or any(size not in (None, given) for size, given in zip(own, shape, strict=True)):
            raise SourceError(
                f"the shape {_written(shape)} contradicts the model's own {_written(own)}",
                where=f"source.input_shapes.{name}",
                fix="only dynamic dimensions, shown as ?, can be fixed; give the batch dimension too",
            )
    return tuple(msgspec.structs.replace(spec, shape=input_shapes.get(spec.name, spec.shape)) for spec in inputs)


def tensor_spec(name: str, spec: Any) -> TensorSpec:
    """The record of a TensorFlow or Keras spec: anything with `shape` and `dtype`.

    Raises:
        SourceError: its rank is unknown.
    """
    shape = tf.TensorShape(spec.shape)
    if shape.rank is None:
        raise SourceError(
            f"the tensor '{name}' has an unknown number of dimensions",
            fix="give it a shape in the model; single dimensions may stay None",
        )
    return TensorSpec(name=name, shape=tuple(shape.as_list()), dtype=numpy_dtype(tf.as_dtype(spec.dtype)))


def numpy_dtype(dtype: Any) -> str:
    """NumPy's name of a TensorFlow dtype; `str` for strings."""
    return "str" if dtype == tf.string else str(dtype.name)


def tensorflow_dtype(name: str) -> Any:
    """The TensorFlow dtype of NumPy's name."""
    return tf.string if name == "str" else tf.as_dtype(name)


def name_outputs(outputs: Any) -> Tensors:
    """Names a function's outputs as TensorFlow does: a mapping keeps its keys, others become `output_0`, `output_1` ...

    Raises:
        SourceError: the outputs are nested deeper than that, or hold something else than tensors.
    """
    if isinstance(outputs, Mapping):
        named = {str(name): tensor for name, tensor in outputs.items()}
    else:
        flat = outputs if isinstance(outputs, list | tuple) else [outputs]
        named = {f"output_{index}": tensor for index, tensor in enumerate(flat)}
    odd = next((f"{name} is {type(value).__name__}" for name, value in named.items() if not _is_tensor(value)), "")
    if odd or not named:
        raise SourceError(
            f"the model's outputs can't be named: {odd or 'there are none'}",
            fix="return a tensor, a flat list of tensors, or a flat mapping of names to tensors",
        )
    return named


def _is_tensor(value: Any) -> bool:
    return isinstance(value, tf.Tensor | tf.Variable | tf.TensorSpec)


def _written(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
