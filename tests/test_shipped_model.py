from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.built_models import script_of_models

MODELS = Path(__file__).parents[1] / "recipes" / "models"
MODEL = MODELS / "mobilenet_v2_digits.keras"


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    with zipfile.ZipFile(MODEL) as archive:
        found: dict[str, Any] = json.loads(archive.read("config.json"))
    return found


def layers(config: dict[str, Any], class_name: str) -> list[dict[str, Any]]:
    return [layer["config"] for layer in config["config"]["layers"] if layer["class_name"] == class_name]


@pytest.mark.tensorflow
def test_the_model_recognises_digits_that_it_was_not_trained_on() -> None:
    assert float(script_of_models("evaluate_digits_model", MODEL).splitlines()[-1]) > 0.97


def test_the_file_is_small() -> None:
    assert MODEL.stat().st_size < 2_500_000


def test_the_input_is_an_rgb_image_of_48_pixels(config: dict[str, Any]) -> None:
    (image,) = layers(config, "InputLayer")
    assert image["name"] == "image"
    assert image["batch_shape"] == [None, 48, 48, 3]
    assert image["dtype"] == "float32"


def test_the_output_is_the_probabilities_of_ten_digits(config: dict[str, Any]) -> None:
    (head,) = layers(config, "Dense")
    assert (head["name"], head["units"], head["activation"]) == ("probabilities", 10, "softmax")


def test_every_layer_is_one_of_keras_and_none_carries_code(config: dict[str, Any]) -> None:
    classes = {layer["class_name"]: layer["module"] for layer in config["config"]["layers"]}
    assert set(classes.values()) == {"keras.layers"}
    assert "Lambda" not in classes


def test_the_file_carries_no_optimizer(config: dict[str, Any]) -> None:
    assert not config.get("compile_config")
    with zipfile.ZipFile(MODEL) as archive:
        assert b"optimizer" not in archive.read("model.weights.h5")


def test_there_is_a_label_for_each_class() -> None:
    assert (MODELS / "digits_labels.txt").read_text().splitlines() == [str(digit) for digit in range(10)]
