from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit.errors import EvaluationError
from tests.conftest import RunStage
from tests.worker.float_sources import dataset, growing, load, model, reference, values

pytestmark = pytest.mark.tensorflow


def test_every_sample_has_its_answer_in_order_across_batches(
    run_stage: RunStage, float_models: Path, tmp_path: Path
) -> None:
    spec = model("saved_model", float_models / "two")
    zeta = np.arange(70 * 4, dtype=np.float32).reshape(70, 4)
    samples = dataset(tmp_path / "samples.npz", {"alpha": np.zeros_like(zeta), "zeta": zeta})
    answer = reference(run_stage, spec, load(run_stage, spec), samples)
    assert answer.samples.count == 70
    assert answer.outputs["a_sum"].shape == (4,)
    assert answer.outputs["a_sum"].dtype == "float32"
    np.testing.assert_array_equal(values(answer)["a_sum"], zeta)


def test_a_model_with_a_fixed_batch_runs_one_by_one(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    spec = model("saved_model", float_models / "two", signature="reciprocal")
    samples = dataset(tmp_path / "samples.npz", {"x": np.array([[1, 2], [4, 8], [16, 32]], np.float32)})
    answer = reference(run_stage, spec, load(run_stage, spec), samples)
    np.testing.assert_array_equal(values(answer)["y"], np.array([[1, 1 / 2], [1 / 4, 1 / 8], [1 / 16, 1 / 32]]))


def test_samples_that_would_look_at_each_other_run_one_by_one(run_stage: RunStage, tmp_path: Path) -> None:
    spec = model("python", factory="recurrent.py:centred")
    x = np.arange(40 * 4, dtype=np.float32).reshape(40, 4)
    answer = reference(run_stage, spec, load(run_stage, spec), dataset(tmp_path / "samples.npz", {"x": x}))
    np.testing.assert_allclose(values(answer)["y"], x - x.mean(axis=1, keepdims=True))


def test_an_output_that_is_not_finite_names_the_sample(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    spec = model("saved_model", float_models / "two", signature="reciprocal")
    samples = dataset(tmp_path / "samples.npz", {"x": np.array([[1, 2], [3, 0]], np.float32)})
    with pytest.raises(EvaluationError, match="the output 'y' of the float model is not finite") as caught:
        reference(run_stage, spec, load(run_stage, spec), samples)
    assert caught.value.where.startswith("sample 1 ")


def test_an_output_whose_shape_varies_is_kept_with_the_shape_of_each_sample(
    run_stage: RunStage, float_models: Path
) -> None:
    spec = model("keras", float_models / "map.keras")
    answer = reference(run_stage, spec, load(run_stage, spec), growing(3, by=2))
    log = answer.outputs["map"]
    assert log.shape == (4, 4, 2)
    assert np.load(log.shapes).tolist() == [[4, 4, 2], [6, 6, 2], [8, 8, 2]]
    assert Path(log.path).stat().st_size == 4 * 2 * (16 + 36 + 64)


def test_a_failure_inside_the_model_is_told_by_its_cause(run_stage: RunStage, tmp_path: Path) -> None:
    spec = model("python", factory="factories.py:row_of_three")
    samples = dataset(tmp_path / "samples.npz", {"at": np.array([[1], [7]], np.int32)})
    with pytest.raises(EvaluationError, match=r"InvalidArgumentError: indices\[1,0\] = 7 is not in \[0, 3\)") as caught:
        reference(run_stage, spec, load(run_stage, spec), samples)
    assert caught.value.where == "samples 0 to 1 ('0' to '1')"
