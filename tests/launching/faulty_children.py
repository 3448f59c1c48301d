"""A project whose children do what a word says: work, meet others, raise, kill their job, hang. None needs TensorFlow.

A child's dataset runs in a worker, whose parent is the child's job, whose parent is the launcher's.
"""

from __future__ import annotations

from pathlib import Path

from tests.models.built_flatbuffers import classifier

_RECIPE = """\
# @package _global_
defaults:
  - /converter: ai_edge_dynamic_range
  - _self_
name: tiny
version: "1.0.0"
source: {kind: tflite, path: models/m.tflite}
evaluation: {dataset: {plugin: python, factory: "children.py:samples", kwargs: {do: work}}, benchmark: null}
acceptance: {parity: {sqnr_db: {min: 20}}}
"""

_CHILDREN = """\
import os
import signal
import time
from pathlib import Path

import numpy as np
import psutil

MARKS = Path({marks!r})


def samples(do):
    job = os.getppid()
    launcher = psutil.Process(job).ppid()
    (MARKS / f"{{do}} {{job}} {{launcher}}").touch()
    if do == "raise":
        raise ValueError("this child has no samples")
    if do == "kill":
        os.kill(job, signal.SIGKILL)
    while do == "hang" or do == "kill" or (do.startswith("meet") and not (MARKS / "go").exists()):
        time.sleep(0.05)
    return np.random.default_rng(3).normal(size=(8, 64)).astype(np.float32)
"""


def write_children(folder: Path) -> Path:
    """Writes the project; gives the folder where children leave marks: what they do, and two process ids."""
    marks = folder / "marks"
    for name in ("recipes", "models", "marks"):
        (folder / name).mkdir(parents=True)
    (folder / "recipes" / "tiny.yaml").write_text(_RECIPE)
    (folder / "models" / "m.tflite").write_bytes(classifier())
    (folder / "children.py").write_text(_CHILDREN.format(marks=str(marks)))
    return marks


def doing(*words: str) -> str:
    """The override that gives a sweep a child for each word."""
    return f"evaluation.dataset.kwargs.do={','.join(words)}"
