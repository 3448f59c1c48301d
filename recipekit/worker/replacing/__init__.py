"""Layers and operators that TensorFlow Lite lacks, with an equivalent of supported ones in their place.

The model in the process stays as it is, since it is the reference; only what is written for the converter changes, and
that is held against the original at once.
"""

from recipekit.worker.replacing.replacement import load_replaced, require_equal, runner

__all__ = ["load_replaced", "require_equal", "runner"]
