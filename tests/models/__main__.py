"""Runs a script of this folder in a process that has imported TensorFlow as workers do, in half the time.

    python tests/models NAME ARGUMENTS...

It stands for `python tests/models/NAME.py ARGUMENTS...`, with weights that are drawn from one seed: of untrained
models, one in some dozens is hard to quantize.
"""

from __future__ import annotations

import random
import runpy
import sys

from recipekit.worker.preloading import preload

if __name__ == "__main__":
    preload("tensorflow")
    import numpy as np
    import tensorflow as tf

    for set_seed in (random.seed, np.random.seed, tf.random.set_seed):  # as both Keras's set_random_seed
        set_seed(0)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
