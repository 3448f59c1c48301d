"""The stage `confirm`: what the converted model's own file says of promised zeros and clusters."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recipekit.contracts import Confirmation, ConfirmRequest
from recipekit.worker.flatbuffer_weights import weights_of
from recipekit.worker.kept_promises import confirm


def run(request: ConfirmRequest, folder: Path) -> Confirmation:
    """Looks for every promised layer in a flatbuffer.

    Raises:
        OptimizationError: one is missing, or lacks zeros or clusters.
    """
    del folder
    with np.load(request.weights) as file:
        values = {promise.values: file[promise.values] for promise in request.promises}
    tensors = list(weights_of(Path(request.candidate).read_bytes()))
    return Confirmation(layers=tuple(confirm(request.promises, values, tensors)))
