from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit import digests
from recipekit.contracts import DatasetSpec, Flatbuffer, QuantizeRequest
from recipekit.errors import ConversionError, DatasetError, PluginError
from tests.conftest import RunStage
from tests.worker.conversions import Models, build_models, spec

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return build_models(tmp_path_factory)


def _quantize(run_stage: RunStage, models: Models, quantization: str, dataset: DatasetSpec | None) -> Flatbuffer:
    request = QuantizeRequest(loaded=models.loaded("Scorer"), converter=spec(quantization), dataset=dataset)
    flatbuffer: Flatbuffer = run_stage("quantize", request)
    return flatbuffer


@pytest.mark.parametrize("quantization", ["int8", "int16x8"])
def test_the_record_tells_the_calibration_samples_once_each(
    run_stage: RunStage, models: Models, quantization: str
) -> None:
    record = _quantize(run_stage, models, quantization, models.dataset("Scorer", samples=5))
    path = Path(record.path)
    assert (record.size, record.sha256) == (path.stat().st_size, digests.of_file(path))
    assert record.samples is not None
    assert record.samples.count == 5
    log = Path(record.samples.path)
    assert log == path.with_name("samples.jsonl")
    assert len(log.read_text().splitlines()) == 5
    assert record.samples.sha256 == digests.of_file(log)


@pytest.mark.parametrize("quantization", ["none", "float16", "dynamic_range"])
def test_a_scheme_without_calibration_leaves_the_samples_unread(
    run_stage: RunStage, models: Models, quantization: str
) -> None:
    missing = models.dataset("Scorer", params={"path": "no such file.npz"})
    record = _quantize(run_stage, models, quantization, missing)
    assert record.samples is None
    assert record.sha256 == _quantize(run_stage, models, quantization, None).sha256


@pytest.mark.parametrize("quantization", ["int8", "int16x8"])
def test_a_scheme_with_calibration_needs_samples(run_stage: RunStage, models: Models, quantization: str) -> None:
    with pytest.raises(ConversionError, match="needs samples") as caught:
        _quantize(run_stage, models, quantization, None)
    assert caught.value.where == "representative_dataset"


@pytest.mark.parametrize("quantization", ["int8", "int16x8"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_never_reaches_the_calibrator(
    run_stage: RunStage, models: Models, quantization: str, value: float
) -> None:
    images = np.zeros((3, 8, 8, 2), np.float32)
    images[1, 2, 3, 1] = value
    dataset = models.npz("broken", {"zebra": images, "apple": np.ones_like(images)})
    with pytest.raises(DatasetError, match="zebra") as caught:
        _quantize(run_stage, models, quantization, dataset)
    assert "sample 1" in caught.value.where


def test_an_error_of_the_dataset_leaves_the_converter_as_it_was_raised(
    run_stage: RunStage, models: Models, tmp_path: Path
) -> None:
    tmp_path.joinpath("frames.py").write_text(
        "import numpy as np\n"
        "from recipekit.contracts import Sample\n"
        "from recipekit.registry import register\n"
        "@register('datasets', 'broken_frames')\n"
        "class Frames:\n"
        "    def __init__(self, context): pass\n"
        "    def __len__(self): return 3\n"
        "    def __getitem__(self, index):\n"
        "        if index == 2: raise KeyError('no such frame')\n"
        "        image = np.zeros((8, 8, 2), np.float32)\n"
        "        return Sample(id=str(index), tensors={'zebra': image, 'apple': image})\n"
    )
    dataset = models.dataset(
        "Scorer", plugin="broken_frames", params={}, modules=("frames.py",), project_root=str(tmp_path)
    )
    with pytest.raises(PluginError, match="KeyError: 'no such frame'") as caught:
        _quantize(run_stage, models, "int8", dataset)
    assert caught.value.where.endswith("frames.py:9")
