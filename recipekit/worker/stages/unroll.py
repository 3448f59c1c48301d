"""The stage `unroll`: the float model with its recurrent layers written out step by step for schemes that calibrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit.contracts import LoadedModel, SourceSpec, TensorSpec, UnrollRequest
from recipekit.errors import ConversionError, SourceError
from recipekit.worker.engines.converter_failures import input_shapes
from recipekit.worker.float_model import SIGNATURE_KEY, FloatModel
from recipekit.worker.named_tensors import fix_shapes
from recipekit.worker.recurrent import Recurrent
from recipekit.worker.replacing import load_replaced
from recipekit.worker.stages.load import float_model

_OTHERWISE = "or choose the quantization dynamic_range, float16 or none"
_TOLERANCE = 1e-4
"""Of the largest output: the order of additions differs, nothing else."""


def run(request: UnrollRequest, folder: Path) -> LoadedModel:
    """Exports the model unrolled, with the same variables and with its replacements, into `folder/saved_model`.

    Raises:
        ConversionError: the number of steps isn't fixed, or the unrolled model computes something else.
        SourceError, UnsafeSource, CustomLayerError, PluginError: as the source says.
    """
    model = cast("FloatModel", float_model(request.model))
    if request.model.custom_layers.replace:
        return load_replaced(model, request.model, folder, unrolled)
    return unrolled(model, folder, request.model.source)


def unrolled(model: FloatModel, folder: Path, source: SourceSpec) -> LoadedModel:
    """Exports a model that has loops into `folder/saved_model`, its recurrent layers written out step by step.

    Args:
        model: with recurrent layers.
        folder: where the SavedModel goes.
        source: with the shapes that the recipe fixes.

    Raises:
        ConversionError: the number of steps isn't fixed, or the unrolled model computes something else.
        SourceError: `input_shapes` contradict the model, or it can't be written.
    """
    recurrent = cast("Recurrent", model.recurrent)

    def forward(tensors: dict[str, Any]) -> dict[str, Any]:
        with recurrent.unroll():
            return model.forward(tensors)

    place = folder / "saved_model"
    looped = replace(model, inputs=fix_shapes(model.inputs, model.shapes(source)))
    written_out = replace(looped, forward=forward)
    try:
        signature = written_out.export(place, {})
    except SourceError as error:
        if "Cannot unroll a RNN" not in str(error.__cause__):
            raise
        shapes = input_shapes(msgspec.structs.replace(looped.signature, inputs=looped.inputs))
        raise ConversionError(
            "recurrent layers can't be unrolled for calibration, as the number of their steps is not known",
            where="source.input_shapes",
            fix=f"fix it: `source.input_shapes: {shapes}` with a number for N, {_OTHERWISE}",
        ) from error
    _require_same(looped, written_out)
    return LoadedModel(
        saved_model=str(place),
        signatures={SIGNATURE_KEY: signature},
        loader=model.loader,
        reason=f"{model.explained(source)}; recurrent layers ({', '.join(recurrent.loops)}) are unrolled, with the same"
        " weights, because TensorFlow's calibrator doesn't survive their loops",
        parameters=model.parameters,
        unsafe_parts=model.unsafe_parts,
    )


def _require_same(looped: FloatModel, written_out: FloatModel) -> None:
    """Checks on one sample of noise that unrolling changed nothing.

    Raises:
        ConversionError: it did.
    """
    noise = {spec.name: _noise(spec) for spec in looped.inputs}
    expected, got = looped(noise), written_out(noise)
    apart = [name for name in expected if not _close(expected, got, name)]
    if apart:
        raise ConversionError(
            f"unrolling the recurrent layers changes what the model computes: {', '.join(apart)}",
            fix=f"report this model, build it with unroll=True yourself, {_OTHERWISE}",
        )


def _noise(spec: TensorSpec) -> npt.NDArray[Any]:
    shape = tuple(size or 1 for size in spec.shape)
    if spec.dtype.startswith("float"):
        return np.random.default_rng(0).normal(size=shape).astype(spec.dtype)
    return np.zeros(shape, object if spec.dtype == "str" else spec.dtype)


def _close(expected: Mapping[str, npt.NDArray[Any]], got: Mapping[str, npt.NDArray[Any]], name: str) -> bool:
    largest = float(np.abs(expected[name]).max(initial=1.0))
    return bool(np.allclose(expected[name], got[name], rtol=0.0, atol=_TOLERANCE * largest))
