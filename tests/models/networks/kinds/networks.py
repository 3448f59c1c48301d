"""The factory of the recipe: every network by its name, with weights that look like trained ones."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .catalogue import NETWORKS

_CENTRED = {"bias", "beta", "moving_mean"}
_AROUND_ONE = {"gamma", "moving_variance"}


def build(network: str) -> Any:
    """A network of the catalogue."""
    model = getattr(importlib.import_module(f".{NETWORKS[network].module}", __package__), network)()
    settle(getattr(model, "model", model))
    return model


def settle(model: Any) -> None:
    """Draws what initializers leave at 0 or 1: else nothing shows whether it was converted."""
    draw = np.random.default_rng(0)
    for weight in getattr(model, "weights", ()):
        name = weight.name.rpartition("/")[2].partition(":")[0]
        if name in _CENTRED:
            weight.assign(draw.normal(0, 0.2, weight.shape).astype(np.float32))
        if name in _AROUND_ONE:
            weight.assign(draw.uniform(0.5, 1.5, weight.shape).astype(np.float32))
