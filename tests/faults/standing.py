"""A project that has an accepted output already, and what must still be true of it after anything has gone wrong.

The model is a float `.tflite` and the engine the AI Edge Quantizer, so a whole run takes a second and no TensorFlow.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import hydra
import numpy as np
import pytest

from recipekit import locks
from tests.busyness import slowed
from tests.commands import Done, command
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


def older_hydra(version: str) -> str:
    """The code of a package `hydra` that stands in front of the installed one and is it, but for its version."""
    code = Path(hydra.__file__)
    return f"__path__ = [{str(code.parent)!r}]\nexec(open({str(code)!r}).read())\n__version__ = {version!r}\n"


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
    with locks.exclusive(root / "standing.lock"):
        if not (root / "standing").exists():
            build(root / "standing.part")
            (root / "standing.part").rename(root / "standing")
    return root / "standing"


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
        assert done.seconds < within * slowed()
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
