"""Preprocessing: the steps that a recipe lists under `preprocess`, compiled once and applied to each sample.

A step is a mapping with one step name and, where not every tensor is meant, `inputs: [names]`. `STEPS` is the whole
table. Nothing here knows datasets or models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from recipekit.errors import DatasetError, PluginError
from recipekit.fitting import UNNAMED
from recipekit.nearest import did_you_mean
from recipekit.worker import array_steps, audio_steps, image_steps
from recipekit.worker.tensors import Array, Tensors, Transform, as_array
from recipekit.worker.user_code import guarded, load_object

Preprocess: TypeAlias = Callable[[Tensors, str], Tensors]


class Step(NamedTuple):
    """One kind of step.

    Attributes:
        build: takes the step's argument as the recipe has it and gives a function from array to array; both raise
            ValueError or TypeError with a sentence that follows the name of the step.
        form: how the step is written, for the fix of a wrong argument.
    """

    build: Callable[[Any], Transform]
    form: str


STEPS: dict[str, Step] = {
    "resize": Step(image_steps.resize, "{resize: [48, 48]}` or `{resize: {size: [48, 48], method: bilinear}}"),
    "center_crop": Step(image_steps.center_crop, "{center_crop: [48, 48]}"),
    "channels": Step(image_steps.channels, "{channels: 3}"),
    "rescale": Step(array_steps.rescale, "{rescale: {scale: 0.00784313725, offset: -1}}"),
    "normalize": Step(array_steps.normalize, "{normalize: {mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}}"),
    "cast": Step(array_steps.cast, "{cast: float32}"),
    "reshape": Step(array_steps.reshape, "{reshape: [48, 48, 1]}"),
    "transpose": Step(array_steps.transpose, "{transpose: [1, 2, 0]}"),
    "log_mel": Step(audio_steps.log_mel, "{log_mel: {sr: 16000, n_fft: 512, hop_length: 160, n_mels: 40}}"),
    "mfcc": Step(audio_steps.mfcc, "{mfcc: {sr: 16000, n_mfcc: 13, n_fft: 512, hop_length: 160, n_mels: 40}}"),
}


class _Compiled(NamedTuple):
    label: str
    transform: Transform
    inputs: tuple[str, ...] | None


def compile_steps(steps: Sequence[Mapping[str, Any]], root: Path) -> Preprocess:
    """Checks all steps and gives the function that applies them in order.

    Args:
        steps: the recipe's `preprocess` list.
        root: the project root, where `python` steps are found.

    Returns:
        A function of a sample's tensors and of what errors call the sample; it gives new tensors and leaves the given
        ones alone. It raises DatasetError where a step doesn't fit a tensor, PluginError where a `python` step fails.

    Raises:
        DatasetError: a step is unknown or its argument is wrong.
        EnvironmentFault: a step needs a package that isn't installed.
        PluginError: the function of a `python` step can't be imported.
    """
    known = {**STEPS, "python": Step(partial(_python, root=root), "{python: 'my_pkg.steps:brighten'}")}
    compiled = [_compile(f"preprocess step {number}", step, known) for number, step in enumerate(steps, 1)]

    def preprocess(tensors: Tensors, place: str) -> Tensors:
        for step in compiled:
            tensors = _apply(step, tensors, place)
        return tensors

    return preprocess


def _compile(where: str, step: Mapping[str, Any], known: Mapping[str, Step]) -> _Compiled:
    names = [key for key in step if key != "inputs"]
    if len(names) != 1:
        raise DatasetError(
            f"must have exactly one step name, got {', '.join(names) or 'none'}",
            where=where,
            fix="write each step as its own list item, such as `- {resize: [48, 48]}`",
        )
    (name,) = names
    if name not in known:
        raise DatasetError(
            f"there is no step '{name}'{did_you_mean(name, known)}", where=where, fix=f"use one of {', '.join(known)}"
        )
    label = f"{where} ({name})"
    try:
        return _Compiled(label, known[name].build(step[name]), _inputs(step))
    except (ValueError, TypeError) as error:
        raise DatasetError(str(error), where=label, fix=f"write it as `{known[name].form}`") from error


def _inputs(step: Mapping[str, Any]) -> tuple[str, ...] | None:
    inputs = step.get("inputs")
    if inputs is None:
        return None
    if not isinstance(inputs, list | tuple) or not all(isinstance(name, str) for name in inputs):
        raise ValueError(f"`inputs` takes a list of names, got {inputs!r}")
    return tuple(inputs)


def _apply(step: _Compiled, tensors: Tensors, place: str) -> Tensors:
    chosen = tuple(tensors) if step.inputs is None else step.inputs
    for name in chosen:
        if name not in tensors:
            held = ", ".join(f"'{held}'" for held in tensors if held != UNNAMED) or "one array without a name"
            raise DatasetError(
                f"{step.label} is for '{name}', but the dataset gives {held}{did_you_mean(name, tensors)}",
                where=place,
                fix="correct the step's `inputs`, or leave them out to apply it to every tensor",
            )
    try:
        return {name: step.transform(array) if name in chosen else array for name, array in tensors.items()}
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"{step.label}: {error}", where=place, fix="correct this step or the ones before it"
        ) from error


def _python(address: Any, root: Path) -> Transform:
    """`module:function` of the project, from array to array."""
    if not isinstance(address, str):
        raise TypeError(f"takes an address, got {address!r}")
    function = load_object(address, root)
    if not callable(function):
        raise PluginError("is not callable", where=address, fix="name a function from array to array")
    return partial(_call, function=function, address=address)


def _call(array: Array, function: Callable[[Array], object], address: str) -> Array:
    with guarded(f"the preprocessing function '{address}'"):
        result = function(array.copy())  # what the function does to its argument must not reach the dataset
    try:
        return as_array(result, UNNAMED, "")
    except DatasetError as error:
        raise ValueError(f"of what '{address}' gave, {error.what}") from error
