"""The stage `load`: any source becomes what is converted: a SavedModel with one signature, or a float flatbuffer.

It keeps the last model in the process, because `reference` asks for the same one right after. It must not import
TensorFlow by itself: a source that needs it does.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import msgspec

from recipekit import digests, registry
from recipekit.contracts import LoadedModel, LoadRequest, ModelSpec
from recipekit.worker.source_model import SourceModel

_REPLACING = "recipekit.worker.replacing"  # imports TensorFlow

_kept: dict[str, SourceModel] = {}


def run(request: LoadRequest, folder: Path) -> LoadedModel:
    """Loads the source and makes it ready for lowering, with replacements in place where the recipe has any.

    Raises:
        SourceError, UnsafeSource, CustomLayerError, PluginError: as the source says; SourceError too where
            `input_shapes` contradict the model.
    """
    model = float_model(request.model)
    if request.model.custom_layers.replace:
        loaded: LoadedModel = importlib.import_module(_REPLACING).load_replaced(model, request.model, folder)
        return loaded
    return model.loaded(folder, request.model.source)


def float_model(spec: ModelSpec) -> SourceModel:
    """The float model of a spec; loaded at most once in a row while neither the spec nor the source's files change.

    One that keeps state is loaded each time, so that it begins as its source has it.

    Raises:
        SourceError, UnsafeSource, CustomLayerError, PluginError: as the source says.
    """
    key = _state(spec)
    if key not in _kept or _kept[key].stateful:
        _kept.clear()
        _kept[key] = registry.plugin("sources", spec.source.kind)(spec)
    return _kept[key]


def _state(spec: ModelSpec) -> str:
    """Digest of the spec and of times and sizes of the source's files."""
    path = Path(spec.source.path)
    files = [path] if path.is_file() else []
    if spec.source.path and path.is_dir():
        files = [Path(parent, name) for parent, _, names in os.walk(path) for name in sorted(names)]
    stamps = [(str(file), str(file.stat().st_mtime_ns), file.stat().st_size) for file in sorted(files) if file.exists()]
    return digests.of_json({"spec": msgspec.to_builtins(spec), "files": [list(stamp) for stamp in stamps]})
