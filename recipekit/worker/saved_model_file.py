"""A SavedModel's description, `saved_model.pb`, read and looked at before any loader sees the folder.

Which graph is meant, what it may touch, and who wrote it. Nothing is loaded or run here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2

from recipekit.errors import SourceError
from recipekit.nearest import did_you_mean
from recipekit.worker import graph_operators
from recipekit.worker.graph_operators import Entries, operators

_INITIALIZE = ("saved_model_main_op", "legacy_init_op")
_KERAS_2 = ("_tf_keras_", "optimizer")


def read(folder: Path) -> Any:
    """The folder's `saved_model.pb`.

    Raises:
        SourceError: the folder is no SavedModel, its description can't be read, or it points elsewhere.
    """
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
        raise unreadable(folder, f"saved_model.pb does not parse: {error}") from error
    if not saved_model.meta_graphs:
        raise unreadable(folder, "saved_model.pb holds no graph")
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


def system_access(saved_model: Any) -> set[str]:
    """Operators of any of its graphs that touch the system."""
    return {
        name
        for graph in saved_model.meta_graphs
        for name in graph_operators.system_access(graph.graph_def, _entries(graph))
    }


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


def unreadable(folder: Path, detail: str) -> SourceError:
    """The error for a folder that a reader stumbles over."""
    return SourceError(
        f"is not a readable SavedModel: {detail}", where=str(folder), fix="copy or export it again; it may be cut off"
    )


def serving_graph(saved_model: Any) -> Any:
    """The graph that is tagged for serving, or the first one."""
    tagged = [graph for graph in saved_model.meta_graphs if "serve" in graph.meta_info_def.tags]
    return (tagged or list(saved_model.meta_graphs))[0]


def signature_keys(saved_model: Any) -> list[str]:
    """Names of its signatures, sorted; those of TensorFlow's own left out."""
    return sorted(name for name in serving_graph(saved_model).signature_def if not name.startswith("__"))


def check_signature(folder: Path, saved_model: Any, key: str) -> None:
    """Looks for a signature.

    Raises:
        SourceError: there is none of that name.
    """
    keys = signature_keys(saved_model)
    if key not in keys:
        raise SourceError(
            f"has no signature '{key}'{did_you_mean(key, keys)}",
            where=str(folder),
            fix=f"set source.signature to one of {', '.join(keys)}" if keys else "export it with a signature",
        )


def has_objects(saved_model: Any) -> bool:
    """Whether it holds objects, as TensorFlow 2 writes them."""
    return bool(serving_graph(saved_model).HasField("object_graph_def"))


def has_tables(saved_model: Any) -> bool:
    """Whether it holds lookup tables, whose contents a frozen graph would leave behind."""
    return any("Table" in name for name in operators(serving_graph(saved_model).graph_def))


def saved_by_keras_2(saved_model: Any) -> bool:
    """Whether its objects are those of a Keras 2 model or optimizer."""
    nodes = serving_graph(saved_model).object_graph_def.nodes
    return any(node.user_object.identifier.startswith(_KERAS_2) for node in nodes)
