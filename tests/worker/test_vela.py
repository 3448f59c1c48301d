"""Vela on models that the NPU can't take, and on what is no model."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.contracts import Compilation, VelaRequest, VelaSpec
from recipekit.errors import ConversionError
from recipekit.worker.stages import vela
from tests.artifacts.keyword_project import needs_vela
from tests.models.built_flatbuffers import classifier

MODELS = Path(__file__).resolve().parents[3] / "shared" / "data" / "mlperf_tiny"

pytestmark = [needs_vela, pytest.mark.slow]


def compiled(folder: Path, model: bytes, **options: str) -> Compilation:
    (folder / "artifacts").mkdir(parents=True)
    (folder / "model.tflite").write_bytes(model)
    spec = VelaSpec(accelerator="ethos-u55-64", **options)
    request = VelaRequest(candidate=str(folder / "model.tflite"), vela=spec, config="")
    return vela.run(request, folder / "artifacts")


def test_operators_in_float_are_left_to_the_cpu_and_named(tmp_path: Path) -> None:
    found = compiled(tmp_path / "float", classifier())
    assert (found.report.npu_operators, found.report.cpu_operators) == (0, 3)
    assert found.report.cpu_operator_names == ("FULLY_CONNECTED", "SOFTMAX")
    assert (found.report.share("npu_operators"), found.report.share("cpu_operators")) == (0, 1)
    assert found.report.size == Path(found.path).stat().st_size
    assert [file.name for file in (tmp_path / "float" / "artifacts").iterdir()] == ["model_vela.tflite"]


def test_the_same_model_gives_the_same_bytes_and_options_reach_the_compiler(tmp_path: Path) -> None:
    options = {"system_config": "Ethos_U55_Deep_Embedded", "memory_mode": "Sram_Only", "optimise": "Size"}
    first, second = (compiled(tmp_path / name, classifier(), **options) for name in ("first", "second"))
    assert Path(first.path).read_bytes() == Path(second.path).read_bytes()
    report = first.report
    assert (report.system_config, report.memory_mode) == ("Ethos_U55_Deep_Embedded", "Sram_Only")


def test_what_vela_refuses_has_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="Failed to load TfLite model"):
        compiled(tmp_path / "broken", classifier()[:2000])
    with pytest.raises(ConversionError, match=r"Section System_Config\.Mine not found"):
        compiled(tmp_path / "choice", classifier(), system_config="Mine")


@pytest.mark.skipif(not MODELS.is_dir(), reason="needs the MLPerf Tiny models in ../shared/data/mlperf_tiny")
@pytest.mark.parametrize(("name", "sram_kib"), [("vww_96_int8", 72.734375), ("pretrainedResnet_quant", 50.625)])
def test_published_models_run_on_the_npu_alone(name: str, sram_kib: float, tmp_path: Path) -> None:
    found = compiled(tmp_path / name, (MODELS / f"{name}.tflite").read_bytes())
    assert found.report.cpu_operators == 0
    assert found.report.share("npu_operators") == 1
    assert found.report.sram_kib == pytest.approx(sram_kib, rel=0.1)
    assert [operator.name for operator in found.operators] == ["ethos-u"]
