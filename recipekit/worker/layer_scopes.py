"""Which part of a traced graph each Keras layer made: the name scopes that it was called in.

Names can't tell: TensorFlow numbers a scope that is opened again, so that `conv2d` becomes `conv2d_1`, which may be the
name of another layer. This module knows no flatbuffer.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from recipekit.contracts import SourceLayer


class LayerScopes:
    """The layers of a model, those of models inside of it too, and the scopes that they have been called in."""

    def __init__(self, model: Any) -> None:
        self._layers = list(_leaves(model))
        self._scopes: list[dict[str, None]] = [{} for _ in self._layers]
        self._outputs: dict[str, str] = {}

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Notes the scope of every call of a layer that happens inside."""
        before = [vars(layer).get("call") for layer in self._layers]  # of a layer that something stands in place of
        for layer, scopes in zip(self._layers, self._scopes, strict=True):
            vars(layer)["call"] = _noting(layer.call, scopes)
        try:
            yield
        finally:
            for layer, call in zip(self._layers, before, strict=True):
                if call is None:
                    del vars(layer)["call"]  # the class has its own
                else:
                    vars(layer)["call"] = call

    def note_outputs(self, tensors: Mapping[str, Any]) -> None:
        """Notes which operation of the graph gives each output of the model."""
        self._outputs.update({name: tensor.op.name for name, tensor in tensors.items() if not tf.executing_eagerly()})

    def layers(self) -> tuple[SourceLayer, ...]:
        """The layers in the model's order, those that were called."""
        return tuple(
            SourceLayer(
                name=str(layer.name),
                kind=type(layer).__name__,
                weighted=bool(layer.weights),
                scopes=tuple(scopes),
                outputs=tuple(
                    name
                    for name, operation in self._outputs.items()
                    if any(operation.startswith(f"{scope}/") for scope in scopes)
                ),
            )
            for layer, scopes in zip(self._layers, self._scopes, strict=True)
            if scopes
        )


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers") and hasattr(layer, "count_params"):
            yield from _leaves(layer)
        elif type(layer).__name__ != "InputLayer" and "call" not in vars(layer):
            yield layer


def _noting(call: Any, scopes: dict[str, None]) -> Any:
    @functools.wraps(call)
    def noted(*arguments: Any, **keywords: Any) -> Any:
        scopes[tf.get_current_name_scope()] = None
        return call(*arguments, **keywords)

    return noted
