"""Optimization as a user sees it: an override, a result with what the file holds, a refusal that publishes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit.errors import InvalidRecipe, OptimizationError
from recipekit.pool import Pool
from tests.e2e.conftest import run_here

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def test_pruning_by_an_override_is_measured_against_the_model_as_it_was(tiny: Path, pool: Pool) -> None:
    plain = run_here(tiny, pool, "recipe=tiny", "evaluation.benchmark=null", "converter=none")
    pruned = run_here(
        tiny, pool, "recipe=tiny", "evaluation.benchmark=null", "converter=none", "optimize.prune.sparsity=0.25"
    )
    assert plain.measurement is not None
    assert pruned.measurement is not None
    assert plain.measurement.optimized_layers == ()
    assert pruned.measurement.float32_size == plain.measurement.size
    assert [(layer.layer, layer.sparsity) for layer in pruned.measurement.optimized_layers] == [
        ("dense", 0.25),
        ("cloud", 0.25),
    ]
    assert pruned.sqnr_db is not None
    assert plain.sqnr_db is not None
    assert pruned.sqnr_db < plain.sqnr_db
    results = json.loads(Path(pruned.output, "results.json").read_text())
    assert [layer["promised_sparsity"] for layer in results["measurement"]["optimized_layers"]] == [0.25, 0.25]
    again = run_here(
        tiny, pool, "recipe=tiny", "evaluation.benchmark=null", "converter=none", "optimize.prune.sparsity=0.25"
    )
    assert again.already_built
    assert again.measurement is not None
    assert again.measurement.optimized_layers == pruned.measurement.optimized_layers


def test_pruned_weights_are_calibrated_and_quantized_like_others(tiny: Path, pool: Pool) -> None:
    outcome = run_here(tiny, pool, "recipe=tiny", "evaluation.benchmark=null", "optimize.prune.sparsity=0.25")
    assert outcome.measurement is not None
    assert {layer.dtype for layer in outcome.measurement.optimized_layers} == {"int8"}
    assert all(layer.sparsity >= 0.25 for layer in outcome.measurement.optimized_layers)
    labels = [stage.name for stage in outcome.stages]
    assert {"optimize", "lower", "lower-optimized", "calibrate", "quantize", "encode", "confirm"} <= set(labels)


@pytest.mark.parametrize(
    ("override", "error", "says"),
    [
        ("optimize.cluster.clusters=4", OptimizationError, "can't be carried over to tf_keras.*Gain"),
        ("optimize.prune={sparsity: 0.5, layers: dens}", OptimizationError, "no layer .* matches 'dens'"),
        ("optimize.prune.sparsity=1", InvalidRecipe, "must be less than 1"),
    ],
)
def test_what_can_not_be_done_is_said_and_publishes_nothing(
    tiny: Path, pool: Pool, override: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        run_here(tiny, pool, "recipe=tiny", override)
    assert not list((tiny / "outputs").glob("tiny/*/*/model.tflite"))
