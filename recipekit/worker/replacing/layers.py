"""Keras layers with an equivalent in their place while the model is traced.

An equivalent is a layer class, made from the layer's own configuration and weights, or a function. It answers the
calls of the layer, wherever that is: in a functional model, a subclassed one, or inside another layer.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from recipekit.errors import CustomLayerError
from recipekit.worker.layers import generation
from recipekit.worker.user_code import guarded


def layers_by_class(model: object) -> dict[str, list[Any]]:
    """Every layer of a Keras model by the name of its class, and by the one under which that is registered.

    Args:
        model: of either Keras; anything else has no layers.
    """
    package = generation(model)
    if package is None:
        return {}
    registered = importlib.import_module(package).saving.get_registered_name
    found: dict[str, list[Any]] = {}
    owner: Any = model
    for layer in owner._flatten_layers(include_self=False):
        for name in dict.fromkeys((type(layer).__name__, registered(type(layer)))):
            found.setdefault(name, []).append(layer)
    return found


@contextmanager
def in_place(equivalents: Mapping[str, Any], layers: Mapping[str, list[Any]]) -> Iterator[None]:
    """Lets equivalents answer the calls of layers.

    Args:
        equivalents: a layer class or a function by the class name of the layers.
        layers: from `layers_by_class`.

    Raises:
        CustomLayerError: an equivalent belongs to the other Keras, can't be made from a layer's configuration, or has
            other weights.
        PluginError: its code failed.
    """
    calls = [(layer, _equivalent(name, found, layer)) for name, found in equivalents.items() for layer in layers[name]]
    for layer, call in calls:
        vars(layer)["call"] = call  # past Keras, which would track it as a part of the layer
    try:
        yield
    finally:
        for layer, _ in calls:
            del vars(layer)["call"]


def _equivalent(name: str, found: Any, layer: Any) -> Callable[..., Any]:
    if not isinstance(found, type):
        return _function(found, layer.get_config())
    if generation(found) != generation(layer):
        raise CustomLayerError(
            f"'{found.__name__}' is no layer of the Keras that the model belongs to ({generation(layer)})",
            where=f"custom_layers.replace.{name}",
            fix=f"derive it from {generation(layer)}.layers.Layer, or name a function",
        )
    with guarded(f"making '{found.__name__}' from the configuration of the layer '{layer.name}'"):
        made = cast("Any", found).from_config(layer.get_config())
        if layer.built:
            made.build_from_config(layer.get_build_config() or {})
    shapes = [[tuple(weight.shape) for weight in each.weights] for each in (layer, made)]
    if shapes[0] != shapes[1]:
        raise CustomLayerError(
            f"'{found.__name__}' has weights of the shapes {shapes[1]}, the layer '{layer.name}' {shapes[0]}",
            where=f"custom_layers.replace.{name}",
            fix="make the same weights in the same order in its build()",
        )
    made.set_weights(layer.get_weights())
    return _with_known_arguments(made, made.call)


def _function(found: Callable[..., Any], config: Mapping[str, Any]) -> Callable[..., Any]:
    """A function that is given the layer's arguments, and entries of its configuration by the names of parameters."""
    parameters = inspect.signature(found).parameters
    settings = {name: value for name, value in config.items() if name in parameters}
    return _with_known_arguments(functools.partial(found, **settings), found)


def _with_known_arguments(call: Callable[..., Any], signature_of: Callable[..., Any]) -> Callable[..., Any]:
    """A callable that leaves out keywords which its own signature lacks, such as `training`."""
    parameters = inspect.signature(signature_of).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())

    def known(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **{name: value for name, value in kwargs.items() if open_ended or name in parameters})

    return known
