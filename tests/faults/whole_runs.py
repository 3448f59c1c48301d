"""Whole runs in a process that has imported everything before, so that hundreds of them take a minute.

The stages run where the command line does, not in workers: what workers write is nobody's until the parent has moved
it. Each run is a forked process, which may be killed, or refused something, at its n-th change on the disk.

    python -m tests.faults.whole_runs kill|resume|refuse PROJECT FOLDER ARGUMENTS...

makes of FOLDER/<n> what a run of the project with these arguments leaves that is disturbed at its n-th change, the last
one not; FOLDER/<n>.then is what the next run makes of it, or the newest sweep resumed;
FOLDER/attempts.json says how both have ended.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock

import msgspec
import pytest

import recipekit.facilities
import recipekit.launching.here
from recipekit import fsio
from recipekit.cli import main
from recipekit.contracts import Record, Stage
from recipekit.pool import Pool, StageResult
from recipekit.pool.workers import _read_response
from recipekit.surroundings import Surroundings
from recipekit.worker.__main__ import answer
from tests.faults.refusing import Refuser, put_in_place
from tests.installation import remember
from tests.publish_until_killed import kill_before_change

_IMPORTED = ("survey", "load", "reference", "quantize", "measure")


class InlinePool(Pool):
    """Stages run here, one at a time; `working` says whether one does."""

    working = False
    _one = Lock()

    def warm(self, kind: str) -> None:
        """Nothing is started."""

    def run(self, stage: Stage, request: Record, folder: Path, tell: object = None) -> StageResult:
        """Runs one stage in this process."""
        path = folder / "request.json"
        with fsio.reported(folder):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.encode({"stage": stage.name, "request": request}))
        with self._one:
            InlinePool.working = True
            try:
                answer(path)
            finally:
                InlinePool.working = False
        return _read_response(stage, folder / "response.json")


def prepare() -> None:
    """Imports what stages need, and puts them into this process."""
    for module in ("ai_edge_litert.interpreter", "ai_edge_quantizer", "numpy"):
        importlib.import_module(module)
    for stage in _IMPORTED:
        importlib.import_module(f"recipekit.worker.stages.{stage}")
    vars(recipekit.facilities)["Pool"] = InlinePool
    vars(recipekit.launching.here)["Pool"] = InlinePool


def forked(root: Path, arguments: list[str], before: Callable[[], None] = lambda: None) -> int:
    """Runs the command in a fork of this process; its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        os.chdir(root)
        output = os.open(root / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.fsync = lambda fd: None  # what was written outlives a process anyway
        before()
        code = main(arguments)
        sys.stdout.flush()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Attempt(Record, frozen=True, kw_only=True):
    """A run that was disturbed, and the next one.

    Attributes:
        code: exit code of the run that was disturbed, negative for a signal.
        said: all that it printed.
        refused: kind and path of the call that was refused.
        error: number of the error that it was refused with.
        then: exit code of the next run.
    """

    code: int
    said: str
    then: int
    refused: str = ""
    error: int = 0


def kill_everywhere(
    project: Path, base: Path, arguments: list[str], then: Sequence[str] | None = None
) -> list[Attempt]:
    """Runs that are killed before their first, second, third ... change, until one isn't; the next run is another's."""
    attempts: list[Attempt] = []
    while not attempts or attempts[-1].code == -signal.SIGKILL:
        number = len(attempts) + 1
        root = Path(shutil.copytree(project, base / str(number), symlinks=True))
        attempts.append(_attempt(root, arguments, partial(kill_before_change, number, root / "outputs"), then))
    return attempts


def refuse_everywhere(project: Path, base: Path, arguments: list[str]) -> list[Attempt]:
    """Runs whose first, second, third ... call that writes is refused, until none is; the errors take turns."""
    attempts: list[Attempt] = []
    while not attempts or attempts[-1].refused:
        number = len(attempts) + 1
        root = Path(shutil.copytree(project, base / str(number), symlinks=True))
        note = base / f"{number}.refused"
        refuser = Refuser(root / "outputs", number, number)
        attempt = _attempt(root, arguments, partial(_refuse, refuser, note))
        refused, _, error = note.read_text().rpartition(" ") if note.exists() else ("", "", "0")
        attempts.append(msgspec.structs.replace(attempt, refused=refused, error=int(error)))
    return attempts


def _refuse(refuser: Refuser, note: Path) -> None:
    put_in_place(refuser, pytest.MonkeyPatch())
    call = refuser.call

    def noted(kind: str, path: object = None) -> None:
        if InlinePool.working:
            return
        before = refuser.refused
        try:
            call(kind, path)
        finally:
            if refuser.refused != before:
                descriptor = os.open(note, os.O_WRONLY | os.O_CREAT)
                os.write(descriptor, f"{refuser.refused} {refuser.code}".encode())
                os.close(descriptor)

    refuser.call = noted  # type: ignore[method-assign]


def resume_everywhere(project: Path, base: Path, arguments: list[str]) -> list[Attempt]:
    """Sweeps that are killed like that, and then resumed."""
    return kill_everywhere(project, base, arguments, ["run", "--resume", "latest"])


def _attempt(
    root: Path, arguments: list[str], disturb: Callable[[], None], resuming: Sequence[str] | None = None
) -> Attempt:
    code = forked(root, arguments, disturb)
    said = (root / "said.txt").read_text()
    then = Path(shutil.copytree(root, root.with_name(f"{root.name}.then"), symlinks=True))
    return Attempt(code=code, said=said, then=forked(then, list(resuming or arguments)))


def warmed(project: Path, base: Path, arguments: list[str]) -> None:
    """Runs once here, which imports and remembers what each fork would otherwise do by itself."""
    remember(Surroundings(project))
    os.chdir(shutil.copytree(project, base / "warm", symlinks=True))
    assert main(arguments) == 0


if __name__ == "__main__":
    how, start, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir()
    prepare()
    warmed(start, folder, sys.argv[4:])
    ways = {"kill": kill_everywhere, "resume": resume_everywhere, "refuse": refuse_everywhere}
    disturbed = ways[how](start, folder, sys.argv[4:])
    (folder / "attempts.json").write_bytes(msgspec.json.encode(disturbed))
