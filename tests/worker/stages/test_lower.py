from __future__ import annotations

from pathlib import Path

import pytest

from recipekit import digests
from recipekit.contracts import Flatbuffer, LowerRequest
from recipekit.errors import UnsupportedOp
from tests.conftest import RunStage
from tests.worker.conversions import Models, Opened, spec

pytestmark = pytest.mark.tensorflow


def _lower(run_stage: RunStage, request: LowerRequest) -> Flatbuffer:
    flatbuffer: Flatbuffer = run_stage("lower", request)
    return flatbuffer


def test_the_record_describes_the_file(run_stage: RunStage, models: Models) -> None:
    record = _lower(run_stage, LowerRequest(loaded=models.loaded("Scorer"), lowering=spec().lowering))
    path = Path(record.path)
    assert path.is_absolute()
    assert path.name == "model.tflite"
    assert (record.size, record.sha256) == (path.stat().st_size, digests.of_file(path))


def test_every_quantization_has_the_same_float32_conversion(run_stage: RunStage, models: Models) -> None:
    loaded = models.loaded("Scorer")
    plain = _lower(run_stage, LowerRequest(loaded=loaded, lowering=spec().lowering))
    assert Opened(plain).tensor_types() == {"float32", "int32"}
    for converter in (
        spec("float16"),
        spec("dynamic_range", granularity="per_tensor"),
        spec("int8", "uint8", supported_ops=("TFLITE_BUILTINS_INT8",)),
        spec("int16x8", "int16", allow_float=True, flags={"experimental_new_quantizer": False}),
    ):
        assert _lower(run_stage, LowerRequest(loaded=loaded, lowering=converter.lowering)).sha256 == plain.sha256


def test_op_sets_of_the_recipe_hold_for_the_float32_conversion(run_stage: RunStage, models: Models) -> None:
    loaded = models.loaded("Flex")
    with pytest.raises(UnsupportedOp, match="MaxPool3D"):
        _lower(run_stage, LowerRequest(loaded=loaded, lowering=spec("float16").lowering))
    selecting = spec("float16", supported_ops=("TFLITE_BUILTINS", "SELECT_TF_OPS")).lowering
    flex = _lower(run_stage, LowerRequest(loaded=loaded, lowering=selecting))
    custom = _lower(run_stage, LowerRequest(loaded=loaded, lowering=spec(allow_custom_ops=True).lowering))
    assert b"FlexMaxPool3D" in Path(flex.path).read_bytes()
    assert b"FlexMaxPool3D" not in Path(custom.path).read_bytes()
