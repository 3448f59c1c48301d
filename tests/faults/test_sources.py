"""Rows 30 and 33: layers that nobody registered, and sources that aren't what was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.built_models import built_once
from tests.faults.standing import RECIPE, Standing
from tests.faults.weights_server import GARBAGE, REDIRECT, answering

pytestmark = pytest.mark.slow

APPLICATION = RECIPE.replace("ai_edge_dynamic_range", "none").replace(
    "{kind: tflite, path: models/m.tflite}",
    "{kind: keras_application, name: MobileNetV3Small, weights: imagenet, kwargs: {include_top: false, pooling: avg}}",
)


@pytest.mark.fault(33)
def test_a_source_with_another_digest_is_told_both(standing: Standing) -> None:
    pinned = f'{RECIPE}source: {{sha256: "{"0" * 64}"}}\n'.replace(
        "source: {kind: tflite, path: models/m.tflite}\n", ""
    ).replace("source: {sha256", "source: {kind: tflite, path: models/m.tflite, sha256")
    standing.write({"recipes/wrong.yaml": pinned})
    done = standing.fails("recipe=wrong", code=5, says=["error RK301", "models/m.tflite", "0" * 64, "fix: "])
    assert "expected" in done.err


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(b"", ["the ImageNet weights of MobileNetV3Small can't be fetched"], marks=pytest.mark.fault(33)),
        pytest.param(
            REDIRECT, ["the ImageNet weights of MobileNetV3Small can't be fetched"], marks=pytest.mark.fault(33)
        ),
        pytest.param(
            GARBAGE,
            ["the ImageNet weights of MobileNetV3Small are not those that Keras expects", "does not match"],
            marks=pytest.mark.fault(33),
        ),
    ],
    ids=["offline", "redirected", "another digest"],
)
def test_weights_that_do_not_come_as_published_are_refused(
    standing: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, says: list[str]
) -> None:
    standing.write({"recipes/wrong.yaml": APPLICATION})
    with answering(answer, tmp_path) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        standing.fails("recipe=wrong", code=5, says=["error RK301", *says, "source.weights", "fix: "], within=40)
    assert not [path for path in (tmp_path / "keras" / "models").rglob("*") if path.is_file()]


@pytest.mark.tensorflow
@pytest.mark.fault(30)
def test_a_custom_layer_that_nobody_registered_is_named_with_the_place_for_it(
    standing: Standing, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shutil.copytree(built_once("tiny_classifier", tmp_path_factory), standing.root, dirs_exist_ok=True)
    standing.fails(
        "recipe=tiny",
        "~custom_layers",
        code=5,
        says=["error RK304", "'tiny>Gain' is not registered", "fix: ", "custom_layers: {modules: ["],
        within=40,
    )
