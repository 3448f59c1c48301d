"""Models that remember: both models begin with the source's state and answer to the same samples in the same order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import RunStage
from tests.worker.float_sources import dataset, load, measured, model, reference, values, worst_sqnr_db

pytestmark = pytest.mark.tensorflow

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)


def test_the_float_model_begins_anew_with_each_reading_and_takes_samples_in_order(
    run_stage: RunStage, stateful_models: Path, tmp_path: Path
) -> None:
    spec = model("saved_model", stateful_models / "smoother")
    samples = dataset(tmp_path / "samples.npz", {"x": X})
    for _ in range(2):
        answer = values(reference(run_stage, spec, load(run_stage, spec), samples))
        assert answer["count"].ravel().tolist() == list(range(11, 51))


@pytest.mark.parametrize(("quantization", "sqnr_db"), [("none", 110.0), ("float16", 60.0), ("int8", 20.0)])
@pytest.mark.parametrize("shapes", [{}, {"x": (1, 4)}])
def test_a_conversion_remembers_like_its_model(
    run_stage: RunStage,
    stateful_models: Path,
    tmp_path: Path,
    quantization: str,
    sqnr_db: float,
    shapes: dict[str, tuple[int, ...]],
) -> None:
    spec = model("saved_model", stateful_models / "smoother", input_shapes=shapes)
    measurement = measured(run_stage, spec, tmp_path, quantization, {"x": X})
    assert measurement.parity["count"].max_abs_error == 0
    assert worst_sqnr_db(measurement) > sqnr_db


@pytest.mark.parametrize(("quantization", "sqnr_db"), [("none", 100.0), ("dynamic_range", 20.0), ("int8", 20.0)])
def test_the_memory_of_a_fused_lstm_ends_with_its_sample(
    run_stage: RunStage, stateful_models: Path, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    """The layer has no state, but the operator that it becomes has."""
    spec = model("keras", stateful_models / "lstm.h5")
    measurement = measured(run_stage, spec, tmp_path, quantization)
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in {operator.name for operator in measurement.census.operators}
    assert worst_sqnr_db(measurement) > sqnr_db
