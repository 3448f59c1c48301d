"""Ray nodes that share nothing with the driver but a bucket: outputs get there, and the driver has all it needs."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from recipekit.outputs.lookup import find_folder
from tests.launching.faulty_children import doing, write_children
from tests.launching.ray_cluster import ROOT, RayCluster, until
from tests.launching.test_ray import COMMAND, rows
from tests.object_storage import Bucket

pytestmark = pytest.mark.slow


def test_a_node_with_folders_of_its_own_builds_what_the_driver_finds_in_the_shared_outputs(
    ray_head: RayCluster, bucket: Bucket, tmp_path: Path
) -> None:
    project, node = tmp_path / "project", tmp_path / "node"
    marks = write_children(project)
    settings = f'[tool.recipekit]\nshared_outputs = "{bucket.url}/outputs"\nshared_store = "{bucket.url}/store"\n'
    (project / "pyproject.toml").write_text(settings)
    given = ",".join(f"{name}:'{value}'" for name, value in bucket.server.variables.items())
    sent = f"hydra.launcher.runtime_env={{working_dir:.,env_vars:{{{given}}}}}"
    own = {"RECIPEKIT_OUTPUTS": str(node / "outputs"), "RECIPEKIT_STORE": str(node / "store")}
    raylet = ray_head.join(own)
    try:
        sweep = subprocess.Popen(
            [*COMMAND, *ray_head.overrides, sent, doing("meet1", "meet2")],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), **ray_head.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until(lambda: len([*marks.glob("meet*")]) == 2 or sweep.poll() is not None, 200)
        (marks / "go").touch()
        said, _ = sweep.communicate(timeout=200)
    finally:
        os.kill(raylet, signal.SIGKILL)
    found = rows(project)
    assert [found[do]["verdict"] for do in ("meet1", "meet2")] == ["accepted", "accepted"], said
    keys = {found[do]["build_key"][:12] for do in ("meet1", "meet2")}
    (far,) = (path.name for path in (node / "outputs" / "tiny" / "1.0.0").iterdir())
    assert {path.name for path in (project / "outputs" / "tiny" / "1.0.0").iterdir()} == keys - {far}
    assert [*(node / "store").iterdir()], "its stages are kept in its own store"
    assert not (node / "outputs" / "sweeps").exists()
    (row,) = (row for row in found.values() if row["build_key"].startswith(far))
    assert row["output"] == f"../../tiny/1.0.0/{far}", "as if it were here"
    brought = find_folder(f"tiny/1.0.0/{far}", project)
    assert (brought / "manifest.json").read_bytes() == (
        node / "outputs" / "tiny" / "1.0.0" / far / "manifest.json"
    ).read_bytes()
    assert f"outputs/sweeps/{max((project / 'outputs' / 'sweeps').iterdir()).name}/summary.json" in bucket.names()
