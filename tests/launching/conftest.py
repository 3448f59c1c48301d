"""A project whose children do to themselves what they are told, and a SLURM made of one file."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.commands import Done, Running, command
from tests.faults.signalled import started
from tests.faults.standing import RECIPE, built
from tests.launching import slurm_stub
from tests.launching.ray_cluster import RayCluster, ray_cluster

DATASET = """
import os, signal, time
from pathlib import Path
import numpy as np

HERE = Path(__file__).parent
POINTS = np.random.default_rng(3).normal(size=(24, 64)).astype(np.float32)

def is_the_first(do):
    first = not (HERE / do).exists()
    (HERE / do).touch()
    return first

def samples(do=""):
    if do == "raise":
        raise ValueError("the camera is unplugged")
    if do == "worker":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "hang" or (do == "stumble" and is_the_first(do)):
        if "STUB_SLURM_SPENT" in os.environ:
            Path(os.environ["STUB_SLURM_SPENT"]).touch()
        time.sleep(600)
    if do == "job" or (do == "once" and is_the_first(do)):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    if do == "stay":
        (HERE / do).touch()
        time.sleep(600)
    return list(POINTS)
"""
"""Samples that raise, kill their worker, take all the time that they may, kill the process that has started the worker,
or stay."""

DO = "evaluation.dataset.kwargs.do"


class Site:
    """A project, and the commands that are run in it with some variables set; it knows its processes by their mark."""

    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        self.root = root
        self.mark = uuid4().hex
        self.variables = {**variables, "RK_TEST_SITE": self.mark}

    def run(self, *arguments: str) -> Done:
        return command(self.root, ["run", *arguments], self.variables)

    def sweep(self, *arguments: str) -> AbstractContextManager[Running]:
        """`recipekit run -m recipe=cloud` as a process of its own, ended with the block."""
        return started(self.root, "-m", "recipe=cloud", *arguments, variables=self.variables)

    def processes(self, seconds: float = 10) -> list[psutil.Process]:
        """Processes that still run of those that the commands have started, after so many seconds of grace."""
        deadline = time.monotonic() + seconds
        while (found := [*self._alive()]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _alive(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # it has ended meanwhile, or is another user's
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("RK_TEST_SITE") == self.mark:
                    yield process


def site(factory: pytest.TempPathFactory, variables: Mapping[str, str], settings: str = "") -> Site:
    """A copy of the standing project with a recipe `cloud`, nothing built of it yet."""
    root = Path(shutil.copytree(built(factory), factory.mktemp("site") / "project", symlinks=True))
    cloud = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: python, factory: 'cloud.py:samples'")
    (root / "cloud.py").write_text(DATASET)
    (root / "recipes" / "cloud.yaml").write_text(cloud.replace("name: tiny", "name: cloud"))
    (root / "pyproject.toml").write_text(f"[tool.recipekit]\n{settings}\n")
    return Site(root, variables)


@pytest.fixture(scope="package")
def ray_head() -> Iterator[RayCluster]:
    """A head that all tests of this folder share, which therefore run in one process (tests/conftest.py)."""
    with ray_cluster() as started:
        yield started


@pytest.fixture(scope="package")
def ray_variables(ray_head: RayCluster) -> Mapping[str, str]:
    """What a command needs in its environment so that `hydra/launcher=recipekit_ray` means that head."""
    return {**ray_head.variables, "RAY_ADDRESS": ray_head.address}


@pytest.fixture(scope="session")
def no_engine() -> dict[str, str]:
    """Variables for launchers that need nothing around them."""
    return {}


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables that put a SLURM on the PATH."""
    programs = slurm_stub.install(tmp_path_factory.mktemp("slurm"))
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
