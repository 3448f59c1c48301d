"""Imported by the server whose commands fork their workers, and by nothing else: TensorFlow, as workers import it."""

from __future__ import annotations

import os

from recipekit.pool import worker_environment
from recipekit.worker.preloading import preload

BEFORE = worker_environment()
"""The variables that TensorFlow was imported with."""

_kept, _nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
os.dup2(_nothing, 2)  # TensorFlow says natively what it has found, to whoever reads the tests
preload("tensorflow")
os.dup2(_kept, 2)
for _descriptor in (_kept, _nothing):
    os.close(_descriptor)

LEFT = {name: value for name, value in os.environ.items() if name not in BEFORE}
"""The variables that the import has set."""
