"""Real Ray clusters on this machine: ports, folder and token of their own, ended by their process ids.

`ray stop` ends every Ray of a machine, so it isn't used here.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parents[2]

_RAY = """
from ray.scripts import scripts
scripts.get_ray_client_dependency_error = lambda: "it isn't wanted"
scripts.main()
"""
"""The command `ray` without the server of Ray's client, which no option leaves out.

Each of Ray's processes takes seconds of a processor to start, all of them at once, and a raylet waits a quarter of a
minute for its two agents: what nobody needs here doesn't start.
"""

_MARK = "RECIPEKIT_TEST_CLUSTER"
_ATTEMPTS = 3
"""A machine under load may be too slow for Ray, which gives its own processes some seconds to come up."""


class RayCluster(NamedTuple):
    """A head and the nodes that have joined it.

    Attributes:
        address: HOST:PORT of the head.
        folder: of its files.
        token: that it asks for.
    """

    address: str
    folder: Path
    token: str

    @property
    def variables(self) -> Mapping[str, str]:
        """What a driver needs in its environment."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.folder / "token")}

    @property
    def mark(self) -> Mapping[str, str]:
        """What tells its processes from all others, in their environment."""
        return {_MARK: str(self.folder)}

    @property
    def overrides(self) -> tuple[str, ...]:
        """What makes a sweep run here."""
        return "hydra/launcher=recipekit_ray", f"hydra.launcher.address={self.address}"

    def join(self, own: Mapping[str, str] | None = None) -> int:
        """Starts one more node, of one processor, with variables of its own; gives the process id of its raylet."""
        before = set(self.raylets())
        self._start(f"--address={self.address}", own=own or {})
        (raylet,) = set(self.raylets()) - before
        return raylet

    def raylets(self) -> list[int]:
        """Process ids of the raylets, one of each node."""
        return [process.pid for process in self.processes() if process.name() == "raylet"]

    def processes(self) -> list[psutil.Process]:
        """Every process of the cluster, those that its jobs have started included."""
        return [it for it in psutil.process_iter() if _has(it, str(self.folder))]

    def workers(self) -> list[int]:
        """Process ids of recipekit's workers on its nodes."""
        return [it.pid for it in self.processes() if "recipekit.worker" in _command(it)]

    def kill(self, spared: Collection[psutil.Process] = ()) -> None:
        """Ends every process but some."""
        while processes := [it for it in self.processes() if it not in spared]:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(processes, 5)

    def _start(self, *arguments: str, own: Mapping[str, str] | None = None) -> None:
        small = ("--num-cpus=1", "--object-store-memory=80000000")
        lean = ("--include-log-monitor=false", "--disable-usage-stats")
        command = [sys.executable, "-c", _RAY, "start", *small, *lean, *arguments]
        variables = {
            **os.environ,
            **self.variables,
            **self.mark,
            "PYTHONPATH": str(ROOT),
            "RAY_agent_register_timeout_ms": "100000",
            **(own or {}),
        }
        before, said = self.processes(), ""
        for _ in range(_ATTEMPTS):
            done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=200)
            if done.returncode == 0:
                return
            said = done.stdout + done.stderr
            self.kill(spared=before)
        raise AssertionError(said)


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """A head of one processor that asks for a token; ended with every node that has joined it."""
    folder = Path(tempfile.mkdtemp(prefix="rk", dir="/tmp"))  # pytest's own is too long for Ray's sockets
    cluster = RayCluster(f"127.0.0.1:{_free_port()}", folder, secrets.token_hex(32))
    (folder / "token").write_text(cluster.token)
    head = (f"--port={cluster.address.partition(':')[2]}", f"--temp-dir={folder}/r", "--include-dashboard=false")
    try:
        cluster._start("--head", *head, "--no-monitor")
        yield cluster
    finally:
        cluster.kill()
        shutil.rmtree(folder, ignore_errors=True)


def ray_files() -> list[Path]:
    """Files of Rays that commands have started for themselves."""
    return [*Path("/tmp").glob("recipekit-ray-*")]


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Waits until a condition holds, and leaves nine tenths of a processor at least."""
    deadline = time.monotonic() + seconds
    while True:
        asked = time.thread_time()
        if what():
            return
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(max(0.1, 9 * (time.thread_time() - asked)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
