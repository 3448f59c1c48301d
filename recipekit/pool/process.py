"""One worker process, as its parent sees it: started, asked, watched while it works, and ended.

It knows processes, not models, and nothing of other workers.
"""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from tempfile import TemporaryFile
from threading import Lock
from typing import NamedTuple

import msgspec
import psutil

from recipekit.contracts import Progress, Stage
from recipekit.errors import (
    EnvironmentFault,
    OutputFault,
    PluginError,
    RecipekitError,
    StageDied,
    StageMemory,
    StageProcesses,
    StageTimeout,
)
from recipekit.project import Project
from recipekit.secrecy import is_secret_variable, redacted

_POLL_SECONDS = 0.1
_POLLS_OF_FAMILY = 20
_LAST_WORDS = 12

Tell = Callable[[Progress], None]
"""Is told how far a stage has come, each time when that changes."""


class Limits(NamedTuple):
    """What one stage may take, and what its worker may know; a project sets each in `[tool.recipekit]`.

    The memory that counts is resident: TensorFlow reserves some three times the address space that it uses, and a
    refused allocation would end it without a word. Looking takes 0.04 ms, ten times a second; children are looked for
    every other second, which takes some 10 ms.

    Attributes:
        seconds: of wall-clock time; `stage_timeout`.
        memory_mib: MiB of resident memory, of the worker and of processes that it starts; `memory_limit_mib`.
        file_mib: MiB of the largest file that it writes; `file_limit_mib`. The system enforces it.
        processes: that it may have started and not ended, at any time; `process_limit`.
        secrets: names of environment variables that the workers get though they hold a secret by their name; `env`.
    """

    seconds: float = 3600.0
    memory_mib: float = psutil.virtual_memory().total * 0.9 / 2**20
    file_mib: float = 64 * 1024.0
    processes: int = max(64, 4 * (os.cpu_count() or 1))
    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: Project | None) -> Limits:
        """The limits that a project sets, the built-in ones where it sets none or there is no project."""
        built_in = cls()
        if project is None:
            return built_in
        return cls(
            project.stage_timeout or built_in.seconds,
            project.memory_limit_mib or built_in.memory_mib,
            project.file_limit_mib or built_in.file_mib,
            project.process_limit or built_in.processes,
            project.env,
        )


class Worker:
    """One child process that answers stage requests, one at a time."""

    def __init__(self, kind: str, variables: Mapping[str, str], file_mib: float) -> None:
        """Starts the process; it imports what its kind needs while the caller goes on.

        Args:
            kind: decides what it imports.
            variables: its environment.
            file_mib: MiB of the largest file that it may write.
        """
        ours, theirs = socketpair()
        lifeline, self._lifeline = os.pipe()
        descriptors = (theirs.fileno(), lifeline)
        self._words = TemporaryFile()  # noqa: SIM115  as long as the worker lives
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recipekit.worker", "--serve", kind, *map(str, descriptors), f"{file_mib:.0f}"],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._words,  # until the first stage has a log
            env=dict(variables),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then ends its workers
        )
        theirs.close()
        os.close(lifeline)
        self._connection = Connection(ours.detach())
        self._ready = False
        self._closing = Lock()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, stage: Stage, path: Path, limits: Limits, tell: Tell = lambda _: None) -> None:
        """Sends one request file and waits until its response file is there.

        Args:
            stage: which one.
            path: the request file.
            limits: of the stage.
            tell: is told how far the stage has come, each time when that changes.

        Raises:
            StageDied: a signal ended the process before it answered.
            PluginError: it ended by itself, which only code that it was made to run can do.
            EnvironmentFault: it couldn't import what its kind needs.
            OutputFault: it couldn't write its answer.
            StageTimeout: the stage took longer than its limit.
            StageMemory: the process and those that it started used more memory than its limit.
            StageProcesses: it started more processes than its limit.
        """
        deadline = time.monotonic() + limits.seconds
        told, polls = Progress(), itertools.count()
        try:
            self.wait_until_ready()
            self._connection.send_bytes(str(path).encode())
            while not self._connection.poll(_POLL_SECONDS):
                progress = _progress(path)
                if progress is not None and progress != told:
                    told = progress
                    tell(told)
                if time.monotonic() > deadline:
                    what = f"the stage '{stage.name}' took longer than {limits.seconds:g} s"
                    raise self._failure(StageTimeout, what, stage, path, "stage_timeout")
                family = self._family(with_children=next(polls) % _POLLS_OF_FAMILY == _POLLS_OF_FAMILY - 1)
                self._check(family, stage, path, limits)
            refused = self._connection.recv_bytes().decode()
        except (EOFError, OSError):
            self._process.wait()
            if self._process.returncode > 0 and not self._ready:
                raise self._without_its_imports() from None
            if self._process.returncode >= 0:
                what = f"code of a plugin or of the project has ended the worker process in the stage '{stage.name}'"
                what = f"{what}: it {_ending(self._process.returncode)}"
                raise self._failure(PluginError, what, stage, path) from None
            what = f"the worker process {_ending(self._process.returncode)} in the stage '{stage.name}'"
            raise self._failure(StageDied, what, stage, path) from None
        if refused:
            raise OutputFault(
                f"the worker can't write what the stage '{stage.name}' gave: {refused}",
                where=str(path.parent),
                fix="free space there, or choose another outputs folder",
            )

    def wait_until_ready(self) -> None:
        """Waits until the process has imported what its kind needs.

        Raises:
            EOFError, OSError: the process has ended.
        """
        if not self._ready:
            self._connection.recv_bytes()
            self._ready = True

    def close(self) -> None:
        """Ends the process with all that it started and waits; a thread that waits for its answer may do so, too."""
        with self._closing:
            if self._lifeline < 0:
                return
            far = self._family(with_children=True)[1:] if self.alive else []  # some may have sessions of their own
            with suppress(ProcessLookupError, PermissionError):  # macOS: a group of none but zombies
                os.killpg(self.pid, signal.SIGKILL)  # its session's group, which outlives it where a child does
            for child in far:
                with suppress(psutil.Error):  # most have ended with the group
                    child.kill()
            self._process.wait()
            self._connection.close()
            os.close(self._lifeline)
            self._words.close()
            self._lifeline = -1

    def _check(self, family: list[psutil.Process], stage: Stage, path: Path, limits: Limits) -> None:
        """Ends the process where it, or what it started, is beyond a limit."""
        if len(family) - 1 > limits.processes:
            what = f"the stage '{stage.name}' started {len(family) - 1} processes, {limits.processes} are allowed"
            raise self._failure(StageProcesses, what, stage, path, "process_limit")
        used = sum(map(_resident_mib, family))
        if used > limits.memory_mib:
            what = f"the stage '{stage.name}' used {used:.0f} MiB of the {limits.memory_mib:.0f} MiB allowed"
            raise self._failure(StageMemory, what, stage, path, "memory_limit_mib")

    def _family(self, *, with_children: bool) -> list[psutil.Process]:
        """The process and, if they are asked for, all that it started and that still run."""
        try:
            worker = psutil.Process(self.pid)
            return [worker, *(worker.children(recursive=True) if with_children else ())]
        except psutil.NoSuchProcess:
            return []

    def _failure(
        self, error: type[RecipekitError], what: str, stage: Stage, path: Path, setting: str = ""
    ) -> RecipekitError:
        """Ends the process; gives what happened, with the exit code of the stage's failures unless code is at fault."""
        self.close()
        words = _last_words(path.with_name("log.txt"))
        command = shlex.join([sys.executable, "-m", "recipekit.worker", str(path)])
        more = f"raise `{setting}` in [tool.recipekit] of pyproject.toml, or " if setting else ""
        failure = error(f"{what}{words}", where=str(path.parent), fix=f"{more}try that stage alone: {command}")
        if error is not PluginError:
            failure.exit_code = stage.failure.exit_code
        return failure

    def _without_its_imports(self) -> EnvironmentFault:
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), _ending(self._process.returncode))
        self.close()
        return EnvironmentFault(
            f"a worker process can't import what it needs: {redacted(last)}",
            where="environment",
            fix="pip install --force-reinstall the package that this names, or recipekit with its requirements",
        )


def _resident_mib(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def _progress(request: Path) -> Progress | None:
    """What a stage says of how far it has come; None where it says nothing."""
    try:
        return msgspec.json.decode(request.with_name("progress.json").read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):  # project code may write there, too
        return None


def worker_environment(secrets: Collection[str] = ()) -> dict[str, str]:
    """The workers' environment: determinism unless the user says otherwise, a stack on crashes, and no secrets.

    Args:
        secrets: names of variables that are passed on though they hold a secret by their name.
    """
    known = {name: value for name, value in os.environ.items() if name in secrets or not is_secret_variable(name)}
    return {"PYTHONHASHSEED": "0", "TF_DETERMINISTIC_OPS": "1", **known, "PYTHONFAULTHANDLER": "1"}


def withhold_secrets(log: Path) -> None:
    """Takes secrets out of what foreign code has printed: a log is kept, published, and quoted in errors."""
    try:
        text = log.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return
    clean = redacted(text)
    if clean != text:
        log.write_bytes(clean.encode(errors="surrogateescape"))


def _ending(returncode: int) -> str:
    if returncode == -signal.SIGPROF:
        return "went round in circles while it read a file, and was ended by SIGPROF"
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"exited with status {returncode}"


def _last_words(log: Path) -> str:
    """The end of a stage's log, indented below a heading; of a crash, what came before it and its innermost frames."""
    withhold_secrets(log)
    if not log.is_file():
        return ""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    crash = next((at for at, line in enumerate(lines) if line.startswith("Fatal Python error")), len(lines))
    start = max(0, crash - _LAST_WORDS // 2 if crash < len(lines) else crash - _LAST_WORDS)
    words = [f"\n    {line[:200]}" for line in lines[start : start + _LAST_WORDS]]
    return "".join(["\n  its last words:", *words]) if words else ""
