"""What a user pays for a change: the stages that depend on it, and no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from recipekit import manifest
from recipekit.contracts import BUILD_KEY_PLACEHOLDER
from recipekit.errors import RecipekitError
from recipekit.outcome import Outcome
from recipekit.outputs.checking import differences
from recipekit.pool import Pool
from tests.e2e.conftest import recipekit, run_here

pytestmark = pytest.mark.tensorflow

SURVEYS = {"survey-calibration", "survey-evaluation"}
"""Always run in this project: its samples come from code of its own, which may read anything."""

AFTER_QUANTIZE = {"quantize", "measure", "benchmark", "probe", "illustrate"}
CONVERSION = {"load", "reference", "lower", "calibrate", *AFTER_QUANTIZE}


def run(project: Path, pool: Pool, *overrides: str) -> Outcome:
    """One run with the session's workers; code of a project is imported once a process and place."""
    return run_here(project, pool, "recipe=tiny", *overrides)


def ran(outcome: Outcome) -> set[str]:
    return {stage.name for stage in outcome.stages if not stage.found}


def found(outcome: Outcome) -> set[str]:
    return {stage.name for stage in outcome.stages if stage.found}


@pytest.fixture(scope="module")
def built_project(tiny_model: Path, pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project after a first run."""
    folder = Path(shutil.copytree(tiny_model, tmp_path_factory.mktemp("built") / "tiny"))
    outcome = run(folder, pool)
    assert ran(outcome) == SURVEYS | CONVERSION
    return folder


@pytest.fixture
def built(built_project: Path, tmp_path: Path) -> Path:
    """A copy of it, in another place than the one that it was built in."""
    return Path(shutil.copytree(built_project, tmp_path / "moved", symlinks=True))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_changed_threshold_finds_every_stage_and_starts_no_tensorflow(built: Path) -> None:
    with Pool() as pool:
        outcome = run_here(built, pool, "recipe=tiny", "acceptance.parity.sqnr_db.min=16")
        assert pool.pid("tensorflow") is None
    assert not outcome.already_built
    assert ran(outcome) == SURVEYS
    assert found(outcome) == CONVERSION
    logs = {path.stem: path.stat().st_size for path in Path(outcome.output, "logs").iterdir()}
    assert {"lower", "quantize"} <= logs.keys() <= SURVEYS | CONVERSION, "logs of stages that were found come along"
    assert all(logs.values()), "an empty log is none"


def test_another_scheme_begins_with_the_quantizer(built: Path, pool: Pool) -> None:
    outcome = run(built, pool, "converter=int16x8", "acceptance.task.top1_accuracy.max_drop=0.5")
    assert ran(outcome) == SURVEYS | AFTER_QUANTIZE
    assert found(outcome) == {"load", "reference", "lower", "calibrate"}


def test_the_second_engine_shares_the_float_conversion_and_starts_no_tensorflow(built: Path) -> None:
    with Pool() as pool:
        outcome = run_here(built, pool, "recipe=tiny", "converter=ai_edge_int8")
        assert pool.pid("tensorflow") is None
    assert ran(outcome) == SURVEYS | {"calibrate", *AFTER_QUANTIZE}


def test_a_changed_sample_is_noticed(built: Path, pool: Pool) -> None:
    edit(built / "plugins" / "two_clouds.py", "0.5, 8", "0.4, 8")
    outcome = run(built, pool)
    assert found(outcome) == {"load", "lower"}


def test_a_changed_plugin_that_gives_the_same_samples_costs_nothing(built: Path, pool: Pool) -> None:
    edit(built / "plugins" / "two_clouds.py", "The label says which.".lower(), "the label tells.")
    assert found(run(built, pool)) == CONVERSION


def test_a_changed_layer_begins_anew(built: Path, pool: Pool) -> None:
    edit(built / "layers" / "gain.py", "inputs * self.gain", "inputs * self.gain * 2.0")
    assert ran(run(built, pool)) == SURVEYS | CONVERSION


def test_a_changed_layer_that_converts_to_the_same_bytes_is_not_timed_again(built: Path, pool: Pool) -> None:
    edit(built / "layers" / "gain.py", "inputs * self.gain", "inputs * self.gain * 1.0")
    assert ran(run(built, pool)) == SURVEYS | CONVERSION - {"benchmark"}


def test_stages_before_a_failure_are_found_when_it_is_mended(built: Path, pool: Pool) -> None:
    shutil.rmtree(built / "outputs")
    with pytest.raises(RecipekitError, match="nonsense"):
        run(built, pool, "evaluation.metrics.f1.average=nonsense")
    assert found(run(built, pool)) >= {"load", "reference", "lower", "calibrate", "quantize"}


def test_a_damaged_result_is_made_again(built: Path, pool: Pool) -> None:
    (model,) = (path for path in (built / "outputs" / ".store").glob("*/*/artifacts/model.tflite") if quantized(path))
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    outcome = run(built, pool, "acceptance.parity.sqnr_db.min=16")
    assert ran(outcome) == SURVEYS | {"quantize"}
    assert model.read_bytes() == whole
    published = Path(outcome.output, "model.tflite").read_bytes()
    assert published == whole.replace(BUILD_KEY_PLACEHOLDER, outcome.build_key.encode())


def quantized(model: Path) -> bool:
    document = json.loads((model.parents[1] / "entry.json").read_text())["document"]
    return bool(document["stage"] == "quantize")


def test_rebuild_runs_every_stage(built: Path, pool: Pool) -> None:
    outcome = run_here(built, pool, "recipe=tiny", rebuild=True)
    assert ran(outcome) == SURVEYS | CONVERSION


def test_explain_says_what_changed(built: Path) -> None:
    done = recipekit(built, ["run", "recipe=tiny", "converter.output_type=float32", "--explain"])
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=4) for line in done.stdout.splitlines() if line.startswith(("  found", "  ran"))]
    explained = {line[1]: (line[0], line[4] if len(line) == 5 else "") for line in lines[-11:]}
    assert explained["lower"] == ("found", "the same inputs")
    assert explained["quantize"] == ("ran", "converter.output_type: int8 before, float32 now")
    assert explained["measure"][0] == "ran"
    assert explained["measure"][1].startswith("candidate: ")


def test_children_of_a_sweep_share_stages_and_a_launcher_finds_them(built: Path) -> None:
    shutil.rmtree(built / "outputs")
    sweep = ["run", "-m", "recipe=tiny", "converter=int8,int16x8,float16", "--format", "json"]
    done = recipekit(built, sweep)
    assert done.returncode == 0, done.stdout + done.stderr
    stages = [stage for outcome in json.loads(done.stdout) for stage in outcome["stages"] if not stage["found"]]
    names = [stage["name"] for stage in stages if stage["name"] not in SURVEYS]
    assert sorted(names) == sorted([*["load", "reference", "lower", "calibrate"], *sorted(AFTER_QUANTIZE) * 3])

    elsewhere = [*sweep, "hydra/launcher=joblib", "hydra.launcher.n_jobs=1", "acceptance.parity.sqnr_db.min=14"]
    done = recipekit(built, elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    again = [stage for outcome in json.loads(done.stdout) for stage in outcome["stages"] if not stage["found"]]
    assert {stage["name"] for stage in again} <= SURVEYS


def test_a_long_sweep_publishes_in_another_process_what_a_short_one_would_here(built: Path) -> None:
    bounds = ",".join(f"{bound / 10}" for bound in range(40))
    done = recipekit(built, ["run", "-m", "recipe=tiny", f"acceptance.parity.sqnr_db.min={bounds}", "--format", "json"])
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = json.loads(done.stdout)
    assert len({outcome["build_key"] for outcome in outcomes}) == 40
    for at, outcome in enumerate(outcomes):
        folder = Path(outcome["output"])
        assert not differences(folder, manifest.read(folder))
        assert f"command line: acceptance.parity.sqnr_db.min={at / 10}" in (folder / "report.html").read_text()


def test_a_float_flatbuffer_is_quantized_without_tensorflow(built: Path) -> None:
    (float32,) = (
        path for path in (built / "outputs" / ".store").glob("*/*/artifacts/model.tflite") if not quantized(path)
    )
    shutil.copy(float32, built / "models" / "tiny.tflite")
    edit(
        built / "recipes" / "tiny.yaml",
        "{kind: keras, path: models/tiny.keras, input_shapes: {point: [1, 8]}}",
        "{kind: tflite, path: models/tiny.tflite}",
    )
    edit(built / "recipes" / "tiny.yaml", "custom_layers: {modules: [layers/gain.py]}\n", "")
    with Pool() as pool:
        outcome = run_here(built, pool, "recipe=tiny", "converter=ai_edge_int8")
        assert pool.pid("tensorflow") is None
    assert outcome.status == "accepted"
    assert ran(outcome) == SURVEYS | CONVERSION - {"lower"}
