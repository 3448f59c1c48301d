"""What tests of conversions share: small float models, the stages over them, and a look into the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter

from recipekit.contracts import (
    CalibrateRequest,
    Calibration,
    ConverterSpec,
    DatasetSpec,
    Flatbuffer,
    LoadedModel,
    LowerRequest,
    QuantizeRequest,
    Record,
    Signature,
    TensorSpec,
)
from tests.built_models import built_once
from tests.conftest import RunStage
from tests.readings import dataset_spec

_INPUTS: dict[str, dict[str, tuple[int | None, ...]]] = {
    "Scorer": {"zebra": (None, 8, 8, 2), "apple": (None, 8, 8, 2)},
    "Conv3D": {"volume": (None, 4, 4, 4, 1)},
    "Flex": {"volume": (None, 4, 4, 4, 1)},
    "Custom": {"x": (None, 4)},
    "Half": {"image": (None, 8, 8, 2)},
    "FixedBatch": {"x": (2, 3)},
    "Recurrent": {"sequence": (1, 6, 3)},
    "FusedLstm": {"sequence": (1, 6, 3)},
    "RecurrentAnyBatch": {"sequence": (None, 6, 3)},
    "Attention": {"tokens": (None, 6, 16)},
    "Stateful": {"x": (1, 4)},
    "Heads": {"image": (1, 8, 8, 4)},
    "TrainedForQuantization": {"x": (None, 8)},
    "Version1": {"x": (None, 4)},
}
FLOAT32 = ConverterSpec(quantization="none")


def spec(quantization: str = "none", io: str = "float32", **changes: Any) -> ConverterSpec:
    """A converter with one dtype for inputs and outputs."""
    return msgspec.structs.replace(FLOAT32, quantization=quantization, input_type=io, output_type=io, **changes)


class Models:
    """SavedModels, and calibration data for each.

    Attributes:
        folder: of the models.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder = folder
        self._data = data

    def loaded(self, name: str) -> LoadedModel:
        inputs = tuple(TensorSpec(name=key, shape=shape, dtype="float32") for key, shape in _INPUTS[name].items())
        return LoadedModel(
            saved_model=str(self.folder / name),
            signatures={"serving_default": Signature(inputs=inputs, outputs=())},
            loader="saved_model",
            reason="",
        )

    def arrays(self, name: str, samples: int = 4) -> dict[str, npt.NDArray[np.float32]]:
        """Normal numbers for each input, samples on the first axis; those of `apple` are a hundred times larger."""
        draw = np.random.default_rng(0)
        return {
            key: (draw.normal(size=(samples, *filter(None, shape[1:]))) * (100 if key == "apple" else 1)).astype("f")
            for key, shape in _INPUTS[name].items()
        }

    def dataset(self, name: str, samples: int = 4, **changes: Any) -> DatasetSpec:
        """The arrays of a model as its calibration data."""
        return self.npz(f"{name}-{samples}", self.arrays(name, samples), **changes)

    def npz(self, name: str, arrays: dict[str, npt.NDArray[Any]], **changes: Any) -> DatasetSpec:
        """A dataset of arrays, stored under a name."""
        path = self._data / f"{name}.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]  # the stubs take the keywords for `allow_pickle`
        return msgspec.structs.replace(
            dataset_spec("npz", self._data, params={"path": str(path)}),
            **changes,
        )


def build_models(factory: pytest.TempPathFactory) -> Models:
    """The models, built once for all test processes."""
    return Models(built_once("conversion_models", factory), factory.mktemp("arrays"))


class Conversions:
    """Runs lower, calibrate and quantize over a model; the first two once for all schemes that share them."""

    def __init__(self, run_stage: RunStage, models: Models) -> None:
        self.models = models
        self._run_stage = run_stage
        self._records: dict[bytes, Any] = {}

    def __call__(self, name: str, converter: ConverterSpec, dataset: DatasetSpec | None = None) -> Flatbuffer:
        """The candidate, with the model's own calibration data where no other is given."""
        flatbuffer: Flatbuffer = self._run_stage("quantize", self.request(name, converter, dataset))
        return flatbuffer

    def request(self, name: str, converter: ConverterSpec, dataset: DatasetSpec | None = None) -> QuantizeRequest:
        """The request of the quantize stage, after the stages before it have run."""
        loaded = self.models.loaded(name)
        float32 = self.float32(name, converter).path
        calibration = None
        if converter.needs_samples:
            dataset = dataset or self.models.dataset(name)
            calibration = self.calibration(name, converter, dataset)
        return QuantizeRequest(
            loaded=loaded, float32=float32, converter=converter, calibration=calibration, dataset=dataset
        )

    def float32(self, name: str, converter: ConverterSpec) -> Flatbuffer:
        """The float32 conversion that a scheme begins with."""
        request = LowerRequest(loaded=self.models.loaded(name), lowering=converter.lowering)
        flatbuffer: Flatbuffer = self._once("lower", request)
        return flatbuffer

    def calibration(self, name: str, converter: ConverterSpec, dataset: DatasetSpec) -> Calibration:
        """The ranges that a scheme uses."""
        calibration: Calibration = self._once(
            "calibrate",
            CalibrateRequest(
                loaded=self.models.loaded(name),
                float32=self.float32(name, converter).path,
                calibration=converter.calibration,
                dataset=dataset,
            ),
        )
        return calibration

    def _once(self, stage: str, request: Record) -> Any:
        key = msgspec.json.encode(request)
        if key not in self._records:
            self._records[key] = self._run_stage(stage, request)
        return self._records[key]


class Opened:
    """A converted model as LiteRT reads it."""

    def __init__(self, flatbuffer: Flatbuffer) -> None:
        interpreter = Interpreter(model_path=flatbuffer.path)
        self._tensors = interpreter.get_tensor_details()
        runner = interpreter.get_signature_runner()
        self.inputs = runner.get_input_details()
        self.outputs = runner.get_output_details()

    def io_types(self) -> set[str]:
        return {tensor["dtype"].__name__ for tensor in (*self.inputs.values(), *self.outputs.values())}

    def tensor_types(self) -> set[str]:
        return {tensor["dtype"].__name__ for tensor in self._tensors}

    def most_scales(self) -> int:
        """The largest number of scales that a weight matrix or kernel has."""
        return max(
            len(tensor["quantization_parameters"]["scales"]) for tensor in self._tensors if len(tensor["shape"]) > 1
        )

    def input_scale(self, name: str) -> float:
        return float(self.inputs[name]["quantization"][0])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The models, and a folder for the data of one test module."""
    return build_models(tmp_path_factory)


@pytest.fixture(scope="module")
def convert(run_stage: RunStage, models: Models) -> Conversions:
    """Conversions of these models."""
    return Conversions(run_stage, models)
