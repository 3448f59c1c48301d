"""What tests of the engine `ai_edge_quantizer` share: converters, the stages around it, and a look at the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from recipekit.contracts import (
    CalibrateRequest,
    Calibration,
    ConverterSpec,
    DatasetSpec,
    LoadedModel,
    LoadRequest,
    ModelSpec,
    QuantizeRequest,
    Rule,
)
from recipekit.worker import census
from recipekit.worker.census import operators_of
from recipekit.worker.stages import calibrate, load, quantize
from tests.models import built_flatbuffers as flatbuffers
from tests.models.candidates import converted_part
from tests.worker.float_sources import dataset, model

_CONVERTER = ConverterSpec(engine="ai_edge_quantizer", quantization="none")


def converter(quantization: str, *rules: Rule, **changes: Any) -> ConverterSpec:
    """A scheme with float32 inputs and outputs."""
    return msgspec.structs.replace(_CONVERTER, quantization=quantization, rules=rules, **changes)


def rule(quantization: str, op: str | None = None, name: str | None = None) -> Rule:
    return Rule(op=op, name=name, quantization=quantization)


class Quantizer:
    """One float model with random samples, put through the stages as a recipe with `source.kind: tflite` is."""

    def __init__(self, folder: Path, flatbuffer: bytes, samples: int = 8) -> None:
        self._folder = folder
        self.path = flatbuffers.write(folder / "float.tflite", flatbuffer)
        self.spec: ModelSpec = model("tflite", self.path)
        self.loaded: LoadedModel = load.run(LoadRequest(model=self.spec), folder)
        draw = np.random.default_rng(1)
        self.samples = {
            tensor.name: _drawn(draw, (samples, *[size or 1 for size in tensor.shape[1:]]), tensor.dtype)
            for tensor in self.loaded.signature.inputs
        }
        self.dataset: DatasetSpec = dataset(folder / "samples.npz", self.samples)

    def calibration(self, spec: ConverterSpec) -> Calibration:
        request = CalibrateRequest(
            loaded=self.loaded, float32=str(self.path), calibration=spec.calibration, dataset=self.dataset
        )
        return calibrate.run(request, self._folder)

    def __call__(self, spec: ConverterSpec, calibration: Calibration | None = None) -> Quantized:
        if calibration is None and spec.needs_samples:
            calibration = self.calibration(spec)
        request = QuantizeRequest(
            loaded=self.loaded, float32=str(self.path), converter=spec, calibration=calibration, dataset=None
        )
        return Quantized(converted_part(Path(quantize.run(request, self._folder).path).read_bytes()))


class Quantized:
    """A quantized model."""

    def __init__(self, flatbuffer: bytes) -> None:
        self.flatbuffer = flatbuffer
        self.census = census.of_flatbuffer(flatbuffer)
        self.float_outputs = {name for site in operators_of(flatbuffer) if site.is_float for name in site.outputs}
        self.ops = {site.op for site in operators_of(flatbuffer)}
        self._interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        self._interpreter.allocate_tensors()

    def dtypes(self) -> set[str]:
        """Names of the dtypes of inputs and outputs."""
        return {tensor.dtype for tensor in (*self.census.inputs, *self.census.outputs)}

    def tensor_dtypes(self) -> set[str]:
        return {np.dtype(detail["dtype"]).name for detail in self._interpreter.get_tensor_details()}

    def answers(self, samples: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """What a model with float32 ends gives for each sample."""
        runner = self._interpreter.get_signature_runner()
        count = len(next(iter(samples.values())))
        rows = [runner(**{name: array[[row]] for name, array in samples.items()}) for row in range(count)]
        return np.stack([next(iter(row.values())).ravel() for row in rows])


def _drawn(draw: np.random.Generator, shape: tuple[int, ...], dtype: str) -> npt.NDArray[Any]:
    return draw.normal(size=shape).astype(dtype) if dtype == "float32" else draw.integers(0, 20, shape).astype(dtype)


def sqnr_db(reference: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    noise = np.square(reference - other).sum()
    return float(10 * np.log10(np.square(reference).sum() / noise))
