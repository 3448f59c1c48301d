from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.contracts import (
    CustomLayersSpec,
)
from recipekit.errors import ConversionError
from recipekit.worker.census import take
from tests.conftest import RunStage
from tests.worker.float_sources import assert_agree, both_sides, load, model
from tests.worker.recurrent_models import int8, recurrent, unroll

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("package", "layer"),
    [("keras", "LSTM"), ("keras", "GRU"), ("keras", "SimpleRNN"), ("tf_keras", "GRU"), ("tf_keras", "SimpleRNN")],
)
def test_a_loop_is_named_and_becomes_integers_once_it_is_unrolled(
    run_stage: RunStage, tmp_path: Path, package: str, layer: str
) -> None:
    source = recurrent(package, layer)
    assert load(run_stage, source).loops == ("memory",)
    unrolled = unroll(run_stage, source)
    assert "recurrent layers (memory) are unrolled, with the same weights" in unrolled.reason
    census = take(int8(run_stage, unrolled, tmp_path))
    assert census.subgraphs == 1
    assert census.float_ops == 0


def test_wrapped_nested_and_masked_layers_are_unrolled(run_stage: RunStage, tmp_path: Path) -> None:
    source = model("python", factory="recurrent.py:nested")
    assert set(load(run_stage, source).loops) == {"forward_memory", "backward_memory"}
    assert take(int8(run_stage, unroll(run_stage, source), tmp_path)).subgraphs == 1


def test_the_lstm_of_keras_2_is_fused_instead(run_stage: RunStage, tmp_path: Path) -> None:
    loaded = load(run_stage, recurrent("tf_keras", "LSTM"))
    assert loaded.loops == ()
    census = take(int8(run_stage, loaded, tmp_path))
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in {operator.name for operator in census.operators}
    assert census.float_ops == 0


def test_the_batch_of_recurrent_layers_is_fixed_and_said_so(run_stage: RunStage, tmp_path: Path) -> None:
    source = recurrent("keras", "LSTM")
    loaded = load(run_stage, source)
    assert loaded.signature.inputs[0].shape == (1, 5, 3)
    assert "the batch is fixed to 1, as TensorFlow Lite needs it for recurrent layers (memory)" in loaded.reason
    assert_agree(both_sides(run_stage, source, tmp_path))


def test_a_batch_that_the_recipe_fixes_is_kept(run_stage: RunStage) -> None:
    source = model(
        "python",
        factory="recurrent.py:model",
        kwargs={"package": "keras", "layer": "GRU"},
        input_shapes={"sequence": (2, 5, 3)},
    )
    loaded = load(run_stage, source)
    assert loaded.signature.inputs[0].shape == (2, 5, 3)
    assert "batch" not in loaded.reason


def test_a_layer_that_is_unrolled_already_needs_nothing(run_stage: RunStage) -> None:
    loaded = load(run_stage, recurrent("keras", "GRU", unroll=True))
    assert loaded.loops == ()
    assert loaded.signature.inputs[0].shape == (None, 5, 3)


def test_an_unknown_number_of_steps_is_refused_with_the_shape_to_fix(run_stage: RunStage, tmp_path: Path) -> None:
    source = recurrent("keras", "GRU", steps=None)
    assert_agree(both_sides(run_stage, source, tmp_path))
    with pytest.raises(ConversionError, match="the number of their steps is not known") as caught:
        unroll(run_stage, source)
    assert "`source.input_shapes: {sequence: [1, N, 3]}` with a number for N" in caught.value.fix


def test_a_layer_with_a_memory_between_calls_is_left_alone(run_stage: RunStage) -> None:
    assert load(run_stage, model("python", factory="recurrent.py:stateful")).loops == ()


def test_a_recurrent_model_with_a_replacement_is_unrolled_with_it(run_stage: RunStage, tmp_path: Path) -> None:
    spec = model(
        "python",
        layers=CustomLayersSpec(replace={"Swirl": "replacements.py:PlainSwirl"}),
        factory="lacking.py:recurrent",
    )
    loaded = load(run_stage, spec)
    assert loaded.loops == ("memory",)
    unrolled = unroll(run_stage, spec)
    assert [each.name for each in unrolled.replaced] == ["Swirl"]
    assert unrolled.replacement_sqnr_db is not None
    assert unrolled.replacement_sqnr_db > 60
    census = take(int8(run_stage, unrolled, tmp_path))
    assert (census.float_ops, census.subgraphs) == (0, 1)
