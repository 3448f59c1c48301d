"""Runs a script of this folder in a process that has imported TensorFlow as workers do, in half the time.

    python tests/models NAME ARGUMENTS...

It stands for `python tests/models/NAME.py ARGUMENTS...`.
"""

from __future__ import annotations

import runpy
import sys

from recipekit.worker.preloading import preload

if __name__ == "__main__":
    preload("tensorflow")
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
