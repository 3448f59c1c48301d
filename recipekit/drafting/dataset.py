"""A dataset stanza from the shapes of a model's inputs, for data that isn't there yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from recipekit.contracts import Description
from recipekit.drafting.shapes import FixedInput

FOLDER = "data/calibration"
_RATE = 16000
_SHORTEST_SOUND = 4000
_WIDEST_ROW = 256
_MINUS_ONE_TO_ONE = ("expanded_conv", "conv_dw_1", "mixed0", "block14_sepconv")
"""Beginnings of layer names in MobileNet, Inception and Xception of keras.applications, which take -1 to 1."""


class Stanza(NamedTuple):
    """A dataset of a recipe.

    Attributes:
        keys: the plugin and its parameters.
        notes: comments above it, a line each.
        todo: what the user must do before it works; empty where nothing is left.
    """

    keys: dict[str, Any]
    notes: tuple[str, ...] = ()
    todo: str = ""


def guessed(model: Description, inputs: Sequence[FixedInput]) -> Stanza:
    """The plugin that fits what a model takes, and where its samples are to be put."""
    if len(inputs) == 1 and inputs[0].dtype in {"float32", "uint8", ""}:
        (only,) = inputs
        if is_image(only):
            return _images(model, only)
        if is_sound(only):
            return _sounds(only)
        if len(only.sample) == 1 and only.sample[0] <= _WIDEST_ROW and only.dtype != "uint8":
            return _rows(only)
    return _arrays(inputs)


def random(inputs: Sequence[FixedInput]) -> Stanza:
    """Random samples, as the user asked for: enough to see the conversion work, and nothing more."""
    dtypes = sorted({given.dtype or "float32" for given in inputs})
    keys: dict[str, Any] = {
        "plugin": "random",
        "inputs": {given.name: list(given.sample) for given in inputs},
        "count": 100,
        "allow_random": True,
    }
    if dtypes != ["float32"]:
        keys["dtype"] = dtypes[0]
    notes = ("RANDOM NUMBERS: the ranges and the parity that they give say nothing about real samples.",)
    return Stanza(keys, notes, "replace the random samples by real ones before you trust a verdict")


def is_image(given: FixedInput) -> bool:
    """Whether an input has the shape of an image: three channels at either end, or one and square sides."""
    shape = given.sample
    if len(shape) != 3:
        return False
    return shape[2] == 3 or shape[0] == 3 or (shape[2] == 1 and shape[0] == shape[1])


def is_sound(given: FixedInput) -> bool:
    """Whether an input has the shape of a waveform."""
    shape = given.sample
    return len(shape) in {1, 2} and shape[0] >= _SHORTEST_SOUND and shape[1:] in {(), (1,)}


def image_steps(model: Description, given: FixedInput) -> tuple[dict[str, Any], list[dict[str, Any]], tuple[str, ...]]:
    """The plugin's colour mode, the preprocessing, and why."""
    channels_first = given.sample[0] == 3 and given.sample[2] != 3
    height, width, channels = (*given.sample[1:], 3) if channels_first else given.sample
    steps: list[dict[str, Any]] = [{"resize": [height, width]}]
    scaling, notes = _pixels(model, given)
    steps += scaling
    if channels_first:
        steps.append({"transpose": [2, 0, 1]})
    return ({"mode": "L"} if channels == 1 else {}), steps, notes


def sound_keys(given: FixedInput, rate: int) -> dict[str, Any]:
    """Parameters of `wav_folder` for sounds of an input's length."""
    duration = given.sample[0] / rate
    steps = {"preprocess": [{"reshape": list(given.sample)}]} if len(given.sample) == 2 else {}
    return {"sample_rate": rate, "duration": int(duration) if duration.is_integer() else duration, **steps}


def savez(inputs: Sequence[FixedInput], path: str) -> str:
    """The line of Python that writes samples for a model's inputs."""
    arrays = ", ".join(f"{given.name or 'NAME'}=..." for given in inputs)
    call = f'numpy.savez("{path}", {arrays})'
    if any(given.name and not given.name.isidentifier() for given in inputs):
        named = ", ".join(f'"{given.name}": ...' for given in inputs)
        call = f'numpy.savez("{path}", **{{{named}}})'
    return call


def _images(model: Description, given: FixedInput) -> Stanza:
    mode, steps, notes = image_steps(model, given)
    keys = {"plugin": "image_folder", "path": FOLDER, **mode, "preprocess": steps}
    return Stanza(keys, notes, f"put 100 to 300 images of the kind that the model will see into {FOLDER}/")


def _pixels(model: Description, given: FixedInput) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    if given.dtype == "uint8":
        return [], ("the model takes bytes, so pixels stay as they are",)
    own = next((layer for layer in model.scaling if layer.input == given.name), None)
    if own is not None and own.kind != "BatchNormalization":
        return [{"cast": "float32"}], (
            f"the model scales its input itself (layer '{own.name}', {own.kind}), so pixels stay from 0 to 255",
        )
    zero_to_one, around_zero = {"scale": 0.00392156862745098, "offset": 0}, {"scale": 0.00784313725490196, "offset": -1}
    if any(layer.name.startswith(_MINUS_ONE_TO_ONE) for layer in model.layers):
        return [{"rescale": around_zero}], (
            "CHECK: pixels from -1 to 1, as this network is usually trained; it must be what the training did",
        )
    return [{"rescale": zero_to_one}], (
        "CHECK: pixels from 0 to 1 are a guess; it must be what the training did. From -1 to 1 they are",
        "{rescale: {scale: 0.00784313725490196, offset: -1}}, and left from 0 to 255 {cast: float32}",
    )


def _sounds(given: FixedInput) -> Stanza:
    keys = {"plugin": "wav_folder", "path": FOLDER, **sound_keys(given, _RATE)}
    notes = (f"CHECK: {_RATE} Hz is a guess; the duration makes {given.sample[0]} frames of it",)
    return Stanza(keys, notes, f"put 100 to 300 WAV files into {FOLDER}/")


def _rows(given: FixedInput) -> Stanza:
    path = f"{FOLDER}.csv"
    notes = (
        f"a header line, then a row of {given.sample[0]} numbers for each sample, scaled as in the training;",
        "`label: COLUMN` keeps a column out of the input",
    )
    return Stanza({"plugin": "csv", "path": path}, notes, f"write 100 to 300 rows into {path}")


def _arrays(inputs: Sequence[FixedInput]) -> Stanza:
    path = f"{FOLDER}.npz"
    notes = [
        f"one array for each input, the first axis being the samples: {savez(inputs, path)}",
        *(f"  {given.name}: {given.dtype or 'float32'}, shape {_text(given)}" for given in inputs if given.name),
    ]
    if not all(given.name for given in inputs):
        notes.append("FILL IN: the input's name stands in the model's code alone, as a parameter of `call`")
    return Stanza({"plugin": "npz", "path": path}, tuple(notes), f"write 100 to 300 samples: {savez(inputs, path)}")


def _text(given: FixedInput) -> str:
    return "(" + ", ".join(("N", *map(str, given.sample))) + ")" if given.shape else "unknown"
