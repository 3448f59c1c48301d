"""What a warm worker imports before its first request: the libraries of its kind, and nothing that they drag along.

It must not know of stages: a stage imports what it needs itself, and finds it there.
"""

from __future__ import annotations

import gc
import importlib
import sys

_PRELOADED = {
    "tensorflow": ("tensorflow",),
    "litert": ("numpy", "ai_edge_litert.interpreter"),
}

_SPARED = ("IPython", "matplotlib", "pandas", "scipy", "sklearn")
"""What the preloaded modules import where it is installed, and no stage needs of them: Keras imports scikit-learn for
wrappers that make estimators of its models, pandas to train on its tables, matplotlib for galleries of images and
IPython to show files in a notebook; TensorFlow's own old Keras imports SciPy to know sparse matrices. Together they are
more than a third of the time that TensorFlow takes. Code of a project imports any of them later as ever."""


def preload(kind: str) -> None:
    """Imports the libraries of one kind of worker.

    What they make lives as long as the process, so Python's garbage collector, which would look through it a hundred
    times meanwhile, a fifth of the time, rests, and leaves it alone ever after.
    """
    spared = {name: None for name in _SPARED if name not in sys.modules}
    sys.modules.update(spared)  # type: ignore[arg-type]  # None is how a module is said not to be there
    gc.disable()
    for module in _PRELOADED[kind]:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    for name in spared:
        del sys.modules[name]
