"""Models built by code of the project: a factory gives a Keras model, a tf.Module, a tf.function or a ConcreteFunction.

Inputs go by the names of their TensorSpecs, which TensorFlow makes of the parameters and of the way to a tensor inside
them (`pair_left`, `pair_right_0`) where a spec has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from recipekit.contracts import ModelSpec
from recipekit.errors import PluginError
from recipekit.worker.float_model import SIGNATURE_KEY, FloatModel
from recipekit.worker.keras_model import from_keras, is_keras_model, start_session
from recipekit.worker.layers import custom_objects
from recipekit.worker.named_tensors import Tensors, name_outputs, tensor_spec
from recipekit.worker.user_code import guarded, load_object


def load(spec: ModelSpec) -> FloatModel:
    """Calls the factory and names the inputs and outputs of what it gives.

    Raises:
        PluginError: the factory can't be imported, raises, exits, or gives something that has no single signature.
        SourceError: the inputs or outputs of what it gives can't be named.
    """
    root = Path(spec.project_root)
    address = spec.source.factory
    objects = custom_objects(spec.custom_layers, root)
    factory = load_object(address, root)
    if not callable(factory):
        raise PluginError(f"is a {type(factory).__name__}, not a function", where=address, fix="name a function")
    start_session(spec.seed)
    with guarded(f"the factory '{address}'"):
        model = factory(**spec.source.kwargs)
    if is_keras_model(model):
        return from_keras(model, "factory", f"the factory '{address}' gave a Keras model", objects)
    reason = f"the factory '{address}' gave a {type(model).__name__}"
    return _from_function(_function(model, address), model, address, reason)


def _function(model: Any, address: str) -> Any:
    """The one concrete function of what a factory gave."""
    if _is_concrete(model):
        return model
    if isinstance(model, tf.types.experimental.PolymorphicFunction):
        return _traced(model, address)
    if not isinstance(model, tf.Module) and not hasattr(model, "signatures"):
        raise PluginError(
            f"the factory gave a {type(model).__name__}",
            where=address,
            fix="return a Keras model, a tf.Module, a tf.function or a ConcreteFunction",
        )
    found = _signatures(model)
    if len(found) != 1:
        given = f"has {len(found)} functions that could be meant: {', '.join(found)}" if found else "has no signature"
        raise PluginError(
            f"the factory gave a {type(model).__name__} that {given}",
            where=address,
            fix="give it exactly one:"
            " one tf.function with an input_signature, or one entry in `signatures`; those named"
            f" '{SIGNATURE_KEY}' or '__call__' go first",
        )
    (function,) = found.values()
    return function if _is_concrete(function) else _traced(function, address)


def _traced(function: Any, address: str) -> Any:
    if function.input_signature is None:
        raise PluginError(
            "the factory gave a tf.function that doesn't say what it takes",
            where=address,
            fix="give it an input_signature, or return function.get_concrete_function(...)",
        )
    with guarded(f"tracing the model of the factory '{address}'"):
        return function.get_concrete_function()


def _signatures(model: Any) -> dict[str, Any]:
    """Every function of an object that says on its own what it takes."""
    named = {f"signatures['{key}']": function for key, function in dict(getattr(model, "signatures", {})).items()}
    own = {name: getattr(model, name, None) for name in (SIGNATURE_KEY, "__call__")}
    named |= {name: function for name, function in own.items() if _says_what_it_takes(function)}
    if named:
        return named
    declared = {name: getattr(type(model), name, None) for name in dir(type(model))}
    return {name: getattr(model, name) for name, function in declared.items() if _says_what_it_takes(function)}


def _says_what_it_takes(function: object) -> bool:
    return _is_concrete(function) or getattr(function, "input_signature", None) is not None


def _is_concrete(value: object) -> bool:
    return isinstance(value, tf.types.experimental.ConcreteFunction)


def _from_function(function: Any, owner: Any, address: str, reason: str) -> FloatModel:
    structure = function.structured_input_signature
    leaves = tf.nest.flatten(structure)
    specs = [leaf for leaf in leaves if isinstance(leaf, tf.TensorSpec)]
    names = [str(spec.name or "") for spec in specs]
    if "" in names or len(set(names)) < len(names):
        raise PluginError(
            f"the inputs of the model are not all named apart: {names}",
            where=address,
            fix="give each tf.TensorSpec a name of its own",
        )

    def forward(tensors: Tensors) -> Tensors:
        named = [tensors[leaf.name] if isinstance(leaf, tf.TensorSpec) else leaf for leaf in leaves]
        arguments, keywords = tf.nest.pack_sequence_as(structure, named)
        return name_outputs(function(*arguments, **keywords))

    inputs = tuple(tensor_spec(name, spec) for name, spec in zip(names, specs, strict=True))
    sizes = [variable.shape.num_elements() for variable in function.variables]
    return FloatModel(forward, inputs, (owner, function), "factory", reason, sum(sizes) if sizes else None)
