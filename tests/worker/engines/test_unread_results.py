from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.worker.census import OperatorSite, operators_of
from recipekit.worker.engines.unread_results import settled
from tests.conftest import RunStage
from tests.worker.float_sources import load
from tests.worker.recurrent_models import int8, recurrent, unroll


def test_a_quantizer_is_asked_once_where_every_result_is_read() -> None:
    calls: list[int] = []

    def quantize() -> bytes:
        calls.append(1)
        return b"anything"

    assert settled(quantize, [OperatorSite("SPLIT", ("a", "b"), True)]) == b"anything"
    assert len(calls) == 1


@pytest.mark.tensorflow
def test_the_first_result_that_leaves_none_float_is_taken(measured_models: Path) -> None:
    float32, integers = ((measured_models / f"{name}.tflite").read_bytes() for name in ("float32", "int8"))
    unsteady = [OperatorSite("CONV_2D", ("a", "b"), True, unread=True)]
    answers = iter([float32, float32, integers, float32])
    assert settled(lambda: next(answers), unsteady) == integers
    assert next(answers) == float32
    assert settled(lambda: float32, unsteady) == float32


@pytest.mark.tensorflow
def test_an_unrolled_lstm_gives_the_same_bytes_each_time(run_stage: RunStage, tmp_path: Path) -> None:
    source = recurrent("keras", "LSTM")
    assert load(run_stage, source).loops
    unrolled = unroll(run_stage, source)
    made = [int8(run_stage, unrolled, tmp_path).read_bytes() for _ in range(6)]
    assert any(site.unread for site in operators_of(made[0]))
    assert len(set(made)) == 1
