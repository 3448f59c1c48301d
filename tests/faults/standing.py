"""A project that has an accepted output already, and what must still be true of it after anything has gone wrong.

The model is a float `.tflite` and the engine the AI Edge Quantizer, so a whole run takes a second and no TensorFlow.
Commands run as processes of their own, forked from a server that has imported the command line once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from filelock import FileLock

from recipekit.cli import main
from tests.models.built_flatbuffers import classifier

RECIPE = """\
# @package _global_
defaults:
  - /converter: ai_edge_dynamic_range
  - _self_
name: tiny
version: "1.0.0"
source: {kind: tflite, path: models/m.tflite}
evaluation: {dataset: {plugin: npz, path: data/samples.npz}, benchmark: null}
acceptance: {parity: {sqnr_db: {min: 20}}}
"""

OLDER = "version='0.9.0'"
"""The override by which the accepted older version was made."""

_PRELOADED = [
    "recipekit.cli.run_sweep",
    "recipekit.cli.run",
    "recipekit.cli.validate",
    "recipekit.cli.cache",
    "tests.faults.standing",
]


class Done(NamedTuple):
    """A command that has ended.

    Attributes:
        code: its exit code, negative for a signal.
        out: what it printed.
        err: what it printed as an error.
        seconds: how long it took.
        peak_mib: how much memory it had at most; the server that it was forked from has had 90.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak_mib: float


def build(folder: Path) -> None:
    """Writes the project and builds its older version."""
    for name in ("recipes", "models", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "recipes" / "tiny.yaml").write_text(RECIPE)
    (folder / "models" / "m.tflite").write_bytes(classifier())
    points = np.random.default_rng(3).normal(size=(24, 64)).astype(np.float32)
    np.savez(folder / "data" / "samples.npz", x=points, labels=np.arange(24) % 8)
    done = command(folder, ["run", "recipe=tiny", OLDER])
    assert done.code == 0, done.out + done.err


def built(factory: pytest.TempPathFactory) -> Path:
    """The project as built once for all test processes; to be copied, never written into."""
    root = factory.getbasetemp()
    root = root.parent if root.name.startswith("popen-") else root
    with FileLock(root / "standing.lock"):
        if not (root / "standing").exists():
            build(root / "standing.part")
            (root / "standing.part").rename(root / "standing")
    return root / "standing"


def command(folder: Path, arguments: Sequence[str], env: Mapping[str, str] | None = None, seconds: float = 300) -> Done:
    """Runs `recipekit` in a folder as a process of its own, with some variables set besides those of this one."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_PRELOADED)
    prints = folder.with_name(f"{folder.name}.out"), folder.with_name(f"{folder.name}.err")
    peak = server.Value("d", 0.0)
    process = server.Process(target=_run, args=(folder, list(arguments), {**os.environ, **(env or {})}, *prints, peak))
    started = time.monotonic()
    process.start()
    process.join(seconds)
    took = time.monotonic() - started
    if process.exitcode is None:
        process.kill()
        process.join()
        pytest.fail(f"{' '.join(arguments)} has not ended after {seconds} seconds")
    out, err = (path.read_text() for path in prints)
    return Done(process.exitcode, out, err, took, peak.value)


def _run(folder: Path, arguments: list[str], env: dict[str, str], out: Path, err: Path, peak: Any) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for descriptor, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    sys.argv = ["recipekit", *arguments]
    code = main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    peak.value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    os._exit(code)


def picture(root: Path) -> dict[str, bytes]:
    """Every visible file and link below a project's outputs, by name, with its bytes or where it leads."""
    outputs = root / "outputs"
    found = {}
    for path in outputs.rglob("*"):
        name = path.relative_to(outputs)
        if not name.parts[0].startswith(".") and (path.is_symlink() or path.is_file()):
            found[name.as_posix()] = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
    return found


def forget(root: Path, stage: str) -> None:
    """Takes what a stage has given out of a project's store, so that the next run makes it again."""
    for entry in (root / "outputs" / ".store").glob("*/*/entry.json"):
        if json.loads(entry.read_text())["document"]["stage"] == stage:
            shutil.rmtree(entry.parent)


def left_in_staging(root: Path) -> list[str]:
    """What dead or living builds have in the staging area."""
    home = root / "outputs" / ".staging"
    return sorted(path.name for path in home.iterdir() if path.name != "root.lock") if home.is_dir() else []


class Standing:
    """A copy of the project, with the picture of its outputs before anything goes wrong."""

    def __init__(self, pristine: Path, root: Path) -> None:
        self._pristine = pristine
        self.root = Path(shutil.copytree(pristine, root, symlinks=True))
        self.before = picture(self.root)
        self.codes: list[int] = []

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Writes files by their name relative to the project."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, *arguments: str, **env: str) -> Done:
        """Runs `recipekit run`."""
        return command(self.root, ["run", *arguments], env)

    def fails(
        self,
        *arguments: str,
        code: int,
        says: Sequence[str],
        within: float = 10,
        traceback: bool = False,
        **env: str,
    ) -> Done:
        """Runs what must fail, and looks whether everything else stands.

        Args:
            arguments: of `recipekit run`.
            code: the exit code.
            says: parts of what must be said on standard error, in any order.
            within: seconds, on a machine that has nothing else to do.
            traceback: whether one is asked for.
            env: environment variables.
        """
        done = self.run(*arguments, **env)
        assert done.code == code, done.out + done.err
        for part in says:
            assert part in done.err, f"{part!r} is not said in:\n{done.err}"
        assert done.seconds < within * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        self.stands(done, traceback=traceback)
        return done

    def stands(self, done: Done, new: Sequence[str] = (), *, traceback: bool = False) -> None:
        """Asserts the standing invariant after a command, which may have published what is below `new` alone."""
        self.codes.append(done.code)
        assert traceback or "Traceback" not in done.out + done.err, done.err
        hidden = (*new, "sweeps/")
        visible = {name: data for name, data in picture(self.root).items() if not name.startswith(hidden)}
        assert visible == {name: data for name, data in self.before.items() if not name.startswith(hidden)}
        assert left_in_staging(self.root) == []

    def recovers(self, *arguments: str) -> None:
        """Puts the project's own files back, and runs the recipe as if nothing had been."""
        for name in ("recipes", "models", "data"):
            shutil.rmtree(self.root / name)
            shutil.copytree(self._pristine / name, self.root / name)
        done = self.run("recipe=tiny", *arguments)
        assert done.code == 0, done.out + done.err
        latest = (self.root / "outputs" / "tiny" / "latest").resolve()
        assert latest.parent.name == "1.0.0"
        assert (latest / "model.tflite").is_file()
