"""The parent's side of the warm workers: start them, ask them, and outlive them.

A worker that aborts, hangs or outgrows its memory limit costs one stage: the caller gets a typed error with the
worker's last words, and the next request meets a fresh worker. This module knows processes, not models.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import NamedTuple, TypeVar

import msgspec
import psutil

from recipekit.contracts import Record, Stage
from recipekit.errors import InternalError, RecipekitError, StageDied, StageMemory, StageTimeout, by_id
from recipekit.project import Project

_POLL_SECONDS = 0.1
_LAST_WORDS = 12


class Limits(NamedTuple):
    """What one stage may take: seconds of wall-clock time and MiB of resident memory."""

    seconds: float = 3600.0
    memory_mib: float = psutil.virtual_memory().total * 0.9 / 2**20

    @classmethod
    def of(cls, project: Project) -> Limits:
        """The limits that a project sets, the built-in ones where it sets none."""
        built_in = cls()
        return cls(project.stage_timeout or built_in.seconds, project.memory_limit_mib or built_in.memory_mib)


class StageResult(NamedTuple):
    """A stage's record and the seconds it took."""

    record: Record
    seconds: float


class Worker:
    """One child process that answers stage requests, one at a time."""

    def __init__(self, kind: str) -> None:
        """Starts the process; it imports what its kind needs while the caller goes on."""
        ours, theirs = socketpair()
        lifeline, self._lifeline = os.pipe()
        descriptors = (theirs.fileno(), lifeline)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recipekit.worker", "--serve", kind, *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=worker_environment(),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then ends its workers
        )
        theirs.close()
        os.close(lifeline)
        self._connection = Connection(ours.detach())

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, stage: Stage, path: Path, limits: Limits) -> None:
        """Sends one request file and waits until its response file is there.

        Raises:
            StageDied: the process ended before it answered.
            StageTimeout: the stage took longer than its limit.
            StageMemory: the process used more memory than its limit.
        """
        deadline = time.monotonic() + limits.seconds
        try:
            self._connection.send_bytes(str(path).encode())
            while not self._connection.poll(_POLL_SECONDS):
                if time.monotonic() > deadline:
                    self._fail(StageTimeout, f"the stage '{stage.name}' took longer than {limits.seconds:g} s", path)
                used = self._resident_mib()
                if used > limits.memory_mib:
                    what = f"the stage '{stage.name}' used {used:.0f} MiB of the {limits.memory_mib:.0f} MiB allowed"
                    self._fail(StageMemory, what, path)
            self._connection.recv_bytes()
        except (EOFError, OSError):
            self._process.wait()
            what = f"the worker process {_ending(self._process.returncode)} in the stage '{stage.name}'"
            self._fail(StageDied, what, path)

    def close(self) -> None:
        """Ends the process and waits for it."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._connection.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _fail(self, error: type[RecipekitError], what: str, path: Path) -> None:
        self.close()
        words = _last_words(path.with_name("log.txt"))
        command = shlex.join([sys.executable, "-m", "recipekit.worker", str(path)])
        raise error(f"{what}{words}", where=str(path.parent), fix=f"try that stage alone: {command}")

    def _resident_mib(self) -> float:
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 2**20
        except psutil.NoSuchProcess:
            return 0.0


ResultRecord = TypeVar("ResultRecord", bound=Record)


class Pool:
    """One warm worker of each kind, started when first needed and replaced when it dies."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._workers: dict[str, Worker] = {}
        self._locks: dict[str, threading.Lock] = {"tensorflow": threading.Lock(), "litert": threading.Lock()}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self, kind: str) -> None:
        """Starts the worker of a kind, so that it imports while the caller does something else."""
        with self._locks[kind]:
            self._ready(kind)

    def run(self, stage: Stage, request: Record, folder: Path) -> StageResult:
        """Runs one stage in its worker.

        Args:
            stage: which one.
            request: its request record.
            folder: a folder of its own; it gets `request.json`, `response.json`, `log.txt` and `artifacts/`.

        Returns:
            The stage's record, and how long it took.

        Raises:
            RecipekitError: what the stage raised, with its own class.
            StageDied, StageTimeout, StageMemory: the worker ended without an answer.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "request.json"
        path.write_bytes(msgspec.json.encode({"stage": stage.name, "request": request}))
        with self._locks[stage.worker]:
            self._ready(stage.worker).ask(stage, path, self._limits)
        return _read_response(stage, folder / "response.json")

    def pid(self, kind: str) -> int | None:
        """Process id of the worker of a kind, None while it isn't running."""
        worker = self._workers.get(kind)
        return worker.pid if worker is not None and worker.alive else None

    def close(self) -> None:
        """Ends every worker."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def _ready(self, kind: str) -> Worker:
        worker = self._workers.get(kind)
        if worker is None or not worker.alive:
            if worker is not None:
                worker.close()
            worker = self._workers[kind] = Worker(kind)
        return worker


def _read_response(stage: Stage, path: Path) -> StageResult:
    response = msgspec.json.decode(path.read_bytes())
    if "error" in response:
        error = response["error"]
        kind = by_id().get(error["id"], InternalError)
        log = path.with_name("log.txt") if kind.exit_code == stage.failure.exit_code == 4 else None
        raise kind(error["what"], where=error["where"], fix=error["fix"], log=str(log or ""))
    return StageResult(msgspec.convert(response["record"], stage.record), response["seconds"])


def worker_environment() -> dict[str, str]:
    """The workers' environment: determinism unless the user says otherwise, and a stack on crashes."""
    return {"PYTHONHASHSEED": "0", "TF_DETERMINISTIC_OPS": "1", **os.environ, "PYTHONFAULTHANDLER": "1"}


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"exited with status {returncode}"


def _last_words(log: Path) -> str:
    """The end of a stage's log, indented below a heading; of a crash, what came before it and its innermost frames."""
    if not log.is_file():
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    crash = next((at for at, line in enumerate(lines) if line.startswith("Fatal Python error")), len(lines))
    start = max(0, crash - _LAST_WORDS // 2 if crash < len(lines) else crash - _LAST_WORDS)
    words = [f"\n    {line[:200]}" for line in lines[start : start + _LAST_WORDS]]
    return "".join(["\n  its last words:", *words]) if words else ""
