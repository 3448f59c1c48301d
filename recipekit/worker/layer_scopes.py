"""Which part of a traced graph each Keras layer made, so that an operator can be told by its layer.

Keras numbers the scopes of a graph by rules of its own: those of the layers `curve` and `curve_1` may be called
`curve_1` and `curve_1_1`. So what each call of a layer adds to the graph is looked at. This module knows no converter.
"""

from __future__ import annotations

import functools
import os.path
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import tensorflow as tf


class _Call(NamedTuple):
    """One call of a layer: the numbers of the first operation that it added to the graph, and of the one behind it."""

    layer: str
    begin: int
    end: int


class LayerScopes:
    """The layers of a model by the scope of their operations.

    Attributes:
        found: such as `{"model_1/curve_1": "curve (Curve)"}`; of the trace that was watched last.
    """

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watches the layers of either Keras while a graph is traced; outside of a graph it does nothing."""
        if tf.executing_eagerly():
            yield
            return
        graph = tf.compat.v1.get_default_graph()
        calls: list[_Call] = []
        layers = [sys.modules[package].layers.Layer for package in ("keras", "tf_keras") if package in sys.modules]
        originals = [layer.__call__ for layer in layers]
        for layer, original in zip(layers, originals, strict=True):
            layer.__call__ = _noting(original, graph, calls)
        try:
            yield
        finally:
            for layer, original in zip(layers, originals, strict=True):
                layer.__call__ = original
        names = [operation.name for operation in graph.get_operations()]
        # A layer ends before the one around it; where both made the same operations, it is the inner one that counts.
        made = ((call.layer, names[call.begin : call.end]) for call in reversed(calls))
        self.found = {_scope(operations): layer for layer, operations in made if operations}


def _noting(call: Callable[..., Any], graph: Any, calls: list[_Call]) -> Callable[..., Any]:
    @functools.wraps(call)
    def noting(layer: Any, *args: Any, **kwargs: Any) -> Any:
        begin = int(graph.version)  # the number of operations
        outputs = call(layer, *args, **kwargs)
        calls.append(_Call(f"{layer.name} ({type(layer).__name__})", begin, int(graph.version)))
        return outputs

    return noting


def _scope(operations: list[str]) -> str:
    """The innermost scope that holds all of some operations."""
    return os.path.commonpath([name.rpartition("/")[0] or name for name in operations])
