"""SavedModel folders, of any TensorFlow and any Keras that wrote them.

Three ways, each taken only where the one before it doesn't do: TensorFlow's loader; the same after tf_keras is
imported, which files of Keras 2 need; the loader of TensorFlow 1, which reads the graph and never the objects. What
TensorFlow 1 wrote has no objects, and goes the third way at once: TensorFlow's own loader orders its outputs at random.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from recipekit.contracts import ModelSpec
from recipekit.errors import RecipekitError, in_a_line
from recipekit.worker.float_model import FloatModel
from recipekit.worker.graph_model import cut, from_graph, open_graph
from recipekit.worker.graph_operators import refuse
from recipekit.worker.named_tensors import Tensors, tensor_spec
from recipekit.worker.saved_model_file import (
    check_signature,
    has_objects,
    has_tables,
    read,
    saved_by_keras_2,
    serving_graph,
    system_access,
    unreadable,
)
from recipekit.worker.signature_models import SignatureModels
from recipekit.worker.source_model import SourceModel


def load(spec: ModelSpec) -> SourceModel:
    """Loads the signature of a SavedModel that the recipe names, or several.

    Raises:
        SourceError: the folder is no SavedModel, can't be read, or has no signature of that name.
        UnsafeSource: its graph reads or writes files or runs Python, and `allow_unsafe` is false.
    """
    folder = Path(spec.source.path)
    saved_model = read(folder)
    named = spec.source.signature
    keys = (named,) if isinstance(named, str) else named
    for key in keys:
        check_signature(folder, saved_model, key)
    touching = system_access(saved_model)
    if not spec.source.allow_unsafe:
        refuse(touching, str(folder))
    model = _loaded(folder, saved_model, keys)
    return replace(model, unsafe_parts=(f"its graph holds {', '.join(sorted(touching))}",) if touching else ())


def _loaded(folder: Path, saved_model: Any, keys: Sequence[str]) -> FloatModel | SignatureModels:
    """The signatures by the first of the ways that does."""
    if not has_objects(saved_model) and not has_tables(saved_model):
        try:
            return _from_graph(folder, saved_model, keys, "TensorFlow 1 wrote it, so its loader read the graph")
        except RecipekitError:
            raise
        except Exception as error:
            raise unreadable(folder, f"{type(error).__name__}: {error}") from error
    reason = "its objects load with TensorFlow's own loader"
    if not has_objects(saved_model):
        reason = "TensorFlow 1 wrote it with lookup tables, which TensorFlow's own loader fills"
    if saved_by_keras_2(saved_model):
        importlib.import_module("tf_keras")
        reason = "it holds objects of Keras 2, so tf_keras was imported before TensorFlow's own loader read it"
    try:
        loaded = tf.saved_model.load(str(folder))
        return _from_functions({key: loaded.signatures[key] for key in keys}, loaded, reason)
    except Exception as error:  # noqa: BLE001  whatever the object loader stumbles over, the graph may still be read
        trouble = in_a_line(error)
    reason = f"TensorFlow's own loader failed ({trouble}), so the loader of TensorFlow 1 read the graph alone"
    try:
        return _from_graph(folder, saved_model, keys, reason)
    except Exception as error:
        detail = f"{trouble}; with the loader of TensorFlow 1 {type(error).__name__}: {error}"
        raise unreadable(folder, detail) from error


def _from_functions(functions: Mapping[str, Any], owner: Any, reason: str) -> FloatModel | SignatureModels:
    models = {key: _from_function(function, owner, reason) for key, function in functions.items()}
    return _together(models, _count(variable for function in functions.values() for variable in function.variables))


def _together(models: Mapping[str, FloatModel], parameters: int | None) -> FloatModel | SignatureModels:
    """The one model, or several as one source."""
    return SignatureModels(models, parameters) if len(models) > 1 else next(iter(models.values()))


def _from_function(function: Any, owner: Any, reason: str) -> FloatModel:
    specs = function.structured_input_signature[1]
    inputs = tuple(tensor_spec(name, spec) for name, spec in specs.items())

    def forward(tensors: Tensors) -> Tensors:
        return dict(function(**tensors))

    return FloatModel(forward, inputs, owner, "saved_model", reason, _count(function.variables))


def _count(variables: Iterable[Any]) -> int | None:
    """How many numbers variables hold, each counted once; None where there are none, or one doesn't tell."""
    sizes = [shape.num_elements() for shape in {id(variable): variable.shape for variable in variables}.values()]
    return sum(sizes) if sizes and None not in sizes else None


def _from_graph(folder: Path, saved_model: Any, keys: Sequence[str], reason: str) -> FloatModel | SignatureModels:
    """Signatures as frozen graphs, read without the SavedModel's objects; what they share is then there for each."""
    return _together({key: _frozen(folder, saved_model, key, reason) for key in keys}, None)


def _frozen(folder: Path, saved_model: Any, key: str, reason: str) -> FloatModel:
    meta_graph = serving_graph(saved_model)
    signature = meta_graph.signature_def[key]
    feeds = {name: tensor.name for name, tensor in signature.inputs.items()}
    fetches = {name: signature.outputs[name].name for name in sorted(signature.outputs)}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.compat.v1.saved_model.load(session, list(meta_graph.meta_info_def.tags), str(folder))
        wanted = [tensor.partition(":")[0] for tensor in (*feeds.values(), *fetches.values())]
        frozen = tf.compat.v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), wanted)
    inputs = tuple(
        tensor_spec(name, tf.TensorSpec(tf.TensorShape(tensor.tensor_shape), tf.as_dtype(tensor.dtype)))
        for name, tensor in signature.inputs.items()
    )
    return from_graph(cut(open_graph(frozen, str(folder)), feeds, fetches), inputs, "saved_model_v1", reason)
