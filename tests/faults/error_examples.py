"""The examples on the error pages: for each id a project that is broken on purpose, and the command that says so.

Each is run as a user would run it; what it prints is what its page shows.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.built_models import built_once
from tests.commands import command
from tests.faults.standing import RECIPE, Standing, older_hydra
from tests.faults.test_runs import CALIBRATED, DATASET, PYTHON
from tests.untrusted.hostile import LAMBDA, with_layer
from tests.untrusted.test_limits import MISBEHAVIOUR

ROOT = Path(__file__).resolve().parents[2]

Edit = Callable[[Standing], None]


class Example(NamedTuple):
    """A command that fails with an error of one kind.

    Attributes:
        command: as the page shows it.
        files: what the project holds besides its sound files.
        edit: breaks something that isn't a new file.
        tiny: whether the project is the one around a small Keras classifier.
    """

    command: str
    files: Mapping[str, str | bytes] = {}
    edit: Edit | None = None
    tiny: bool = False


def _settings(line: str) -> dict[str, str]:
    return {"pyproject.toml": f"[tool.recipekit]\n{line}\n"}


def _output(project: Standing) -> Path:
    """The accepted output that the project has."""
    (manifest,) = project.root.glob("outputs/tiny/0.9.0/*/manifest.json")
    return manifest.parent


def _other_model(project: Standing) -> None:
    (project.root / "models" / "m.tflite").rename(project.root / "models" / "old.tflite")
    (project.root / "models" / "m.tflite").write_bytes(b"TFL3")


def _note_in_the_output(project: Standing) -> None:
    (_output(project) / "notes.txt").write_text("deployed on Monday\n")


def _emptied_output(project: Standing) -> None:
    output = _output(project)
    shutil.rmtree(output)
    output.mkdir()


def _lambda_layer(project: Standing) -> None:
    models = project.root / "models"
    with_layer(models / "tiny.keras", models / "scaled.keras", LAMBDA)


WRONG = """\
# @package _global_
defaults:
  - /converter: ai_edge_dynamic_range
  - _self_
name: wrong
version: 1.10
source: {kind: tflite, path: models/m.tflite}
evaluation: {dataset: {plugin: npz, path: data/samples.npz, sampels: 100}}
acceptance: {parity: {sqnr_bd: {min: 40}}}
"""

CAMERA = """\
from recipekit.registry import register

@register("datasets", "camera")
class Camera:
    def __init__(self, context, device="/dev/video0"):
        raise OSError(f"no camera at {device}")
"""

CURVED = """\
import keras
import tensorflow as tf

class Curve(keras.layers.Layer):
    def call(self, x):
        return tf.raw_ops.Betainc(a=tf.abs(x) + 1.0, b=tf.abs(x) + 1.0, x=tf.sigmoid(x))

def curved():
    x = keras.Input((4,), name="x")
    return keras.Model(x, Curve(name="curve")(x))
"""

CURVED_RECIPE = """\
# @package _global_
defaults:
  - /converter: none
  - _self_
name: curved
version: "1.0.0"
source: {kind: python, factory: "models.py:curved"}
evaluation: {dataset: {plugin: random, inputs: {x: [4]}, count: 4, allow_random: true}}
"""

INSISTING = """\
import sys

import recipekit

try:
    recipekit.run("tiny", overrides=["acceptance.parity.sqnr_db.min=200"]).require_accepted()
except recipekit.RecipekitError as error:
    sys.stderr.write(f"error {error.id}: {error}\\n")
    sys.exit(error.exit_code)
"""

OLD_HYDRA = {
    "stubs/hydra_core-1.3.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: hydra-core\nVersion: 1.3.2\n",
    "stubs/hydra/__init__.py": older_hydra("1.3.2"),
}

GREEDY = PYTHON.replace("cloud.py", "greedy.py")

EXAMPLES = {
    "RK100": Example("recipekit list", {"stubs/yaml/__init__.py": 'raise KeyError("shape")\n'}),
    "RK101": Example("recipekit run recipe=tinny"),
    "RK102": Example("recipekit list --recipes recepies"),
    "RK201": Example("recipekit run recipe=wrong", {"recipes/wrong.yaml": WRONG}),
    "RK202": Example("recipekit run recipe=wrong", {"recipes/wrong.yaml": RECIPE.replace("tflite}", "tflite")}),
    "RK203": Example("recipekit run recipe=tiny '+source._target_=os.system'"),
    "RK301": Example("recipekit run recipe=tiny source.path=models/n.tflite"),
    "RK302": Example(
        "recipekit run recipe=camera evaluation.dataset.kwargs.do=meddle",
        {"cloud.py": DATASET, "recipes/camera.yaml": PYTHON},
    ),
    "RK303": Example(
        "recipekit run recipe=tiny source.path=models/scaled.keras '~custom_layers'", edit=_lambda_layer, tiny=True
    ),
    "RK304": Example("recipekit run recipe=tiny '~custom_layers'", tiny=True),
    "RK305": Example("recipekit reproduce tiny/latest", edit=_other_model),
    "RK311": Example("recipekit run recipe=tiny evaluation.dataset.samples=100"),
    "RK321": Example(
        "recipekit run recipe=camera",
        {
            "plugins/camera.py": CAMERA,
            "recipes/camera.yaml": RECIPE.replace(
                "plugin: npz, path: data/samples.npz", "plugin: camera, modules: [plugins/camera.py]"
            ),
        },
    ),
    "RK401": Example("recipekit run recipe=tiny 'converter.rules=[{match: {op: SOFTMIN}, quantization: none}]'"),
    "RK402": Example("recipekit run recipe=curved", {"models.py": CURVED, "recipes/curved.yaml": CURVED_RECIPE}),
    "RK405": Example("recipekit run recipe=tiny 'optimize.prune={sparsity: 0.5, layers: dence.*}'", tiny=True),
    "RK411": Example("recipekit run recipe=tiny 'evaluation.metrics={top1_accuracy: {output: logits}}'"),
    "RK421": Example(
        "recipekit run recipe=camera representative_dataset.kwargs.second=kill",
        {"cloud.py": DATASET, "recipes/camera.yaml": CALIBRATED},
    ),
    "RK422": Example(
        "recipekit run recipe=camera evaluation.dataset.kwargs.do=hang",
        {"cloud.py": DATASET, "recipes/camera.yaml": PYTHON, **_settings("stage_timeout = 5")},
    ),
    "RK423": Example(
        "recipekit run recipe=greedy evaluation.dataset.kwargs.do=eat",
        {"greedy.py": MISBEHAVIOUR, "recipes/greedy.yaml": GREEDY, **_settings("memory_limit_mib = 250")},
    ),
    "RK424": Example(
        "recipekit run recipe=greedy evaluation.dataset.kwargs.do=fork",
        {"greedy.py": MISBEHAVIOUR, "recipes/greedy.yaml": GREEDY, **_settings("process_limit = 4")},
    ),
    "RK425": Example(
        "recipekit run -m recipe=camera evaluation.dataset.kwargs.do=nothing,orphan hydra/launcher=joblib"
        " hydra.launcher.n_jobs=2",
        {"cloud.py": DATASET, "recipes/camera.yaml": PYTHON},
    ),
    "RK501": Example("python check.py", {"check.py": INSISTING}),
    "RK601": Example("recipekit verify tiny/latest", edit=_note_in_the_output),
    "RK701": Example("recipekit run recipe=tiny", OLD_HYDRA),
    "RK702": Example("recipekit run recipe=tiny \"version='0.9.0'\"", edit=_emptied_output),
}

NEEDS_TENSORFLOW = {"RK303", "RK304", "RK402", "RK405"}
"""Examples whose stages load a Keras model."""


def printed(example: Example, project: Standing, factory: pytest.TempPathFactory) -> tuple[int, str]:
    """The exit code of an example's command, and what it says as an error; of a sweep, the lines of failed children.

    Args:
        example: to be run.
        project: a sound project, which is broken here.
        factory: of the session.
    """
    if example.tiny:
        shutil.copytree(built_once("tiny_classifier", factory), project.root, dirs_exist_ok=True)
    project.write(example.files)
    if example.edit is not None:
        example.edit(project)
    program, *arguments = shlex.split(example.command)
    code, out, err = _ended(program, arguments, project.root, tensorflow=example.tiny)
    lines = out.splitlines(keepends=True) if arguments[:2] == ["run", "-m"] else []
    said = (
        (err + "".join(line for line in lines if ": error RK" in line))
        .replace(str(project.root), "/home/ada/project")
        .replace(sys.executable, "python")
    )
    return code, said


def _ended(program: str, arguments: list[str], root: Path, *, tensorflow: bool) -> tuple[int, str, str]:
    """Exit code and prints of a command.

    The process imports by itself where that is what goes wrong; joblib's needs an end of its own, or it complains.
    """
    if program == "recipekit" and not (root / "stubs").exists() and "hydra/launcher=joblib" not in arguments:
        done = command(root, arguments, seconds=120, tensorflow=tensorflow)
        return done.code, done.out, done.err
    line = [sys.executable, *(["-m", "recipekit.cli"] if program == "recipekit" else []), *arguments]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "stubs"), str(ROOT)])}
    ended = subprocess.run(line, cwd=root, env=variables, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def same_everywhere(text: str) -> str:
    """What is said, without what differs from run to run: digests, process ids, seconds, sizes, names of logs."""
    text = re.sub(r"\b[0-9a-f]{12,64}\b", "DIGEST", text)
    return re.sub(r"recipekit-\w+\.log|\d+(?= MiB of)|(?<=\.work/)\S+|(?<=pid )\d+", "...", text)
