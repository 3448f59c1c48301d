"""Sweeps on real Ray clusters: whatever becomes of a child, its row says so, and nobody else's result suffers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from recipekit.errors import EnvironmentFault
from recipekit.launching.ray.head import check_head
from tests.faults.signalled import started
from tests.launching.faulty_children import doing, write_children
from tests.launching.ray_cluster import ROOT, RayCluster, ray_cluster, ray_files, until

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "recipekit.cli", "run", "-m", "recipe=tiny")


def sweep(
    project: Path, *overrides: str, variables: Mapping[str, str], seconds: float = 400
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *overrides],
        cwd=project,
        env={**_plain(), "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def _plain() -> dict[str, str]:
    """This process's variables without those of Ray."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}


def rows(project: Path) -> dict[str, dict[str, Any]]:
    """The rows of the newest sweep, by the value that tells its children apart."""
    summary = max((project / "outputs" / "sweeps").iterdir()) / "summary.json"
    found = json.loads(summary.read_text())
    return {row["overrides"][0].partition("=")[2]: row for row in found}


def test_a_node_and_a_process_that_are_lost_are_a_row_each_and_every_other_result_is_there(
    ray_head: RayCluster, tmp_path: Path
) -> None:
    marks = write_children(tmp_path / "project")
    second = ray_head.join()
    children = doing("meet1", "meet2", "raise", "kill", "work")
    running = subprocess.Popen(
        [*COMMAND, *ray_head.overrides, children],
        cwd=tmp_path / "project",
        env={**_plain(), "PYTHONPATH": str(ROOT), **ray_head.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: len([*marks.glob("meet*")]) == 2 or running.poll() is not None, 200)
    at = {int(mark.name.split()[2]): mark.name.split()[0] for mark in marks.glob("meet*")}
    assert at.keys() == set(ray_head.raylets()), "one child is on each node"
    os.kill(second, signal.SIGKILL)
    outcomes = tmp_path / "project" / "outputs" / "sweeps"
    until(lambda: [it for it in outcomes.glob("*/*/outcome.json") if b"RK425" in it.read_bytes()], 90)
    (marks / "go").touch()
    said, _ = running.communicate(timeout=400)
    found = rows(tmp_path / "project")
    lost = found.pop(at[second])
    assert lost["error"] == "RK425 the node was lost, and the child with it"
    (met,) = (row for do, row in found.items() if do.startswith("meet"))
    assert [met["verdict"], found["work"]["verdict"]] == ["accepted", "accepted"]
    assert found["raise"]["error"].startswith("RK321 ")
    killed = next(mark.name.split()[1] for mark in marks.glob("kill*"))
    said_of_it = (
        "RK425 its process was killed or has crashed",
        f"RK425 its process {killed} was killed or has crashed",
    )
    assert found["kill"]["error"] in said_of_it, "it may be gone before it has said which one it is"
    assert len([*marks.glob("kill*")]) == 1, "a child is never tried twice"
    assert running.returncode == 5, "the plugin's error is the worst"
    assert "(raylet)" not in said, "Ray's own reports stay in its files"
    until(lambda: not ray_head.workers(), 30)


@pytest.mark.parametrize(
    ("variables", "what", "fix"),
    [
        ({}, "it takes no one without its token", "export RAY_AUTH_MODE=token"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}, "it doesn't take the token", "RAY_AUTH_TOKEN_PATH"),
        ({"RAY_AUTH_MODE": "token"}, "RAY_AUTH_MODE=token asks for a token, and there is none", "RAY_AUTH_TOKEN"),
    ],
)
def test_a_token_that_is_missing_or_wrong_is_said_at_once(
    ray_head: RayCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    what: str,
    fix: str,
) -> None:
    for name, value in {"HOME": str(tmp_path), **variables}.items():
        monkeypatch.setenv(name, value)
    began = time.monotonic()
    with pytest.raises(EnvironmentFault) as told:
        check_head(ray_head.address)
    assert time.monotonic() - began < 5, "Ray itself takes 20 s"
    assert told.value.what.startswith(what)
    assert fix in told.value.fix
    assert "0" * 64 not in str(told.value)


def test_a_cluster_takes_its_own_token(ray_head: RayCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ray_head.variables.items():
        monkeypatch.setenv(name, value)
    check_head(ray_head.address)


def test_a_signal_ends_every_child_and_leaves_the_cluster(
    ray_head: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = write_children(tmp_path / "project")
    for name, value in ray_head.variables.items():
        monkeypatch.setenv(name, value)
    with started(tmp_path / "project", "-m", "recipe=tiny", *ray_head.overrides, doing("hang", "work")) as process:
        until(lambda: [*marks.glob("hang*")] or process.poll() is not None, 200)
        process.send_signal(signal.SIGTERM)  # which Ray would answer itself
        _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    until(lambda: not ray_head.workers(), 30)
    job = int(next(marks.glob("hang*")).name.split()[1])
    until(lambda: not psutil.pid_exists(job), 30)
    assert ray_head.raylets()


def test_an_interrupted_ray_of_its_own_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = write_children(tmp_path / "project")
    own, before = RayCluster("", tmp_path / "mark", ""), set(ray_files())
    for name, value in {"HOME": str(tmp_path), **own.mark}.items():
        monkeypatch.setenv(name, value)
    with started(
        tmp_path / "project", "-m", "recipe=tiny", "hydra/launcher=recipekit_ray", doing("hang", "work")
    ) as it:
        until(lambda: [*marks.glob("hang*")] or it.poll() is not None, 200)
        it.send_signal(signal.SIGINT)
        _, said = it.communicate(timeout=60)
    assert it.returncode == 130, said
    until(lambda: not own.processes(), 30)
    assert set(ray_files()) <= before
    assert not (tmp_path / ".ray").exists()


_IMPATIENT = """
import sys
from recipekit.cli import main
from recipekit.launching.ray import cluster
cluster._GONE_SECONDS = 3.0
sys.exit(main())
"""
"""The command; a head that is silent for three seconds is lost, not for fifteen."""


def test_a_head_that_is_lost_is_a_row_for_each_child_under_way_and_the_end_of_the_sweep(tmp_path: Path) -> None:
    marks = write_children(tmp_path / "project")
    with ray_cluster() as cluster:
        running = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _IMPATIENT,
                *COMMAND[3:],
                *cluster.overrides,
                doing("work", "hang", "next", "later"),
            ],
            cwd=tmp_path / "project",
            env={**_plain(), "PYTHONPATH": str(ROOT), **cluster.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until(lambda: [*marks.glob("hang*")] or running.poll() is not None, 200)
        (head,) = (process for process in cluster.processes() if process.name() == "gcs_server")
        head.kill()
        said, _ = running.communicate(timeout=100)
    assert running.returncode == 7, said
    assert "its head doesn't answer any more" in said
    assert "Traceback" not in said
    found = rows(tmp_path / "project")
    assert found.pop("work")["verdict"] == "accepted"
    lost = {do: row["error"] for do, row in found.items()}
    assert lost == dict.fromkeys(("hang", "next"), "RK425 the cluster's head was lost, and the child with it")


def test_a_runtime_environment_that_cannot_be_made_is_a_row_with_the_reason(
    ray_head: RayCluster, tmp_path: Path
) -> None:
    write_children(tmp_path / "project")
    archive = f"hydra.launcher.runtime_env.working_dir=file://{tmp_path}/nothing.zip"
    done = sweep(tmp_path / "project", *ray_head.overrides, archive, doing("work"), variables=ray_head.variables)
    (row,) = rows(tmp_path / "project").values()
    assert done.returncode == 7, done.stdout + done.stderr
    missing = f"FileNotFoundError: [Errno 2] No such file or directory: '{tmp_path}/nothing.zip'"
    assert row["error"] == f"RK701 its runtime environment can't be made: {missing}"
