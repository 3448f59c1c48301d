from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recipekit import digests
from recipekit.errors import ConversionError, DatasetError
from tests.conftest import RunStage
from tests.models.candidates import converted_part
from tests.worker.conversions import Conversions, spec

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("quantization", ["none", "float16", "int8"])
def test_the_record_describes_the_file(convert: Conversions, quantization: str) -> None:
    record = convert("Scorer", spec(quantization))
    path = Path(record.path)
    assert path.name == "model.tflite"
    assert (record.size, record.sha256) == (path.stat().st_size, digests.of_file(path))


def test_without_quantization_the_float32_conversion_is_the_candidate(convert: Conversions) -> None:
    candidate = Path(convert("Scorer", spec()).path).read_bytes()
    assert converted_part(candidate) == Path(convert.float32("Scorer", spec("int8")).path).read_bytes()


@pytest.mark.parametrize("quantization", ["int8", "int16x8"])
def test_a_scheme_with_calibration_needs_samples(convert: Conversions, run_stage: RunStage, quantization: str) -> None:
    request = convert.request("Scorer", spec(quantization))
    with pytest.raises(ConversionError, match="needs samples") as caught:
        run_stage("quantize", msgspec.structs.replace(request, calibration=None, dataset=None))
    assert caught.value.where == "representative_dataset"


def test_samples_that_are_read_again_must_be_those_of_the_calibration(
    convert: Conversions, run_stage: RunStage
) -> None:
    request = convert.request("TrainedForQuantization", spec("int8"))
    other = convert.models.dataset("TrainedForQuantization", samples=3)
    with pytest.raises(DatasetError, match="changed between two readings: sample 3"):
        run_stage("quantize", msgspec.structs.replace(request, dataset=other))
