"""A dynamic dimension stays dynamic until `input_shapes` fixes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.errors import DatasetError
from tests.conftest import RunStage
from tests.worker.float_sources import growing, measured, model, worst_sqnr_db

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("quantization", "sqnr_db"), [("none", 100.0), ("float16", 50.0), ("dynamic_range", 30.0), ("int8", 20.0)]
)
def test_images_of_any_size_run_in_one_conversion(
    run_stage: RunStage, float_models: Path, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    spec = model("keras", float_models / "any_size.keras")
    evaluated, calibrated = growing(6, by=3), growing(30, by=1, seed=1)
    measurement = measured(run_stage, spec, tmp_path, quantization, evaluated, calibration_data=calibrated)
    assert measurement.census.inputs[0].shape == (-1, -1, -1, 3)
    assert measurement.samples is not None
    assert measurement.samples.count == 6
    assert worst_sqnr_db(measurement) > sqnr_db


@pytest.mark.parametrize(("quantization", "sqnr_db"), [("none", 100.0), ("float16", 50.0), ("int8", 20.0)])
def test_maps_as_large_as_their_images_are_compared(
    run_stage: RunStage, float_models: Path, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    spec = model("keras", float_models / "map.keras")
    evaluated, calibrated = growing(6, by=3), growing(30, by=1, seed=1)
    measurement = measured(run_stage, spec, tmp_path, quantization, evaluated, calibration_data=calibrated)
    assert measurement.census.outputs[0].shape[1:3] == (-1, -1)
    assert worst_sqnr_db(measurement) > sqnr_db


def test_input_shapes_fix_a_dimension_for_good(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    spec = model("keras", float_models / "any_size.keras", input_shapes={"image": (1, 4, 4, 3)})
    measurement = measured(run_stage, spec, tmp_path, samples=growing(6, by=0))
    assert measurement.census.inputs[0].shape == (1, 4, 4, 3)
    assert worst_sqnr_db(measurement) > 100
    with pytest.raises(DatasetError, match=r"expected \(4, 4, 3\), got \(5, 5, 3\)"):
        measured(run_stage, spec, tmp_path, samples=growing(2, by=1))
