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
from tensorflow.core.protobuf import saved_model_pb2

from recipekit.contracts import ModelSpec
from recipekit.errors import RecipekitError, SourceError
from recipekit.nearest import did_you_mean
from recipekit.worker.float_model import FloatModel
from recipekit.worker.graph_model import cut, from_graph, open_graph
from recipekit.worker.graph_operators import Entries, operators, refuse, system_access
from recipekit.worker.named_tensors import Tensors, tensor_spec
from recipekit.worker.signature_models import SignatureModels
from recipekit.worker.source_model import SourceModel

_INITIALIZE = ("saved_model_main_op", "legacy_init_op")
_KERAS_2 = ("_tf_keras_", "optimizer")


def load(spec: ModelSpec) -> SourceModel:
    """Loads the signature of a SavedModel that the recipe names, or several.

    Raises:
        SourceError: the folder is no SavedModel, can't be read, or has no signature of that name.
        UnsafeSource: its graph reads or writes files or runs Python, and `allow_unsafe` is false.
    """
    folder = Path(spec.source.path)
    saved_model = _read(folder)
    named = spec.source.signature
    keys = (named,) if isinstance(named, str) else named
    for key in keys:
        _check_signature(folder, saved_model, key)
    touching = _system_access(saved_model)
    if not spec.source.allow_unsafe:
        refuse(touching, str(folder))
    model = _loaded(folder, saved_model, keys)
    return replace(model, unsafe_parts=(f"its graph holds {', '.join(sorted(touching))}",) if touching else ())


def _loaded(folder: Path, saved_model: Any, keys: Sequence[str]) -> FloatModel | SignatureModels:
    """The signatures by the first of the ways that does."""
    if not _has_objects(saved_model) and not _has_tables(saved_model):
        try:
            return _from_graph(folder, saved_model, keys, "TensorFlow 1 wrote it, so its loader read the graph")
        except RecipekitError:
            raise
        except Exception as error:
            raise _unreadable(folder, f"{type(error).__name__}: {error}") from error
    reason = "its objects load with TensorFlow's own loader"
    if not _has_objects(saved_model):
        reason = "TensorFlow 1 wrote it with lookup tables, which TensorFlow's own loader fills"
    if _saved_by_keras_2(saved_model):
        importlib.import_module("tf_keras")
        reason = "it holds objects of Keras 2, so tf_keras was imported before TensorFlow's own loader read it"
    try:
        loaded = tf.saved_model.load(str(folder))
        return _from_functions({key: loaded.signatures[key] for key in keys}, loaded, reason)
    except Exception as error:  # noqa: BLE001  whatever the object loader stumbles over, the graph may still be read
        trouble = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    reason = f"TensorFlow's own loader failed ({trouble}), so the loader of TensorFlow 1 read the graph alone"
    try:
        return _from_graph(folder, saved_model, keys, reason)
    except Exception as error:
        detail = f"{trouble}; with the loader of TensorFlow 1 {type(error).__name__}: {error}"
        raise _unreadable(folder, detail) from error


def _read(folder: Path) -> Any:
    """The folder's `saved_model.pb`."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "there is no such folder"
        raise SourceError(what, where=str(folder), fix="correct source.path or source.kind")
    path = folder / "saved_model.pb"
    if not path.is_file():
        raise SourceError(
            "is not a SavedModel: saved_model.pb is missing", where=str(folder), fix="name the folder that holds it"
        )
    try:
        saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except Exception as error:
        raise _unreadable(folder, f"saved_model.pb does not parse: {error}") from error
    if not saved_model.meta_graphs:
        raise _unreadable(folder, "saved_model.pb holds no graph")
    _check_surroundings(folder, saved_model)
    return saved_model


def _check_surroundings(folder: Path, saved_model: Any) -> None:
    """Refuses a second model, which another reader may take for the first, and assets from elsewhere."""
    for name in ("saved_model.cpb", "saved_model.pbtxt"):
        if (folder / name).exists():
            raise SourceError(
                f"holds {name} besides saved_model.pb", where=str(folder), fix="keep the one that is meant"
            )
    for asset in (asset for graph in saved_model.meta_graphs for asset in graph.asset_file_def):
        if asset.filename.startswith("/") or ".." in asset.filename.split("/"):
            raise SourceError(
                f"is refused: its asset '{asset.filename}' points outside of its folder",
                where=str(folder),
                fix="export the model again",
            )


def _system_access(saved_model: Any) -> set[str]:
    """Operators of any of its graphs that touch the system."""
    return {name for graph in saved_model.meta_graphs for name in system_access(graph.graph_def, _entries(graph))}


def _entries(meta_graph: Any) -> Entries:
    """All that loading or using a MetaGraph may run."""
    outputs = [tensor.name for key in meta_graph.signature_def.values() for tensor in key.outputs.values()]
    named = (meta_graph.collection_def[name] for name in _INITIALIZE if name in meta_graph.collection_def)
    return Entries(
        tensors=(*outputs, *(name for collection in named for name in collection.node_list.value)),
        functions=tuple(meta_graph.object_graph_def.concrete_functions),
        restore=meta_graph.saver_def.restore_op_name,
        assets=tuple(asset.tensor_info.name for asset in meta_graph.asset_file_def),
    )


def _unreadable(folder: Path, detail: str) -> SourceError:
    return SourceError(
        f"is not a readable SavedModel: {detail}", where=str(folder), fix="copy or export it again; it may be cut off"
    )


def _serving_graph(saved_model: Any) -> Any:
    """The graph that is tagged for serving, or the first one."""
    tagged = [graph for graph in saved_model.meta_graphs if "serve" in graph.meta_info_def.tags]
    return (tagged or list(saved_model.meta_graphs))[0]


def _check_signature(folder: Path, saved_model: Any, key: str) -> None:
    keys = sorted(name for name in _serving_graph(saved_model).signature_def if not name.startswith("__"))
    if key not in keys:
        raise SourceError(
            f"has no signature '{key}'{did_you_mean(key, keys)}",
            where=str(folder),
            fix=f"set source.signature to one of {', '.join(keys)}" if keys else "export it with a signature",
        )


def _has_objects(saved_model: Any) -> bool:
    return bool(_serving_graph(saved_model).HasField("object_graph_def"))


def _has_tables(saved_model: Any) -> bool:
    """Whether it holds lookup tables, whose contents a frozen graph would leave behind."""
    return any("Table" in name for name in operators(_serving_graph(saved_model).graph_def))


def _saved_by_keras_2(saved_model: Any) -> bool:
    nodes = _serving_graph(saved_model).object_graph_def.nodes
    return any(node.user_object.identifier.startswith(_KERAS_2) for node in nodes)


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
    meta_graph = _serving_graph(saved_model)
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
