"""Artifacts of whole runs: what is written is what the manifest says, compiles, runs, and comes out again the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recipekit import manifest
from recipekit.artifacts.c_array import bytes_of
from recipekit.audit.verification import verify_output
from recipekit.contracts import BUILD_KEY_ENTRY
from recipekit.errors import ConversionError, DatasetError
from recipekit.outcome import Outcome
from recipekit.pool import Pool
from tests.artifacts.compilers import compile_c, compile_cxx, needs_compilers
from tests.artifacts.keyword_project import needs_vela, write_project
from tests.e2e.conftest import recipekit, run_here

pytestmark = pytest.mark.slow

ASKED = ("recipe=keyword", "artifacts={c_array: true, labels: data/labels.txt, golden_vectors: 3}")
FILES = {
    "golden_vectors.h",
    "golden_vectors.npz",
    "golden_vectors_check.c",
    "labels.txt",
    "model.cc",
    "model.h",
    "model.tflite",
    "model_op_resolver.h",
    "test_golden_vectors.py",
}
PROGRAM = """\
#include <stdio.h>
#include "golden_vectors.h"
static int run(const golden_vector *vector, const void **outputs, void *context) {
  static signed char got[8];
  if (vector->outputs[0].bytes != sizeof got || vector->inputs[0].count != 64) return 1;
  outputs[0] = got;
  return fread(got, 1, sizeof got, (FILE *)context) != sizeof got;
}
int main(void) {
  FILE *file = fopen("outputs.bin", "rb");
  int at;
  for (at = 0; at < 4; ++at) {
    rewind(file);
    printf("%d ", golden_vectors_check(run, file, at, 0));
  }
  return fclose(file);
}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, pool: Pool) -> tuple[Path, Outcome]:
    project = tmp_path_factory.mktemp("artifacts") / "project"
    write_project(project)
    return project, run_here(project, pool, *ASKED)


def built_anew(outcome: Outcome) -> set[str]:
    """Stages that ran; files of samples are so young here that surveys read them again."""
    return {stage.name for stage in outcome.stages if not stage.found and not stage.name.startswith("survey")}


def output_of(built: tuple[Path, Outcome]) -> Path:
    return Path(built[1].output)


def test_every_artifact_is_a_subject_and_the_output_verifies(built: tuple[Path, Outcome]) -> None:
    output = output_of(built)
    assert built[1].status == "accepted"
    assert {entry["name"] for entry in manifest.read(output)["subject"]} == FILES
    assert verify_output(output).differences == ()
    (output.parent / "copy").mkdir()
    altered = Path(shutil.copytree(output, output.parent / "copy" / "altered"))
    (altered / "labels.txt").write_text("another\n")
    assert [difference.place for difference in verify_output(altered).differences] == ["labels.txt"]


def test_the_array_is_the_published_file_and_the_operators_are_its_own(built: tuple[Path, Outcome]) -> None:
    output = output_of(built)
    model = (output / "model.tflite").read_bytes()
    assert built[1].build_key.encode() in model
    assert bytes_of((output / "model.cc").read_text()) == model
    resolver = (output / "model_op_resolver.h").read_text()
    assert "MicroMutableOpResolver<2>" in resolver
    assert "AddFullyConnected" in resolver
    assert "AddSoftmax" in resolver


def test_the_generated_test_passes_beside_the_output_alone(built: tuple[Path, Outcome], tmp_path: Path) -> None:
    beside = Path(shutil.copytree(output_of(built), tmp_path / "beside"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_golden_vectors.py"]
    plain = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=beside, env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout
    with np.load(beside / "golden_vectors.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["1/outputs/scores"] = arrays["1/outputs/scores"] ^ 64
    np.savez(beside / "golden_vectors.npz", **arrays)
    done = subprocess.run(command, cwd=beside, env=plain, capture_output=True, text=True, check=False)
    assert "2 failed, 4 passed" in done.stdout


def test_the_vectors_are_the_first_samples_quantized_as_the_model_takes_them(built: tuple[Path, Outcome]) -> None:
    project, outcome = built
    assert outcome.measurement is not None
    (port,) = outcome.measurement.census.inputs
    assert port.scale is not None
    assert port.zero_point is not None
    with np.load(output_of(built) / "golden_vectors.npz") as archive:
        index = json.loads(str(archive["index"]))
        stored = [archive[vector["inputs"][0]["array"]] for vector in index]
    with np.load(project / "data" / "samples.npz") as archive:
        samples = archive["x"][:3]
    expected = np.clip(np.rint(samples / np.float32(port.scale)) + port.zero_point, -128, 127).astype(np.int8)
    assert np.concatenate(stored).tolist() == expected.tolist()
    assert {array.dtype.name for array in stored} == {"int8"}


@needs_compilers
@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_c_check_counts_outputs_that_are_further_away_than_the_tolerance(
    built: tuple[Path, Outcome], language: str, tmp_path: Path
) -> None:
    output = output_of(built)
    for name in ("golden_vectors.h", "golden_vectors_check.c"):
        shutil.copyfile(output / name, tmp_path / name)
    (tmp_path / "main.c").write_text(PROGRAM)
    with np.load(output / "golden_vectors.npz") as archive:
        outputs = [archive[f"{number}/outputs/scores"].astype(np.int16) for number in range(3)]
    moved = [array + np.where(array < 100, step, -step) for step, array in enumerate(outputs)]
    (tmp_path / "outputs.bin").write_bytes(np.concatenate(moved).astype(np.int8).tobytes())
    if language == "c":
        compile_c("golden_vectors_check.c", "main.c", "-o", "program", here=tmp_path)
    else:
        compile_cxx("-x", "c++", "golden_vectors_check.c", "main.c", "-o", "program", here=tmp_path)
    done = subprocess.run([tmp_path / "program"], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.split() == [b"2", b"1", b"0", b"0"]


def test_a_changed_threshold_computes_nothing_again(built: tuple[Path, Outcome], pool: Pool) -> None:
    again = run_here(built[0], pool, *ASKED, "acceptance.parity.sqnr_db.min=11")
    assert again.build_key != built[1].build_key
    assert {stage.name for stage in again.stages} >= {"golden_vectors", "measure"}
    assert built_anew(again) == set()
    for name in FILES - {"model.tflite", "model.cc", "model.h", "model_op_resolver.h"}:
        assert (Path(again.output) / name).read_bytes() == (output_of(built) / name).read_bytes()


def test_labels_decide_the_build_key_and_must_fit(built: tuple[Path, Outcome], pool: Pool, tmp_path: Path) -> None:
    project = Path(shutil.copytree(built[0], tmp_path / "project", ignore=shutil.ignore_patterns("outputs")))
    (project / "data" / "labels.txt").write_text("".join(f"other{number}\n" for number in range(8)))
    renamed = run_here(project, pool, *ASKED)
    assert renamed.build_key != built[1].build_key
    assert (Path(renamed.output) / "labels.txt").read_text().startswith("other0")
    (project / "data" / "labels.txt").write_text("one\ntwo\n")
    with pytest.raises(DatasetError, match=r"has 2 labels, and output 'scores' has 8"):
        run_here(project, pool, *ASKED)


def test_a_rebuild_in_another_folder_gives_every_artifact_byte_for_byte(built: tuple[Path, Outcome]) -> None:
    done = recipekit(built[0], ["reproduce", str(output_of(built))])
    assert done.returncode == 0, done.stdout + done.stderr
    for name in FILES:
        assert f"{name}: the same " in done.stdout


def test_children_of_a_sweep_have_the_artifacts_that_they_ask_for(built: tuple[Path, Outcome]) -> None:
    done = recipekit(
        built[0], ["run", "-m", "recipe=keyword", "artifacts.c_array=true", "artifacts.golden_vectors=0,1"]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = next((built[0] / "outputs" / "sweeps").glob("*/summary.json"))
    folders = [summary.parent / row["output"] for row in json.loads(summary.read_text())]
    held = [{file.name for file in folder.iterdir()} & FILES for folder in folders]
    arrays = {"model.tflite", "model.h", "model.cc", "model_op_resolver.h"}
    assert held == [arrays, FILES - {"labels.txt"}]


@needs_vela
def test_vela_compiles_the_model_and_its_figures_are_judged(built: tuple[Path, Outcome], pool: Pool) -> None:
    bounds = "acceptance.target={sram_kib: {max: 64}, npu_operators: {min_ratio: 1}, flash_kib: {max: 0.5}}"
    asked = (*ASKED, "artifacts.vela={accelerator: ethos-u55-128}", bounds)
    outcome = run_here(built[0], pool, *asked)
    assert {check.name: check.verdict for check in outcome.checks if check.name.startswith("target")} == {
        "target.sram_kib.max": "pass",
        "target.npu_operators.min_ratio": "pass",
        "target.flash_kib.max": "fail",
    }
    output = Path(outcome.output)
    compiled = (output / "model_vela.tflite").read_bytes()
    assert compiled.count(BUILD_KEY_ENTRY.encode()) == 1
    assert outcome.build_key.encode() in compiled
    assert bytes_of((output / "model_vela.cc").read_text()) == compiled
    assert "AddEthosU" in (output / "model_vela_op_resolver.h").read_text()
    assert outcome.measurement is not None
    assert outcome.measurement.target
    assert outcome.measurement.target.cpu_operators == 0
    assert verify_output(output).differences == ()
    report = (output / "report.html").read_text()
    assert "for Ethos_U55_128" in report
    looser = run_here(built[0], pool, *asked, "acceptance.target.flash_kib.max=64")
    assert looser.status == "accepted"
    assert built_anew(looser) == set()
    assert (Path(looser.output) / "model_vela.tflite").stat().st_size == len(compiled)


@needs_vela
def test_a_configuration_of_vela_that_lacks_what_is_chosen_fails_with_vela_s_own_words(
    built: tuple[Path, Outcome], pool: Pool
) -> None:
    (built[0] / "data" / "board.ini").write_text("[System_Config.Mine]\ncore_clock=1e6\n")
    asked = "artifacts.vela={accelerator: ethos-u55-32, config: data/board.ini, system_config: Other, memory_mode: M}"
    with pytest.raises(ConversionError, match=r"Vela can't compile the model: .*System_Config\.Other not found"):
        run_here(built[0], pool, "recipe=keyword", asked)
