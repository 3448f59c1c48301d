"""What data a model takes is guessed from the shapes of its inputs, and every guess says that it is one."""

from __future__ import annotations

from typing import Any

import pytest

from recipekit.contracts import FirstLayer, ModelLayer
from recipekit.drafting.dataset import guessed
from recipekit.drafting.shapes import fixed_inputs
from tests.drafting.descriptions import described

GUESSES: dict[str, tuple[tuple[str, tuple[int, ...]], str, dict[str, Any]]] = {
    "colour image": (("float32", (-1, 96, 96, 3)), "image_folder", {}),
    "grey image": (("float32", (-1, 28, 28, 1)), "image_folder", {"mode": "L"}),
    "channels first": (("float32", (1, 3, 64, 48)), "image_folder", {}),
    "bytes": (("uint8", (1, 8, 8, 3)), "image_folder", {"preprocess": [{"resize": [8, 8]}]}),
    "row": (("float32", (-1, 10)), "csv", {}),
    "waveform": (("float32", (-1, 16000)), "wav_folder", {"sample_rate": 16000, "duration": 1}),
    "half a second": (("float32", (-1, 8000)), "wav_folder", {"sample_rate": 16000, "duration": 0.5}),
    "with a channel": (("float32", (-1, 16000, 1)), "wav_folder", {"preprocess": [{"reshape": [16000, 1]}]}),
    "spectrogram": (("float32", (-1, 49, 10, 1)), "npz", {}),
    "sequence": (("float32", (-1, 128, 9)), "npz", {}),
    "tokens": (("int32", (-1, -1)), "npz", {}),
    "wide row": (("float32", (-1, 640)), "npz", {}),
    "no rank": (("float32", ()), "npz", {}),
}


@pytest.mark.parametrize(("given", "plugin", "keys"), GUESSES.values(), ids=list(GUESSES))
def test_the_plugin_fits_the_shape(given: tuple[str, tuple[int, ...]], plugin: str, keys: dict[str, Any]) -> None:
    model = described(("x", given[0], given[1] or None))
    stanza = guessed(model, fixed_inputs(model))
    assert stanza.keys["plugin"] == plugin
    assert stanza.keys.items() >= keys.items()
    assert stanza.keys["path"].startswith("data/calibration")
    assert stanza.keys["path"].split("/")[-1] in stanza.todo


def test_several_inputs_are_arrays_by_their_names() -> None:
    model = described(("a", "float32", (-1, 32, 32, 3)), ("side view", "int32", (-1, 4)))
    stanza = guessed(model, fixed_inputs(model))
    assert stanza.keys == {"plugin": "npz", "path": "data/calibration.npz"}
    assert 'numpy.savez("data/calibration.npz", **{"a": ..., "side view": ...})' in stanza.todo
    assert "  side view: int32, shape (N, 4)" in stanza.notes


SCALES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "unknown": ({}, {"rescale": {"scale": 1 / 255, "offset": 0}}, "CHECK"),
    "MobileNet": (
        {"layers": (ModelLayer(name="expanded_conv_depthwise", kind="DepthwiseConv2D"),)},
        {"rescale": {"scale": 2 / 255, "offset": -1}},
        "CHECK",
    ),
    "its own": (
        {"scaling": (FirstLayer(input="x", name="r", kind="Rescaling", scale=1 / 255, offset=0.0),)},
        {"cast": "float32"},
        "the model scales its input itself (layer 'r', Rescaling)",
    ),
}


@pytest.mark.parametrize(("facts", "step", "says"), SCALES.values(), ids=list(SCALES))
def test_pixels_are_scaled_as_the_model_tells_or_by_a_guess_that_says_so(
    facts: dict[str, Any], step: dict[str, Any], says: str
) -> None:
    model = described(("x", "float32", (-1, 32, 32, 3)), **facts)
    stanza = guessed(model, fixed_inputs(model))
    (_, found) = stanza.keys["preprocess"]
    assert found.keys() == step.keys()
    if "rescale" in step:
        assert found["rescale"] == pytest.approx(step["rescale"])
    assert stanza.notes[0].startswith(says)


def test_a_fixed_shape_says_which_of_its_sizes_are_guesses() -> None:
    (image, tokens, fixed) = fixed_inputs(
        described(("i", "float32", (-1, -1, -1, 3)), ("t", "int32", (-1, -1)), ("f", "float32", (1, 4)))
    )
    assert (image.shape, image.guessed) == ((1, 224, 224, 3), (1, 2))
    assert (tokens.shape, tokens.guessed) == ((1, 128), (1,))
    assert (fixed.shape, fixed.guessed, fixed.fixes) == ((1, 4), (), False)
