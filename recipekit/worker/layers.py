"""The custom-layer registry: what a recipe declares, as the mapping that Keras looks classes up in.

A module may register its classes itself, with the decorator of either Keras; importing it is then enough. Its layer
classes are offered by name too, so that a file without any decorator works. This module loads no model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from recipekit.contracts import CustomLayersSpec
from recipekit.worker.user_code import import_modules, load_object

_KERAS_PACKAGES = ("keras", "tf_keras")


def custom_objects(spec: CustomLayersSpec, root: Path) -> dict[str, Any]:
    """Imports the declared modules and collects the objects that model files may name.

    Args:
        spec: modules and named objects; a name in `objects` beats a class of the same name in a module.
        root: the project root.

    Returns:
        Objects by the name that a model file gives them, for either Keras.

    Raises:
        PluginError: a module or an object can't be imported.
    """
    offered = {
        layer.__name__: layer for module in import_modules(spec.modules, root) for layer in _layer_classes(module)
    }
    return {**offered, **{name: load_object(address, root) for name, address in spec.objects.items()}}


def generation(layer: object) -> str | None:
    """Which Keras a layer class or a layer belongs to: `keras`, `tf_keras`, or None for anything else."""
    cls = layer if isinstance(layer, type) else type(layer)
    for package in _KERAS_PACKAGES:
        keras = sys.modules.get(package)
        if keras is not None and issubclass(cls, keras.layers.Layer):
            return package
    return None


def _layer_classes(module: ModuleType) -> Iterator[type]:
    """Layer classes that a module has, those left out that it only imported from Keras itself."""
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and generation(value) is not None
            and value.__module__.partition(".")[0] not in _KERAS_PACKAGES
        ):
            yield value
