"""A whole project of a user's own: custom layer, dataset plugin, outputs, sweeps, and what can go wrong meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from recipekit import manifest
from recipekit.cli.screen import Screen
from recipekit.errors import DatasetError, OutputAltered, PluginError, SourceChanged, SourceError
from recipekit.outcome import Outcome
from recipekit.outputs import differences
from recipekit.pool import Pool
from tests.commands import Running
from tests.e2e.conftest import recipekit, run_here
from tests.faults.signalled import in_stage, started, wait_until

pytestmark = pytest.mark.tensorflow


def run(project: Path, pool: Pool, *overrides: str, rebuild: bool = False) -> Outcome:
    """One run in this process; the workers are the session's."""
    return run_here(project, pool, "recipe=tiny", *overrides, rebuild=rebuild)


@pytest.fixture(scope="module")
def stages(tiny_model: Path, pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store after a first run."""
    project = Path(shutil.copytree(tiny_model, tmp_path_factory.mktemp("first") / "tiny"))
    assert run(project, pool).status == "accepted"
    return project / "outputs" / ".store"


@pytest.fixture
def known(tiny: Path, stages: Path) -> Path:
    """A copy of the tiny project, no output yet, whose first run finds its stages."""
    shutil.copytree(stages, tiny / "outputs" / ".store")
    return tiny


def published(project: Path) -> dict[str, bytes]:
    """Every visible file of every output with its bytes."""
    root = project / "outputs"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".")
    }


def test_a_run_publishes_a_whole_output_and_a_second_one_finds_it_without_tensorflow(tiny: Path, pool: Pool) -> None:
    outcome = run(tiny, pool)
    assert (outcome.status, outcome.already_built, outcome.exit_code) == ("accepted", False, 0)
    output = Path(outcome.output)
    assert {path.name for path in output.iterdir()} == {
        "model.tflite",
        "manifest.json",
        "results.json",
        "recipe.yaml",
        "report.html",
        "logs",
        "calibration.samples.jsonl",
        "evaluation.samples.jsonl",
    }
    recorded = manifest.read(output)
    assert differences(output, recorded) == []
    assert manifest.results(recorded)["buildKey"] == outcome.build_key
    assert (tiny / "outputs" / "tiny" / "latest").resolve() == output
    roles = {entry["annotations"]["role"] for entry in recorded["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert roles >= {"model-source", "recipe-file", "custom-layer", "plugin", "package", "evaluation-samples"}
    assert str(tiny) not in (output / "manifest.json").read_text()
    assert not list((tiny / "outputs" / ".work").glob("*/*"))

    with Pool() as fresh:
        again = run(tiny, fresh)
        assert fresh.pid("tensorflow") is None
    assert (again.status, again.already_built, again.output) == ("accepted", True, outcome.output)
    assert again.checks == outcome.checks


def test_the_same_inputs_give_the_same_bytes_in_another_place_and_process(
    tiny: Path, pool: Pool, tmp_path: Path
) -> None:
    first = run(tiny, pool)
    moved = tmp_path / "elsewhere"
    tiny.rename(moved)
    before = (moved / Path(first.output).relative_to(tiny) / "model.tflite").read_bytes()
    with Pool() as fresh:
        second = run(moved, fresh, rebuild=True)
    assert second.build_key == first.build_key
    assert (Path(second.output) / "model.tflite").read_bytes() == before


def test_a_rejected_output_is_kept_and_never_latest(known: Path, pool: Pool) -> None:
    accepted = run(known, pool)
    rejected = run(known, pool, "acceptance.parity.sqnr_db.min=200")
    assert (rejected.status, rejected.exit_code) == ("rejected", 3)
    assert (Path(rejected.output) / "model.tflite").is_file()
    assert (known / "outputs" / "tiny" / "latest").resolve() == Path(accepted.output)
    (failed,) = [check for check in rejected.checks if check.verdict == "fail"]
    assert failed.name == "parity.sqnr_db.min"


def test_confidence_judges_by_intervals_and_bootstraps_what_is_no_proportion(known: Path, pool: Pool) -> None:
    few = ["acceptance.confidence=0.95", "acceptance.task.top1_accuracy.max_drop=0.01"]
    outcome = run(known, pool, *few, "evaluation.metrics.f1={}", "acceptance.task.f1.max_drop=0.05")
    verdicts = {check.name: check for check in outcome.checks}
    assert verdicts["task.top1_accuracy.max_drop"].verdict == "inconclusive"  # 60 samples can't show a drop this small
    assert outcome.status == "rejected"
    assert outcome.measurement is not None
    assert outcome.measurement.task["f1"].replicates


def test_an_altered_output_is_never_trusted_and_rebuild_mends_it(known: Path, pool: Pool) -> None:
    outcome = run(known, pool)
    model = Path(outcome.output) / "model.tflite"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + b"?")
    with pytest.raises(OutputAltered, match=r"model\.tflite"):
        run(known, pool)
    run(known, pool, rebuild=True)
    assert model.read_bytes() == whole


PLUGIN = "plugins/two_clouds.py"
FAULTS: dict[str, tuple[str, object, type[Exception], str]] = {
    "no source": ("models/tiny.keras", None, SourceError, "does not exist"),
    "garbage source": ("models/tiny.keras", "no zip", SourceError, "not a readable"),
    "layer module fails": ("layers/gain.py", "import nothing_like_this", PluginError, "nothing_like_this"),
    "plugin exits": (PLUGIN, "raise SystemExit(0)", PluginError, r"sys\.exit"),
    "few samples": (
        "recipes/tiny.yaml",
        ("count: 60", "count: 60, samples: 61"),
        DatasetError,
        "evaluation.dataset: .*expected 61, got 60",
    ),
    "wrong name": (PLUGIN, ('"point"', '"dot"'), DatasetError, "dot"),
    "wrong shape": (PLUGIN, ("0.5, 8", "0.5, 9"), DatasetError, r"sample 0 \('point"),
    "wrong dtype": (PLUGIN, ("astype(np.float32)", "astype(np.float64)"), DatasetError, "cast"),
    "nan": (
        PLUGIN,
        ("        return Sample(", "        point[3] = np.nan\n        return Sample("),
        DatasetError,
        r"sample 0 \('point",
    ),
}


@pytest.mark.parametrize(("file", "edit", "error", "says"), FAULTS.values(), ids=list(FAULTS))
def test_a_fault_of_source_data_or_plugin_is_told_apart_and_publishes_nothing(
    known: Path, pool: Pool, file: str, edit: object, error: type[Exception], says: str
) -> None:
    path = known / file
    match edit:
        case None:
            path.unlink()
        case str(text):
            path.write_text(text)
        case (str(old), str(new)):
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
    with pytest.raises(error, match=says):
        run(known, pool)
    assert not [name for name in published(known) if "model.tflite" in name]


def test_a_source_that_changes_during_the_run_is_refused(tiny: Path, pool: Pool) -> None:
    class Meddler(Screen):
        def finished(self, step: str, seconds: float, note: str) -> None:
            if step == "load":
                with (tiny / "models" / "tiny.keras").open("ab") as stream:
                    stream.write(b"!")

    with pytest.raises(SourceChanged, match="before"):
        run_here(tiny, pool, "recipe=tiny", screen=Meddler(Console(quiet=True)))
    assert published(tiny) == {}


# --- sweeps, kills and signals: as real processes -----------------------------------------------------------------


def workers_of(process: Running, kind: str = "") -> list[psutil.Process]:
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            line = child.cmdline()
            found += [child] if "recipekit.worker" in line and kind in " ".join(line) else []
    return found


def test_a_sweep_goes_on_when_a_child_loses_its_worker(tiny: Path) -> None:
    quantizes = in_stage(tiny, "quantize")

    def caught() -> bool:
        """Whether the worker stands still in the middle of it, which takes less time than to find the worker."""
        (worker,) = workers_of(process, "tensorflow") if quantizes() else (None,)
        if worker is None:
            return False
        worker.suspend()
        if not quantizes():
            worker.resume()
        return quantizes()

    with started(tiny, "-m", "recipe=tiny", "seed=0,1,2") as process:
        wait_until(caught, process)
        (worker,) = workers_of(process, "tensorflow")
        worker.kill()
        out, _ = process.communicate(timeout=120)
    (summary,) = (tiny / "outputs" / "sweeps").glob("*/summary.json")
    rows = json.loads(summary.read_text())
    assert [row["number"] for row in rows] == [0, 1, 2]
    (failed,) = [row for row in rows if row["verdict"] == "failed"]
    assert "SIGKILL" in failed["error"]
    died_in_load = "in the stage 'load'" in failed["error"]  # of another child, which has the worker by now
    assert failed["exit_code"] == process.returncode == (5 if died_in_load else 4)
    assert "RK421" in out
    for row in rows:
        if row is failed:
            continue
        assert row["verdict"] == "accepted"
        assert (summary.parent / row["output"] / "model.tflite").is_file()


def test_a_sweep_with_an_invalid_child_runs_the_others_and_exits_with_the_worst(known: Path) -> None:
    done = recipekit(known, ["run", "-m", "recipe=tiny", "converter.input_type=int8,int16", "--format", "json"])
    assert done.returncode == 2
    first, second = json.loads(done.stdout)
    assert first["status"] == "accepted"
    assert second["failure"]["id"] == "RK201"
    assert "command line: converter.input_type=int16" in second["failure"]["what"]


def test_a_sweep_runs_on_the_joblib_launcher(tiny: Path) -> None:
    done = recipekit(tiny, ["run", "-m", "recipe=tiny", "seed=0,1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=1"])
    assert done.returncode == 0, done.stdout + done.stderr
    (summary,) = (tiny / "outputs" / "sweeps").glob("*/summary.json")
    assert [row["verdict"] for row in json.loads(summary.read_text())] == ["accepted", "accepted"]


def test_an_interrupted_sweep_keeps_what_has_ended(known: Path) -> None:
    with started(known, "-m", "recipe=tiny", "seed=range(0,60)", "evaluation.benchmark=null") as process:
        wait_until(lambda: list((known / "outputs" / "sweeps").glob("*/*/outcome.json")), process, 240)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out + err
    (summary,) = (known / "outputs" / "sweeps").glob("*/summary.json")
    rows = json.loads(summary.read_text())
    assert rows[0]["verdict"] == "accepted"
    assert len(rows) < 60
    assert not list(summary.parent.glob("multirun.yaml"))


def test_two_runs_of_one_build_take_turns(known: Path) -> None:
    with (
        started(known, "recipe=tiny", "--format", "json") as first,
        started(known, "recipe=tiny", "--format", "json") as second,
    ):
        results = [json.loads(process.communicate(timeout=120)[0]) for process in (first, second)]
    assert {result["status"] for result in results} == {"accepted"}
    assert sorted(result["already_built"] for result in results) == [False, True]
    assert results[0]["output"] == results[1]["output"]


def test_the_terminal_hears_nothing_of_tensorflow(tiny: Path) -> None:
    done = recipekit(tiny, ["run", "recipe=tiny"])
    assert done.returncode == 0
    assert done.stderr == ""
    assert all(line.startswith(("  done", " ", "accepted")) or not line for line in done.stdout.splitlines())
    (log,) = (tiny / "outputs").glob("tiny/1.0.0/*/logs/load.txt")
    assert log.stat().st_size > 0
    assert os.linesep in log.read_text()
