from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.contracts import QuantizedTensor
from recipekit.errors import EvaluationError
from recipekit.worker import census
from tests.models.edits import rewritten

pytestmark = pytest.mark.tensorflow

FLOAT_CLASSIFIER = ("CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX")
KEPT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", ["float32", "int8", "uint8", "int16x8", "dynamic_range", "float16", "twins", "mixed"])
def test_operators_and_tensors_are_those_of_the_runtime(measured_models: Path, name: str) -> None:
    path = measured_models / f"{name}.tflite"
    interpreter = Interpreter(model_path=str(path))
    expected = Counter(operator["op_name"] for operator in interpreter._get_ops_details())
    taken = census.take(path)
    assert Counter({operator.name: operator.count for operator in taken.operators}) == expected
    assert taken.tensors == len(interpreter.get_tensor_details())
    assert taken.subgraphs == interpreter.num_subgraphs()
    assert {operator.kind for operator in taken.operators} == {"builtin"}


@pytest.mark.parametrize("name", ["int8", "uint8", "int16x8", "float32", "twins"])
def test_inputs_and_outputs_are_those_of_the_signature(measured_models: Path, name: str) -> None:
    path = measured_models / f"{name}.tflite"
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    taken = census.take(path)
    for ports, details in ((taken.inputs, runner.get_input_details()), (taken.outputs, runner.get_output_details())):
        assert [port.name for port in ports] == sorted(details)
        for port in ports:
            detail = details[port.name]
            scale, zero_point = detail["quantization"]
            assert port.dtype == detail["dtype"].__name__
            assert port.shape == tuple(detail["shape_signature"])
            assert (port.scale or 0.0) == pytest.approx(scale)
            assert (port.zero_point or 0) == zero_point


@pytest.mark.parametrize(
    ("name", "float_ops"),
    [
        ("float32", FLOAT_CLASSIFIER),
        ("dynamic_range", FLOAT_CLASSIFIER),
        ("float16", FLOAT_CLASSIFIER),
        ("int8", ()),
        ("uint8", ()),
        ("int16x8", ()),
        ("mixed", ("GREATER", "MUL")),
    ],
)
def test_float_operators_are_those_that_compute_in_float(
    measured_models: Path, name: str, float_ops: tuple[str, ...]
) -> None:
    taken = census.take(measured_models / f"{name}.tflite")
    assert taken.float_op_names == float_ops
    assert taken.float_ops == sum(op.count for op in taken.operators if op.name in float_ops)


def test_every_float_operator_counts(measured_models: Path) -> None:
    assert census.take(measured_models / "float32.tflite").float_ops == 5


def test_a_result_that_nobody_reads_makes_no_operator_float(measured_models: Path, tmp_path: Path) -> None:
    def add_result(model: Any) -> None:
        graph = model.subgraphs[0]
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = b"unread", [1], schema.TensorType.FLOAT32, 0
        graph.tensors.append(tensor)
        graph.operators[0].outputs = [*graph.operators[0].outputs, len(graph.tensors) - 1]

    path = rewritten(measured_models / "int8.tflite", tmp_path / "model.tflite", add_result)
    assert census.take(path).float_ops == 0


def test_a_select_tf_operator_is_named_without_its_prefix(measured_models: Path) -> None:
    taken = census.take(measured_models / "flex.tflite")
    assert taken.select_tf_ops == ("MatrixDeterminant",)
    assert taken.custom_ops == ()
    assert {(op.name, op.kind) for op in taken.operators} == {
        ("FlexMatrixDeterminant", "flex"),
        ("RESHAPE", "builtin"),
    }


def test_a_custom_operator_is_named(measured_models: Path) -> None:
    taken = census.take(measured_models / "custom.tflite")
    assert taken.custom_ops == ("MatrixDeterminant",)
    assert taken.select_tf_ops == ()


def test_dynamic_dimensions_are_minus_one(measured_models: Path) -> None:
    inputs = census.take(measured_models / "mixed.tflite").inputs
    assert inputs == (
        QuantizedTensor(name="n", dtype="int32", shape=(-1,)),
        QuantizedTensor(name="x", dtype="float32", shape=(-1, -1)),
    )


def test_the_minimal_runtime_version_is_read(measured_models: Path) -> None:
    assert census.take(measured_models / "int8.tflite").min_runtime_version == "1.14.0"


def test_without_metadata_the_minimal_runtime_version_is_empty(measured_models: Path, tmp_path: Path) -> None:
    def strip(model: Any) -> None:
        model.metadata = []

    path = rewritten(measured_models / "int8.tflite", tmp_path / "model.tflite", strip)
    assert census.take(path).min_runtime_version == ""


def test_without_a_signature_tensors_go_by_their_own_names(measured_models: Path, tmp_path: Path) -> None:
    def strip(model: Any) -> None:
        model.signatureDefs = []

    path = rewritten(measured_models / "twins.tflite", tmp_path / "model.tflite", strip)
    details = Interpreter(model_path=str(path)).get_input_details()
    assert [port.name for port in census.take(path).inputs] == sorted(detail["name"] for detail in details)


def test_operator_codes_beyond_the_old_field_are_read(measured_models: Path, tmp_path: Path) -> None:
    def renumber(model: Any) -> None:
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.REDUCE_WINDOW
        model.operatorCodes[0].deprecatedBuiltinCode = 127  # what converters write there for codes above 127

    path = rewritten(measured_models / "reciprocal.tflite", tmp_path / "model.tflite", renumber)
    assert census.take(path).float_op_names == ("REDUCE_WINDOW",)


def test_operator_codes_of_old_converters_are_read(measured_models: Path, tmp_path: Path) -> None:
    def renumber(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 0
        model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.DIV

    path = rewritten(measured_models / "reciprocal.tflite", tmp_path / "model.tflite", renumber)
    assert census.take(path).float_op_names == ("DIV",)


@pytest.mark.parametrize("data", [b"", b"\x1c\0\0\0TFL3", b"\x1c\0\0\0TFL3" + bytes(range(256)), b"no flatbuffer" * 99])
def test_what_is_no_flatbuffer_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    with pytest.raises(EvaluationError, match=r"is not a readable \.tflite"):
        census.take(path)


def test_a_missing_file_is_an_evaluation_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="can't be read"):
        census.take(tmp_path / "missing.tflite")


@KEPT
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_is_refused(measured_models: Path, tmp_path: Path, share: float) -> None:
    data = (measured_models / "float32.tflite").read_bytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(EvaluationError, match=r"is not a readable \.tflite"):
        census.take(path)


@KEPT
@given(damage=st.lists(st.tuples(st.integers(8, 1000), st.integers(0, 255)), min_size=1, max_size=20))
def test_damaged_bytes_never_escape_as_another_error(
    measured_models: Path, tmp_path: Path, damage: list[tuple[int, int]]
) -> None:
    data = bytearray((measured_models / "twins.tflite").read_bytes())
    for position, value in damage:
        data[position] = value
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    with suppress(EvaluationError):
        census.take(path)
