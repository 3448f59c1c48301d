"""What `simulable` makes of networks, as JSON: `python simulable_models.py KIND...`.

For each its largest difference from the original, relative to the largest output, and the kinds of its layers; each
network also with the layer before its normalization kept.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from recipekit.worker.optimization.simulable import simulable

sys.path.insert(0, str(Path(__file__).parent / "project"))
topologies = importlib.import_module("topologies")


def changed(kind: str, *, keep: bool) -> dict[str, Any]:
    model = topologies.model(kind, "tf_keras")
    inputs = np.random.default_rng(1).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    before = model(inputs).numpy()
    made = simulable(model, {layer.name for layer in model.layers if keep and layer.weights})
    after = made(inputs).numpy()
    return {
        "error": float(np.abs(after - before).max() / np.abs(before).max()),
        "untouched": bool((model(inputs).numpy() == before).all()),
        "layers": [type(layer).__name__ for layer in made.layers[1:]],
    }


if __name__ == "__main__":
    found = {kind: [changed(kind, keep=keep) for keep in (False, True)] for kind in sys.argv[1:]}
    sys.stdout.write(json.dumps(found))
