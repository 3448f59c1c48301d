from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from recipekit.contracts import EXACT_SQNR_DB, DatasetSpec, Probe, ProbeRequest, SourceLayer
from recipekit.worker.stages import probe
from tests.worker.stages.test_measure import IMAGE, dataset, images

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def spec(tmp_path: Path) -> DatasetSpec:
    return dataset(tmp_path, image=images())


@pytest.fixture
def request_(measured_models: Path, spec: DatasetSpec) -> ProbeRequest:
    """An int8 classifier beside its float32 conversion."""
    return ProbeRequest(
        candidate=str(measured_models / "int8.tflite"),
        float32=str(measured_models / "float32.tflite"),
        signatures={"serving_default": IMAGE},
        layers=(),
        dataset=spec,
        samples=8,
    )


def ratios(probed: Probe) -> list[float]:
    return [operator.sqnr_db for operator in probed.operators if operator.sqnr_db is not None]


def test_tensors_of_a_quantized_model_are_near_those_of_the_same_names(request_: ProbeRequest, folder: Path) -> None:
    probed = probe.run(request_, folder)
    assert probed.not_compared == ""
    assert 1 <= probed.samples <= 8
    assert len(ratios(probed)) >= 3
    assert all(5 < ratio < 70 for ratio in ratios(probed))
    assert probed.size == Path(request_.candidate).stat().st_size
    weighted = [operator for operator in probed.operators if operator.bytes > 100]
    assert weighted
    assert all(operator.float32_bytes is None or operator.float32_bytes > operator.bytes for operator in weighted)
    assert sum(operator.bytes for operator in probed.operators) < probed.size


def test_a_model_beside_itself_is_exact(request_: ProbeRequest, folder: Path) -> None:
    probed = probe.run(msgspec.structs.replace(request_, candidate=request_.float32), folder)
    assert len(ratios(probed)) == len(probed.operators) > 0
    assert set(ratios(probed)) == {EXACT_SQNR_DB}


@pytest.mark.parametrize("scheme", ["float16", "dynamic_range", "int16x8", "uint8"])
def test_other_schemes_are_compared_too(
    request_: ProbeRequest, measured_models: Path, folder: Path, scheme: str
) -> None:
    probed = probe.run(msgspec.structs.replace(request_, candidate=str(measured_models / f"{scheme}.tflite")), folder)
    assert ratios(probed), probed.not_compared


def test_without_samples_the_file_is_only_read(request_: ProbeRequest, folder: Path) -> None:
    probed = probe.run(msgspec.structs.replace(request_, dataset=None), folder)
    assert (ratios(probed), probed.samples, probed.not_compared) == ([], 0, "nothing is run")
    assert any(operator.bytes for operator in probed.operators)


def test_samples_that_do_not_fit_are_a_reason_and_no_failure(
    request_: ProbeRequest, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "other").mkdir()
    odd = dataset(tmp_path / "other", image=np.zeros((3, 2, 2, 1), np.float32))
    probed = probe.run(msgspec.structs.replace(request_, dataset=odd), folder)
    assert ratios(probed) == []
    assert probed.not_compared


def test_operators_are_told_by_the_layers_whose_scopes_name_them(request_: ProbeRequest, folder: Path) -> None:
    plain = probe.run(msgspec.structs.replace(request_, dataset=None), folder)
    scope = plain.operators[0].tensor.partition(";")[0]
    layer = SourceLayer(name="the layer", kind="Conv2D", weighted=True, scopes=(scope,))
    told = probe.run(msgspec.structs.replace(request_, dataset=None, layers=(layer,)), folder)
    assert told.operators[0].layer == "the layer"
