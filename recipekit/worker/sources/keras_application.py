"""Models of `keras.applications`: an architecture by name, with weights of ImageNet, of a file, or of chance."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from recipekit.contracts import ModelSpec, SourceSpec
from recipekit.errors import SourceError
from recipekit.nearest import did_you_mean
from recipekit.worker.float_model import FloatModel
from recipekit.worker.keras_model import from_keras, start_session

_OURS = ("weights", "input_tensor")
"""Arguments that a recipe doesn't give as `kwargs`: it has a key for the weights, and can't hold a tensor."""

_UNLIKE = "file hash does not match"
"""What Keras says of a download with another digest."""


def load(spec: ModelSpec) -> FloatModel:
    """Builds a model of `keras.applications`.

    Raises:
        SourceError: there is no such model, it doesn't take the arguments or the weights, or those of ImageNet can't be
            fetched.
    """
    source = spec.source
    build = _architecture(source.name)
    _check_arguments(build, source)
    arguments = {name: tuple(value) if isinstance(value, list) else value for name, value in source.kwargs.items()}
    start_session(spec.seed)
    there = _fetched()
    try:
        model = build(weights=source.path or source.weights or None, **arguments)
    except Exception as error:
        if _UNLIKE in str(error):
            for path in _fetched() - there:
                path.unlink(missing_ok=True)
        raise _explained(error, source) from error
    weights = {"imagenet": "the weights of ImageNet", "file": "the weights of a file"}
    origin = weights.get(source.weights, f"random weights by the seed {spec.seed}")
    return from_keras(model, "keras_application", f"keras.applications.{source.name} was built with {origin}")


def _fetched() -> set[Path]:
    """Weights files in Keras's cache."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return set((home / "models").glob("*"))


def _architecture(name: str) -> Callable[..., Any]:
    known = [each for each in dir(keras.applications) if each[0].isupper()]
    if name not in known:
        raise SourceError(
            f"keras.applications has no model '{name}'{did_you_mean(name, known)}",
            where="source.name",
            fix=f"use one of {', '.join(known)}",
        )
    found: Callable[..., Any] = getattr(keras.applications, name)
    return found


def _check_arguments(build: Callable[..., Any], source: SourceSpec) -> None:
    accepted = [name for name in inspect.signature(build).parameters if name not in _OURS]
    unknown = next((name for name in source.kwargs if name not in accepted), None)
    if unknown is not None:
        raise SourceError(
            f"{source.name} takes no '{unknown}'{did_you_mean(unknown, accepted)}",
            where=f"source.kwargs.{unknown}",
            fix="set source.weights" if unknown == "weights" else f"it takes {', '.join(accepted)}",
        )


def _explained(error: Exception, source: SourceSpec) -> SourceError:
    cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if source.weights == "file":
        return SourceError(
            f"does not fit keras.applications.{source.name}: {cause}",
            where=source.path,
            fix="give the kwargs that the weights were trained with, such as include_top, classes or alpha",
        )
    if "URL fetch failure" in cause or isinstance(error, ConnectionError):
        return SourceError(
            f"the ImageNet weights of {source.name} can't be fetched: {cause}",
            where="source.weights",
            fix="run where Keras reaches its downloads, or name a weights file: source.weights: PATH",
        )
    if _UNLIKE in cause:
        return SourceError(
            f"the ImageNet weights of {source.name} are not those that Keras expects: {cause}",
            where="source.weights",
            fix="run again, where nothing stands between Keras and its downloads; what was fetched is removed",
        )
    return SourceError(
        f"keras.applications.{source.name} can't be built: {cause}",
        where="source",
        fix="correct source.kwargs: they are the arguments of that function",
    )
