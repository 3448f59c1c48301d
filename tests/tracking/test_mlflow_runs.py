"""MLflow for real: its own default store in SQLite, in a process of its own, without a network."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from recipekit.errors import EnvironmentFault
from recipekit.tracking import Tracker
from tests.faults.standing import Standing, built

pytestmark = pytest.mark.slow

OFFLINE = """
import json, socket, sys
asked = []
def refuse(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        asked.append(str(address))
        raise OSError("there is no network here")
    return connect(self, address)
connect, socket.socket.connect = socket.socket.connect, refuse
from recipekit.cli import main
codes = [main(line.split()) for line in sys.argv[1:]]
print(json.dumps({"codes": codes, "asked": asked, "tensorflow": "tensorflow" in sys.modules}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run, the same again, a sweep with children that fail, those again that did not."""
    standing = Standing(built(tmp_path_factory), tmp_path_factory.mktemp("mlflow") / "project")
    lines = [
        "run recipe=tiny --mlflow",
        "run recipe=tiny --mlflow",
        "run -m recipe=tiny seed=1,2 evaluation.dataset.samples=24,99 --mlflow",
        "run -m recipe=tiny seed=1,2 evaluation.dataset.samples=24 --mlflow",
    ]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    env |= {"PYTHONPATH": str(Path(__file__).parents[2]), "MLFLOW_EXPERIMENT_NAME": "boards"}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *lines], cwd=standing.root, env=env, capture_output=True, text=True, check=True
    )
    return standing.root, done


def rows(project: Path, query: str) -> list[Any]:
    with sqlite3.connect(project / "mlflow.db") as store:
        return list(store.execute(query))


def test_a_build_is_logged_once_and_a_sweep_as_a_run_with_its_children(
    logged: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    project, done = logged
    said = json.loads(done.stderr.splitlines()[-1])
    assert said["codes"] == [0, 0, 5, 0]
    assert "MLflow experiment 'boards': logged as run " in done.stdout
    assert done.stdout.count("this build is logged already") == 1
    assert "with 4 of 4 children" in done.stdout
    assert "every child of this sweep is logged already" in done.stdout
    names = "select name, status from runs join experiments using (experiment_id) where experiments.name = 'boards'"
    found = rows(project, names.replace("select name", "select runs.name"))
    assert len(found) == 1 + 1 + 4
    assert sorted(status for _, status in found) == ["FAILED"] * 2 + ["FINISHED"] * 4
    nested = rows(project, "select distinct value from tags where key = 'mlflow.parentRunId'")
    assert len(nested) == 1


def test_parameters_metrics_and_files_are_there(logged: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    project, _ = logged
    (run,) = rows(
        project, "select run_uuid from tags where key = 'mlflow.runName' and value like 'tiny 1.0.0 %' limit 1"
    )[0]
    parameters = dict(rows(project, f"select key, value from params where run_uuid = '{run}'"))
    assert parameters["converter.engine"] == "ai_edge_quantizer"
    metrics = dict(rows(project, f"select key, value from latest_metrics where run_uuid = '{run}'"))
    assert metrics["parity.scores.sqnr_db"] > 20
    files = {path.name for path in project.glob(f"mlruns/*/{run}/artifacts/*")}
    assert files == {"model.tflite", "report.html", "results.json", "manifest.json", "recipe.yaml"}


def test_nothing_asks_the_network_and_tensorflow_stays_out(
    logged: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    said = json.loads(logged[1].stderr.splitlines()[-1])
    assert said["asked"] == []
    assert said["tensorflow"] is False


def test_a_store_that_fails_loses_no_output(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    standing = Standing(built(tmp_path_factory), tmp_path / "project")
    done = standing.run("recipe=tiny", "--mlflow", MLFLOW_TRACKING_URI="file:///dev/null/store")
    assert done.code == 7
    assert "error RK701: --mlflow: MLflow failed: " in done.err
    assert " is published all the same" in done.err
    assert "accepted in " in done.out
    assert standing.run("recipe=tiny").out.splitlines()[-1].startswith("already built, accepted")


def test_a_run_without_mlflow_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(EnvironmentFault, match="needs the package mlflow") as caught:
        Tracker()
    assert caught.value.fix == "pip install 'recipekit[mlflow]'"
