"""The stage `optimize`: the float model with fewer weights, fewer distinct values, or trained ranges.

The steps come in one order: prune, cluster, quantization-aware training; each keeps what the ones before it did.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from recipekit.contracts import LoadedModel, OptimizedModel, OptimizeRequest, Promise, Training
from recipekit.errors import OptimizationError
from recipekit.worker.float_model import SIGNATURE_KEY, FloatModel
from recipekit.worker.keras_model import is_keras_model, start_session
from recipekit.worker.optimization import one_shot
from recipekit.worker.optimization.carry_over import carry_over
from recipekit.worker.optimization.chain import Chain
from recipekit.worker.optimization.toolkit import load_toolkit
from recipekit.worker.optimization.weights import Array, LayerWeight, select
from recipekit.worker.stages.load import float_model
from recipekit.worker.stages.unroll import unrolled


def run(request: OptimizeRequest, folder: Path) -> OptimizedModel:
    """Optimizes the float model and exports it into `folder/saved_model`; the original stays as it is.

    Raises:
        OptimizationError: the model has no layers to change, can't be carried over to tf_keras, or a step failed.
        EnvironmentFault: tensorflow-model-optimization is needed and isn't installed.
        DatasetError, PluginError: as a dataset of a training says.
    """
    original = cast("FloatModel", float_model(request.model))
    if not is_keras_model(original.owner):
        raise OptimizationError(
            "the source gives no Keras model, so there are no layers to change",
            where="optimize",
            fix="let the factory return a Keras model, or leave `optimize` out",
        )
    if request.optimize.one_shot:
        return _pruned_in_one_shot(request, original, folder)
    load_toolkit()
    start_session(request.model.seed)
    carried = carry_over(original, request.loaded.signature)
    result = Chain(request, carried, folder).run()
    final = carried.float_model(result.model, original.inputs, original.parameters)
    return OptimizedModel(
        loaded=_exported(final, request, folder),
        promises=result.promises,
        weights=_write(result.weights, folder),
        trainings=result.trainings,
    )


def _pruned_in_one_shot(request: OptimizeRequest, original: FloatModel, folder: Path) -> OptimizedModel:
    spec = request.optimize.prune
    if spec is None:
        raise OptimizationError("there is nothing to do", where="optimize", fix="name a step, or leave the section out")
    weights = select(original.owner, spec.layers, "prune")
    with one_shot.temporarily_pruned(weights, spec.sparsity):
        loaded = _exported(original, request, folder)
        values = _write(weights, folder)
    promises = tuple(
        Promise(layer=weight.layer, weight=weight.name, values=weight.key, sparsity=spec.sparsity) for weight in weights
    )
    trainings: dict[str, Training] = {}
    return OptimizedModel(loaded=loaded, promises=promises, weights=values, trainings=trainings)


def _exported(model: FloatModel, request: OptimizeRequest, folder: Path) -> LoadedModel:
    source = request.model.source
    if request.unroll and model.recurrent is not None and model.recurrent.loops:
        return unrolled(model, folder, source)
    place = folder / "saved_model"
    signature = model.export(place, model.shapes(source))
    return LoadedModel(
        saved_model=str(place),
        signatures={SIGNATURE_KEY: signature},
        loader=model.loader,
        reason=model.explained(source),
        parameters=model.parameters,
        unsafe_parts=model.unsafe_parts,
    )


def _write(weights: list[LayerWeight], folder: Path) -> str:
    arrays: dict[str, Array] = {weight.key: weight.values for weight in weights}
    if not arrays:
        return ""
    path = folder / "weights.npz"
    options: dict[str, Any] = arrays
    np.savez(path, **options)
    return str(path)
