"""The steps of the converter give the bytes of its one public call, made by a script of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from recipekit.contracts import ConverterSpec
from recipekit.errors import RecipekitError
from tests.built_models import script_of_models
from tests.conftest import RunStage
from tests.models.candidates import converted_part
from tests.worker.conversions import Conversions, Models, spec

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

MODELS = ("Scorer", "Conv3D", "FusedLstm", "Attention", "Stateful", "Heads", "TrainedForQuantization", "Version1")
SCHEMES = {
    "none": spec(),
    "float16": spec("float16"),
    "dynamic_range": spec("dynamic_range"),
    "dynamic_range per_tensor": spec("dynamic_range", granularity="per_tensor"),
    "dynamic_range old quantizer": spec("dynamic_range", flags={"experimental_new_dynamic_range_quantizer": False}),
    "int8": spec("int8"),
    "int8 int8": spec("int8", "int8"),
    "int8 uint8": spec("int8", "uint8"),
    "int8 int16": spec("int8", "int16"),
    "int8 allow_float": spec("int8", allow_float=True),
    "int8 int8 allow_float": spec("int8", "int8", allow_float=True),
    "int8 per_tensor": spec("int8", granularity="per_tensor"),
    "int8 unfolded": spec("int8", "int8", flags={"unfold_batchmatmul": True}),
    "int8 old quantizer": spec("int8", flags={"experimental_new_quantizer": False}),
    "int8 metadata": spec("int8", flags={"exclude_conversion_metadata": False}),
    "int16x8": spec("int16x8"),
    "int16x8 int16": spec("int16x8", "int16"),
    "int16x8 allow_float": spec("int16x8", allow_float=True),
    "int16x8 int16 allow_float": spec("int16x8", "int16", allow_float=True),
    "int16x8 per_tensor": spec("int16x8", granularity="per_tensor"),
}
STEADY = {"FusedLstm": ("none", "float16", "dynamic_range", "int16x8", "int16x8 allow_float")}
"""Schemes in which TensorFlow 2.21 repeats its own bytes; with int8 it fills a buffer that nothing reads anyhow."""

CASES = [(model, scheme) for model in MODELS for scheme in STEADY.get(model, tuple(SCHEMES))]


class OneCall:
    """Flatbuffers of the public one call, made in one child process."""

    def __init__(self, models: Models, folder: Path) -> None:
        self._folder = folder
        requests = [self._request(models, name) for name in MODELS]
        path = folder / "requests.json"
        path.write_text(json.dumps(requests), encoding="utf-8")
        script_of_models("one_call", models.folder, path)

    def bytes(self, model: str, scheme: str) -> bytes | None:
        """What the script made; None where TensorFlow refused."""
        path = self._path(model, scheme)
        return path.read_bytes() if path.exists() else None

    def _request(self, models: Models, name: str) -> dict[str, Any]:
        arrays = self._folder / f"{name}.npz"
        np.savez(arrays, **models.arrays(name))  # type: ignore[arg-type]  # the stubs take the keywords for `allow_pickle`
        schemes = [
            {**msgspec.to_builtins(SCHEMES[scheme]), "file": str(self._path(name, scheme))}
            for model, scheme in CASES
            if model == name
        ]
        return {"model": name, "arrays": str(arrays), "schemes": schemes}

    def _path(self, model: str, scheme: str) -> Path:
        return self._folder / f"{model} {scheme}.tflite"


@pytest.fixture(scope="module")
def one_call(models: Models, tmp_path_factory: pytest.TempPathFactory) -> OneCall:
    return OneCall(models, tmp_path_factory.mktemp("one-call"))


def _converted(convert: Conversions, model: str, converter: ConverterSpec) -> bytes | None:
    try:
        return converted_part(Path(convert(model, converter).path).read_bytes())
    except RecipekitError:
        return None


@pytest.mark.parametrize(("model", "scheme"), CASES)
def test_the_steps_give_the_bytes_of_the_one_call(
    convert: Conversions, one_call: OneCall, model: str, scheme: str
) -> None:
    expected = one_call.bytes(model, scheme)
    assert _converted(convert, model, SCHEMES[scheme]) == expected


@pytest.mark.parametrize("model", MODELS)
def test_the_float32_conversion_is_that_of_the_one_call(convert: Conversions, one_call: OneCall, model: str) -> None:
    assert Path(convert.float32(model, spec("int8")).path).read_bytes() == one_call.bytes(model, "none")


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow.lite.python.convert:mlir_quantize",
        "tensorflow.lite.python.lite:TFLiteConverterV2.from_saved_model",
    ],
    ids=["without private names", "without the one call"],
)
def test_either_way_alone_gives_the_same_bytes(convert: Conversions, tmp_path: Path, name: str) -> None:
    schemes = (spec(), spec("float16"), spec("dynamic_range"), spec("int8", "int8"), spec("int16x8", "int16"))
    requests = [convert.request("Scorer", scheme) for scheme in schemes]
    (tmp_path / "requests.json").write_bytes(msgspec.json.encode(requests))
    script_of_models("altered_tensorflow", name, tmp_path)
    for index, scheme in enumerate(schemes):
        here = Path(convert("Scorer", scheme).path).read_bytes()
        assert (tmp_path / f"{index}.tflite").read_bytes() == here, scheme.quantization


@pytest.mark.parametrize("scheme", [spec("int8", "uint8"), spec("int16x8", allow_float=True)])
def test_quantizing_needs_the_ranges_and_not_the_samples(
    convert: Conversions, run_stage: RunStage, scheme: Any
) -> None:
    request = msgspec.structs.replace(convert.request("Scorer", scheme), dataset=None)
    assert run_stage("quantize", request).sha256 == convert("Scorer", scheme).sha256
