from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit import digests
from recipekit.contracts import Calibration, DatasetSpec
from recipekit.errors import DatasetError, PluginError
from tests.worker.conversions import Conversions, Models, spec

pytestmark = pytest.mark.tensorflow


def _calibrate(convert: Conversions, model: str, dataset: DatasetSpec) -> Calibration:
    return convert.calibration(model, spec("int8"), dataset)


@pytest.mark.parametrize("model", ["Scorer", "TrainedForQuantization"])
def test_the_record_tells_the_calibration_samples_once_each(convert: Conversions, models: Models, model: str) -> None:
    record = _calibrate(convert, model, models.dataset(model, samples=5))
    assert record.samples.count == 5
    log = Path(record.samples.path)
    assert log == Path(record.path).with_name("samples.jsonl")
    assert len(log.read_text().splitlines()) == 5
    assert record.samples.sha256 == digests.of_file(log)


def test_every_calibrated_scheme_asks_for_the_same_ranges(convert: Conversions, models: Models) -> None:
    dataset = models.dataset("Scorer")
    records = {
        convert.calibration("Scorer", converter, dataset).path
        for converter in (
            spec("int8"),
            spec("int8", "uint8", granularity="per_tensor"),
            spec("int16x8", "int16", allow_float=True, flags={"experimental_new_quantizer": False}),
        )
    }
    assert len(records) == 1


def test_the_same_samples_give_the_same_ranges_and_others_do_not(convert: Conversions, models: Models) -> None:
    once = _calibrate(convert, "Scorer", models.dataset("Scorer"))
    again = _calibrate(convert, "Scorer", models.dataset("Scorer", seed=1))
    fewer = _calibrate(convert, "Scorer", models.dataset("Scorer", samples=2))
    assert digests.of_file(Path(once.path)) == digests.of_file(Path(again.path))
    assert digests.of_file(Path(once.path)) != digests.of_file(Path(fewer.path))


def test_a_model_for_the_one_call_has_no_ranges_of_its_own(convert: Conversions, models: Models) -> None:
    record = _calibrate(convert, "TrainedForQuantization", models.dataset("TrainedForQuantization"))
    assert Path(record.path).read_bytes() == b""


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_never_reaches_the_calibrator(
    convert: Conversions, models: Models, value: float
) -> None:
    images = np.zeros((3, 8, 8, 2), np.float32)
    images[1, 2, 3, 1] = value
    dataset = models.npz(f"broken {value}", {"zebra": images, "apple": np.ones_like(images)})
    with pytest.raises(DatasetError, match="zebra") as caught:
        _calibrate(convert, "Scorer", dataset)
    assert "sample 1" in caught.value.where


def test_an_error_of_the_dataset_leaves_the_converter_as_it_was_raised(
    convert: Conversions, models: Models, tmp_path: Path
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
        _calibrate(convert, "Scorer", dataset)
    assert caught.value.where.endswith("frames.py:9")
