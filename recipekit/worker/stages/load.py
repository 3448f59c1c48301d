"""The stage `load`: any source becomes one SavedModel with one signature of named tensors.

It keeps the last model in the process, because `reference` asks for the same one right after.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from recipekit import digests, registry
from recipekit.contracts import LoadedModel, LoadRequest, ModelSpec
from recipekit.worker.float_model import SIGNATURE_KEY, FloatModel

_kept: dict[str, FloatModel] = {}


def run(request: LoadRequest, folder: Path) -> LoadedModel:
    """Loads the source and exports it, unless it is a SavedModel that can be converted where it stands.

    Raises:
        SourceError, UnsafeSource, CustomLayerError, PluginError: as the source says; SourceError too where
            `input_shapes` contradict the model.
    """
    source = request.model.source
    model = float_model(request.model)
    if source.kind == "saved_model" and model.loader == "saved_model" and not source.input_shapes:
        place, key, signature = Path(source.path), source.signature, model.signature
    else:
        place, key = folder / "saved_model", SIGNATURE_KEY
        signature = model.export(place, source.input_shapes)
    return LoadedModel(
        saved_model=str(place),
        signature_key=key,
        signature=signature,
        loader=model.loader,
        reason=model.reason,
        parameters=model.parameters,
    )


def float_model(spec: ModelSpec) -> FloatModel:
    """The float model of a spec; loaded at most once in a row while neither the spec nor the source's files change.

    Raises:
        SourceError, UnsafeSource, CustomLayerError, PluginError: as the source says.
    """
    key = _state(spec)
    if key not in _kept:
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
