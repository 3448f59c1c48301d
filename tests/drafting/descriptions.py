"""Descriptions of models that exist nowhere, for what is decided from a description alone."""

from __future__ import annotations

from typing import Any

from recipekit.contracts import Description, ModelSignature, ModelTensor


def described(*inputs: tuple[str, str, tuple[int, ...] | None], **facts: Any) -> Description:
    """A model with some inputs: name, dtype, shape."""
    tensors = tuple(ModelTensor(name=name, dtype=dtype, shape=shape) for name, dtype, shape in inputs)
    scores = ModelTensor(name="scores", dtype="float32", shape=(-1, 5))
    given = {
        "kind": "keras",
        "format": "Keras archive",
        "size": 1000,
        "written_by": "Keras 3.15.1",
        "loader": "keras3",
        "reason": "Keras 3.15.1 wrote it",
        "signatures": (ModelSignature(key="", inputs=tensors, outputs=(scores,)),),
        "task": "classification",
    }
    return Description(**{**given, **facts})
