"""Every published model names its build: whatever made it, and builds that share their stages each by its own key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit import digests, manifest
from recipekit.contracts import BUILD_KEY_PLACEHOLDER
from recipekit.outcome import Outcome
from recipekit.pool import Pool
from recipekit.worker.file_contents import contents_of
from tests.e2e.conftest import run_here

pytestmark = pytest.mark.tensorflow


def model(outcome: Outcome) -> bytes:
    return Path(outcome.output, "model.tflite").read_bytes()


def test_builds_of_one_conversion_have_keys_of_their_own(tiny: Path, pool: Pool) -> None:
    outcomes = [run_here(tiny, pool, "recipe=tiny", f"acceptance.parity.sqnr_db.min={limit}") for limit in (14, 15)]
    first, second = outcomes
    assert "quantize" in [stage.name for stage in second.stages if stage.found]
    assert first.build_key != second.build_key
    assert model(first).replace(first.build_key.encode(), BUILD_KEY_PLACEHOLDER) == model(second).replace(
        second.build_key.encode(), BUILD_KEY_PLACEHOLDER
    )
    for outcome in outcomes:
        folder = Path(outcome.output)
        assert contents_of(folder / "model.tflite").build_key == outcome.build_key
        recorded = manifest.recorded_files(manifest.read(folder))["model.tflite"]
        assert recorded == (digests.of_bytes(model(outcome)), len(model(outcome)))
    conversions = [json.loads(Path(it.output, "results.json").read_text())["conversion"] for it in outcomes]
    assert conversions[0] == conversions[1]
    assert conversions[0]["sha256"] == digests.of_bytes(
        model(first).replace(first.build_key.encode(), BUILD_KEY_PLACEHOLDER)
    )
    offset = conversions[0]["build_key_offset"]
    assert model(first)[offset : offset + 64].decode() == first.build_key


@pytest.mark.parametrize(
    "overrides",
    [
        ("converter=none", "optimize.prune.sparsity=0.9"),
        ("converter=none",),
        ("converter=none", "converter.engine=ai_edge_quantizer", "evaluation.benchmark=null"),
    ],
    ids=["encoded", "float", "other engine"],
)
def test_a_model_that_was_not_quantized_names_its_build_too(tiny: Path, pool: Pool, overrides: tuple[str, ...]) -> None:
    outcome = run_here(tiny, pool, "recipe=tiny", *overrides)
    assert contents_of(Path(outcome.output, "model.tflite")).build_key == outcome.build_key
    assert outcome.measurement is not None
    assert outcome.measurement.size == len(model(outcome))
    if len(overrides) == 1:
        assert outcome.measurement.size == outcome.measurement.float32_size
