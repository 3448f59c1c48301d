"""Jobs of submitit: how children share them, what a lost one says, and what is left when the driver ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipekit.compose.composition import compose
from recipekit.errors import EnvironmentFault, UsageError
from recipekit.launching import Task, open_launcher
from recipekit.launching.jobs import Job
from recipekit.launching.submitit import _carry_out
from recipekit.launching.traces import Traces
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings, read_job
from recipekit.project import find_project
from tests.launching.conftest import DO, Site, site

ROOT = Path(__file__).resolve().parents[2]

BY = "hydra/launcher=recipekit_submitit"
LOCAL = (BY, "hydra.launcher.cluster=local")


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, slurm: dict[str, str]) -> Site:
    """A project on a login node of a SLURM cluster."""
    return site(tmp_path_factory, slurm)


@pytest.fixture
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A project on a machine without SLURM."""
    return site(tmp_path_factory, {})


def rows(place: Site) -> list[dict[str, Any]]:
    (summary,) = place.root.glob("outputs/sweeps/*/summary.json")
    found: list[dict[str, Any]] = json.loads(summary.read_text())
    return found


def wait_for(place: Site, pattern: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not list(place.root.glob(pattern)):
        assert time.monotonic() < deadline, f"nothing is called {pattern}"
        time.sleep(0.05)


# --- jobs of several children ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_job_of_several_children_loses_the_one_that_kills_it_and_the_others_go_into_another(cluster: Site) -> None:
    cluster.variables["STUB_SLURM_KILLED"] = "NODE_FAIL"
    shared = ("hydra.launcher.children_per_job=3", "hydra.launcher.slurm_array_parallelism=2")
    done = cluster.run("-m", "recipe=cloud", f"{DO}=a,job,c,d,e,f,g", BY, *shared)
    assert done.code == 4, done.out + done.err
    assert [row["verdict"] for row in rows(cluster)] == ["accepted", "failed", *["accepted"] * 5]
    assert rows(cluster)[1]["error"].startswith("RK425 its node failed; SLURM says NODE_FAIL")
    (folder,) = (cluster.root / "outputs" / ".submitit").iterdir()
    assert {path.name.rpartition("_0_log")[2] for path in folder.iterdir()} == {".err", ".out"}, "logs of the lost job"
    assert len(list(folder.iterdir())) == 2
    assert cluster.processes() == []


@pytest.mark.slow
def test_a_child_that_had_only_a_part_of_its_job_s_time_gets_a_job_of_its_own(cluster: Site) -> None:
    limit = "hydra.launcher.timeout_min=10"  # what submitit takes for a time out whenever its signal comes
    done = cluster.run("-m", "recipe=cloud", f"{DO}=a,stumble,c", BY, "hydra.launcher.children_per_job=3", limit)
    assert done.code == 0, done.out + done.err
    assert [row["verdict"] for row in rows(cluster)] == ["accepted"] * 3


# --- what SLURM says ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_job_that_slurm_queues_again_is_waited_for(cluster: Site) -> None:
    cluster.variables["STUB_SLURM_KILLED"] = "REQUEUE"
    done = cluster.run("-m", "recipe=cloud", f"{DO}=once", BY)
    assert done.code == 0, done.out + done.err
    assert [row["verdict"] for row in rows(cluster)] == ["accepted"]


@pytest.mark.slow
def test_jobs_that_slurm_refuses_at_once_end_the_sweep_with_its_words(cluster: Site) -> None:
    cluster.variables["STUB_SLURM_REFUSES"] = "invalid partition specified: gpu"
    done = cluster.run("-m", "recipe=cloud", f"{DO}=a,b", BY)
    assert done.code == 7
    assert (
        "error RK701: hydra.launcher: SLURM takes no jobs: sbatch: error: invalid partition specified: gpu" in done.err
    )
    assert "fix: set slurm_partition" in done.err
    assert not list(cluster.root.glob("outputs/.submitit"))


@pytest.mark.slow
def test_jobs_beyond_a_quota_wait_until_others_have_ended(cluster: Site) -> None:
    cluster.variables["STUB_SLURM_QUOTA"] = "1"
    done = cluster.run("-m", "recipe=cloud", f"{DO}=a,b", BY, "hydra.launcher.slurm_array_parallelism=1")
    assert done.code == 0, done.out + done.err
    assert [row["verdict"] for row in rows(cluster)] == ["accepted", "accepted"]


# --- nodes ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_node_that_cannot_import_recipekit_is_a_failed_row_with_the_way_out(cluster: Site) -> None:
    (cluster.root / "bare" / "recipekit").mkdir(parents=True)
    (cluster.root / "bare" / "recipekit" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'recipekit'\")\n"
    )
    setup = f"hydra.launcher.slurm_setup=['export PYTHONPATH={cluster.root}/bare']"
    done = cluster.run("-m", "recipe=cloud", f"{DO}=a", BY, setup)
    assert done.code == 7, done.out + done.err
    (row,) = rows(cluster)
    assert row["error"] == "RK701 a job can't import what it needs: ModuleNotFoundError: No module named 'recipekit'"


@pytest.mark.slow
def test_a_node_without_python_says_so_in_the_row(cluster: Site) -> None:
    setup = "hydra.launcher.slurm_setup=['echo no such interpreter >&2; exit 127']"
    done = cluster.run("-m", "recipe=cloud", f"{DO}=a", BY, setup)
    assert done.code == 4
    (row,) = rows(cluster)
    assert row["error"].startswith(
        "RK425 its process was killed, or ended without a result; SLURM says FAILED: no such"
    )


def test_a_node_without_the_project_says_so_in_the_row(laptop: Site, tmp_path: Path) -> None:
    job = read_job(compose(find_project(laptop.root), ["recipe=cloud"]))
    away = msgspec.structs.replace(job.project, root=Path("/not/on/this/node"))
    _carry_out(Traces(tmp_path), (Task(3, job._replace(project=away), Settings()),))
    (outcome,) = Traces(tmp_path).arrivals({3})
    assert isinstance(outcome, Outcome)
    assert outcome.failure is not None
    assert (outcome.number, outcome.exit_code, outcome.failure.where) == (3, 7, "/not/on/this/node")
    assert "has no project there" in outcome.failure.what
    assert "every node mounts" in outcome.failure.fix


# --- the end of the driver ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("where", ["local", "SLURM"])
def test_an_interrupted_sweep_keeps_what_has_ended_and_cancels_its_jobs(
    where: str, request: pytest.FixtureRequest
) -> None:
    place: Site = request.getfixturevalue("laptop" if where == "local" else "cluster")
    with place.sweep(f"{DO}=a,stay,stay", *(LOCAL if where == "local" else (BY,))) as process:
        wait_for(place, "outputs/sweeps/*/0/outcome.json")
        wait_for(place, "stay")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert "1 of 3 children have ended" in err
    assert [row["verdict"] for row in rows(place)] == ["accepted"]
    assert place.processes() == []
    assert not list(place.root.glob("outputs/.submitit/*/*"))
    if where == "SLURM":
        states = [
            path.read_text() for path in Path(place.variables["PATH"].partition(":")[0]).parent.glob("jobs/*.state")
        ]
        assert sum(state.startswith("CANCELLED") for state in states) >= 2  # the first one may still be about to end
        assert not {"PENDING", "RUNNING"} & set(states)


@pytest.mark.slow
def test_an_interruption_while_a_job_is_forgotten_leaves_none_of_its_files(
    laptop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = find_project(laptop.root)
    task = Task(0, read_job(compose(project, ["recipe=cloud"])), Settings())

    def interrupted(_job: Job, *, keep_logs: bool) -> None:
        assert not keep_logs
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "forget", interrupted)
    ended: list[Outcome] = []
    opened_launcher = open_launcher("recipekit.launching.submitit.Submitit", {"cluster": "local"}, project)
    with pytest.raises(KeyboardInterrupt), opened_launcher as launcher:
        launcher.launch(iter([task]), ended.append)
    assert [outcome.number for outcome in ended] == [0]
    assert not list(laptop.root.glob("outputs/.submitit/*/*"))


@pytest.mark.slow
def test_jobs_go_on_and_publish_when_only_their_driver_dies(laptop: Site) -> None:
    with laptop.sweep(f"{DO}=a", *LOCAL) as process:
        wait_for(laptop, "outputs/.submitit/*/children/0.begun")
        process.kill()
        process.communicate(timeout=30)
    wait_for(laptop, "outputs/cloud/1.0.0/*/manifest.json")
    assert laptop.processes() == []
    again = laptop.run("-m", "recipe=cloud", f"{DO}=a", *LOCAL)
    assert again.code == 0
    assert "(already built)" in again.out


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cluster": "frog"}, "there is no cluster 'frog'"),
        ({"children_per_job": 0}, "children_per_job must be 1, 2, 3 ..., got 0"),
        ({"timeout_min": 0.5}, "timeout_min must be 1, 2, 3 ..., got 0.5"),
        ({"local_parallelism": "all"}, "local_parallelism must be 1, 2, 3 ..., got 'all'"),
        ({"nodes": 2}, "a child is one task on one node, so there is no 'nodes'"),
        ({"slurm_frob": 1}, "Unknown argument 'frob' for executor 'slurm'"),
        ({"mem_gb": "many"}, 'Parameter "mem_gb" expected type'),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_before_anything_starts(
    settings: dict[str, Any], said: str, laptop: Site
) -> None:
    known = {"cluster": "local", **settings}
    with pytest.raises(UsageError) as refused, opened(laptop, known):
        pass
    assert said in refused.value.what
    assert not list(laptop.root.glob("outputs/.submitit"))


def test_slurm_that_is_asked_for_and_is_not_there_is_a_fault_of_the_environment(laptop: Site) -> None:
    with pytest.raises(EnvironmentFault, match="there is no SLURM here"), opened(laptop, {"cluster": "slurm"}):
        pass


@contextmanager
def opened(place: Site, settings: dict[str, Any]) -> Iterator[None]:
    with open_launcher("recipekit.launching.submitit.Submitit", settings, find_project(place.root)):
        yield


@pytest.mark.slow
def test_without_submitit_the_extra_is_named(laptop: Site) -> None:
    (laptop.root / "stubs").mkdir()
    (laptop.root / "stubs" / "submitit.py").write_text("raise ModuleNotFoundError(\"No module named 'submitit'\")\n")
    laptop.variables["PYTHONPATH"] = f"{laptop.root / 'stubs'}{os.pathsep}{ROOT}"
    command = [sys.executable, "-m", "recipekit.cli", "run", "-m", "recipe=cloud", f"{DO}=a", *LOCAL]
    variables = {**os.environ, **laptop.variables}
    done = subprocess.run(command, cwd=laptop.root, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert "error RK701: hydra/launcher: hydra/launcher=recipekit_submitit needs the package submitit" in done.stderr
    assert "pip install 'recipekit[submitit]'" in done.stderr
