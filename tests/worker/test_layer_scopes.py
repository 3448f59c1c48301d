from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import RunStage
from tests.worker.float_sources import LAYERS, load, model

pytestmark = pytest.mark.tensorflow


def test_each_layer_of_either_keras_has_the_scopes_that_it_made(run_stage: RunStage, float_models: Path) -> None:
    shared = load(run_stage, model("keras", float_models / "shared.keras")).layers_by_scope
    assert list(shared.values()).count("shared (Dense)") == 3  # a scope for each call
    nested = load(run_stage, model("keras", float_models / "lambda.keras", allow_unsafe=True)).layers_by_scope
    assert list(nested.values()) == ["double (Lambda)"]  # the models around it add nothing of their own
    legacy = load(run_stage, model("keras", float_models / "legacy.h5")).layers_by_scope
    assert "scores (Dense)" in legacy.values()


def test_a_layer_of_the_project_goes_by_its_own_class(run_stage: RunStage, float_models: Path) -> None:
    layers = load(run_stage, model("keras", float_models / "scale.keras", LAYERS)).layers_by_scope
    assert "own (Scale)" in layers.values()


def test_a_source_without_layers_has_none(run_stage: RunStage, float_models: Path) -> None:
    assert load(run_stage, model("saved_model", float_models / "two")).layers == ()
