from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.contracts import ModelSpec, TensorSpec
from recipekit.errors import SourceError, UnsafeSource
from tests.conftest import RunStage
from tests.worker.float_sources import dataset, load, measured, model, reference, values, worst_sqnr_db

pytestmark = pytest.mark.tensorflow

BOTH = {"feed/left": (None, 8), "feed/right": (None, 8)}


def graph(path: Path, inputs: dict[str, Any], *outputs: str, **source: Any) -> ModelSpec:
    return model("frozen_graph", path, inputs=inputs, outputs=outputs, **source)


@pytest.mark.parametrize(
    ("quantization", "sqnr_db"), [("none", 110.0), ("float16", 60.0), ("dynamic_range", 30.0), ("int8", 30.0)]
)
def test_every_scheme_keeps_to_the_graph(
    run_stage: RunStage, graph_models: Path, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    spec = graph(graph_models / "scorer.pb", BOTH, "scores", "total")
    measurement = measured(run_stage, spec, tmp_path, quantization)
    assert measurement.parity.keys() == {"scores", "total"}
    assert worst_sqnr_db(measurement) > sqnr_db


def test_a_name_is_an_operator_or_a_tensor_and_stays_as_it_was_given(run_stage: RunStage, graph_models: Path) -> None:
    spec = graph(graph_models / "scorer.pb", {"feed/right:0": (1, 8), "feed/left": (1, 8)}, "total:0")
    loaded = load(run_stage, spec)
    assert loaded.loader == "frozen_graph"
    assert loaded.signature.inputs == (
        TensorSpec(name="feed/right:0", shape=(1, 8), dtype="float32"),
        TensorSpec(name="feed/left", shape=(1, 8), dtype="float32"),
    )
    assert loaded.signature.outputs == (TensorSpec(name="total:0", shape=(1, 6), dtype="float32"),)


def test_a_graph_as_text_is_the_same_model(run_stage: RunStage, graph_models: Path) -> None:
    binary, text = (
        load(run_stage, graph(graph_models / name, BOTH, "scores")) for name in ("scorer.pb", "scorer.pbtxt")
    )
    assert text.signature == binary.signature
    assert text.parameters == binary.parameters == 8 * 6 + 6 + 1


def test_what_lies_before_an_input_is_left_out(run_stage: RunStage, graph_models: Path, tmp_path: Path) -> None:
    path = graph_models / "decoder.pb"
    with pytest.raises(UnsafeSource, match="ReadFile"):
        load(run_stage, graph(path, {"path": ()}, "y"))
    spec = graph(path, {"image": (None, 8)}, "y")
    samples = {"image": np.arange(-8, 8, dtype=np.float32).reshape(2, 8)}
    answer = reference(run_stage, spec, load(run_stage, spec), dataset(tmp_path / "samples.npz", samples))
    np.testing.assert_array_equal(values(answer)["y"], np.maximum(samples["image"] * 2, 0))


def test_a_branch_of_tensorflow_1_follows_its_scalar_input(
    run_stage: RunStage, graph_models: Path, tmp_path: Path
) -> None:
    spec = graph(graph_models / "branches.pb", {"x": (None, 8), "training": ()}, "y")
    samples = {"x": np.full((2, 8), 5, np.float32), "training": np.array([False, True])}
    answer = reference(run_stage, spec, load(run_stage, spec), dataset(tmp_path / "samples.npz", samples))
    assert values(answer)["y"][:, 0].tolist() == [18.0, 30.0]
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path, samples=samples)) > 110


def test_a_placeholder_with_a_default_may_be_left_to_it(
    run_stage: RunStage, graph_models: Path, tmp_path: Path
) -> None:
    spec = graph(graph_models / "branches.pb", {"x": (None, 8)}, "y")
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


@pytest.mark.parametrize(
    ("inputs", "output", "message", "fix"),
    [
        ({"feed/lift": (1, 8)}, "scores", "no tensor 'feed/lift'; did you mean 'feed/left'", "feed/left, feed/right"),
        (BOTH, "scrores", "no tensor 'scrores'; did you mean 'scores'", "it ends in scores, total"),
        (BOTH, "scores:1", "no tensor 'scores:1'", "it ends in scores, total"),
        ({"feed/left": (1, 8)}, "scores", "the placeholder 'feed/right', which is no input", "add it"),
        ({**BOTH, "hidden": (1, 6)}, "scores", "don't depend on the input 'feed/left'", "take it out"),
        ({**BOTH, "feed/left:0": (1, 8)}, "scores", "two inputs name the tensor 'feed/left:0'", "once"),
        ({**BOTH, "feed/left": (1, 9)}, "scores", r"\[1, 9\] .* contradicts the graph's own \(None, 8\)", "null"),
    ],
)
def test_a_name_or_shape_that_does_not_fit_is_shown_beside_what_there_is(
    run_stage: RunStage, graph_models: Path, inputs: dict[str, Any], output: str, message: str, fix: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        load(run_stage, graph(graph_models / "scorer.pb", inputs, output))
    assert fix in caught.value.fix


def test_a_graph_with_variables_is_not_frozen(run_stage: RunStage, graph_models: Path) -> None:
    with pytest.raises(SourceError, match=r"is not frozen: the outputs depend on the variable '(kernel|bias)'"):
        load(run_stage, graph(graph_models / "not_frozen.pb", BOTH, "scores"))


def test_an_operator_that_tensorflow_does_not_know_is_named(run_stage: RunStage, graph_models: Path) -> None:
    with pytest.raises(SourceError, match="OperatorOfOurOwn"):
        load(run_stage, graph(graph_models / "unknown_operator.pb", BOTH, "scores"))


@pytest.mark.parametrize("content", [b"", b"\x0a\xff", b"node {", b"\xff\xfe text"])
def test_a_file_that_is_no_graph_is_not_readable(run_stage: RunStage, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"is not a readable GraphDef|holds a graph without operators"):
        load(run_stage, graph(path, BOTH, "scores"))


def test_the_graph_of_a_saved_model_is_sent_to_its_own_kind(run_stage: RunStage, graph_models: Path) -> None:
    with pytest.raises(SourceError, match="belongs to a SavedModel") as caught:
        load(run_stage, graph(graph_models / "scorer" / "saved_model.pb", BOTH, "scores"))
    assert "source.kind: saved_model" in caught.value.fix
    with pytest.raises(SourceError, match="there is no such file"):
        load(run_stage, graph(graph_models / "nothing.pb", BOTH, "scores"))
