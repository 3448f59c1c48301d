"""The models of several scripts beside this one, a folder each, by one process: `python source_models.py FOLDER`.

Importing TensorFlow costs more than building them.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

SCRIPTS = ("half_models", "typed_models", "stateful_models", "graph_models")
"""In this order: the last one turns to the control flow of TensorFlow 1."""


def build(folder: Path) -> None:
    """Writes the models of each script into a folder of its name."""
    for name in SCRIPTS:
        (folder / name).mkdir()
        importlib.import_module(name).build(folder / name)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
