"""The source `matched_filter`: a model that this package builds itself, by `source.kind` alone."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import ModelSpec
from recipekit.worker.float_model import FloatModel
from recipekit.worker.keras_model import from_keras
from recipekit.worker.layers import custom_objects
from recipekit_example.models import matched_filter


def load(spec: ModelSpec) -> FloatModel:
    """Builds the model with the recipe's `source.kwargs`."""
    objects = custom_objects(spec.custom_layers, Path(spec.project_root))
    return from_keras(matched_filter(**spec.source.kwargs), "matched_filter", "built by recipekit_example", objects)
