"""The engine `ai_edge_quantizer` by its results: schemes, rules, refusals. No TensorFlow anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recipekit.errors import ConversionError
from recipekit.schema import schema
from recipekit.worker.engines.ai_edge_schemes import ALGORITHMS, combinations
from tests.models.built_flatbuffers import classifier, convolutional, embedding, negated, reshaped
from tests.worker.engines.quantizer_runs import Quantized, Quantizer, converter, rule, sqnr_db


@pytest.fixture
def quantizer(tmp_path: Path) -> Quantizer:
    return Quantizer(tmp_path, classifier())


@pytest.mark.parametrize(
    ("quantization", "changes", "present", "least_db"),
    [
        ("float16", {}, {"float16"}, 50),
        ("dynamic_range", {}, {"int8", "float32"}, 30),
        ("dynamic_range", {"weight_bits": 4}, {"float32"}, 10),
        ("dynamic_range", {"weight_bits": 2}, {"float32"}, 0),
        ("dynamic_range", {"weight_bits": 4, "granularity": "blockwise_32"}, {"float32"}, 10),
        ("dynamic_range", {"granularity": "per_tensor"}, {"int8"}, 30),
        ("weight_only", {}, {"int8", "float32"}, 30),
        ("weight_only", {"weight_bits": 4}, {"float32"}, 10),
        ("int8", {}, {"int8"}, 20),
        ("int8", {"weight_bits": 4}, {"int8"}, 8),
        ("int16x8", {}, {"int16", "int8"}, 30),
        ("int8", {"ranges": "moving_average"}, {"int8"}, 10),
    ],
)
def test_a_scheme_quantizes_as_it_says_and_the_model_still_answers(
    quantizer: Quantizer, quantization: str, changes: dict[str, Any], present: set[str], least_db: float
) -> None:
    quantized = quantizer(converter(quantization, **changes))
    reference = Quantized(quantizer.path.read_bytes()).answers(quantizer.samples)
    assert present <= quantized.tensor_dtypes()
    assert quantized.dtypes() == {"float32"}
    assert sqnr_db(reference, quantized.answers(quantizer.samples)) > least_db
    assert len(quantized.flatbuffer) < quantizer.path.stat().st_size


def test_one_calibration_serves_every_calibrated_scheme(quantizer: Quantizer) -> None:
    shared = quantizer.calibration(converter("int8"))
    for quantization in ("int8", "int16x8"):
        for bits in (8, 4):
            spec = converter(quantization, weight_bits=bits)
            assert quantizer(spec, shared).flatbuffer == quantizer(spec).flatbuffer


def test_without_a_scheme_the_model_stays_as_it_is(quantizer: Quantizer) -> None:
    assert quantizer(converter("none")).flatbuffer == quantizer.path.read_bytes()


@pytest.mark.parametrize(("quantization", "dtype"), [("int8", "int8"), ("int16x8", "int16")])
@pytest.mark.parametrize("signature", ["serving_default", ""])
def test_inputs_and_outputs_are_of_the_declared_dtype_and_keep_their_names(
    tmp_path: Path, quantization: str, dtype: str, signature: str
) -> None:
    quantizer = Quantizer(tmp_path, classifier(signature))
    for ends in ((dtype, dtype), ("float32", dtype), (dtype, "float32"), ("float32", "float32")):
        quantized = quantizer(converter(quantization, input_type=ends[0], output_type=ends[1]))
        named = [(tensor.name, tensor.dtype) for tensor in (*quantized.census.inputs, *quantized.census.outputs)]
        assert named == [("x", ends[0]), ("scores" if signature else "probabilities", ends[1])]
        assert quantized.census.float_ops == 0


def test_an_input_of_integers_stays_what_it_is(tmp_path: Path) -> None:
    spec = converter("int8", input_type="int8", output_type="int8", allow_float=True)
    quantized = Quantizer(tmp_path, embedding())(spec)
    assert [tensor.dtype for tensor in (*quantized.census.inputs, *quantized.census.outputs)] == ["int32", "int8"]


@pytest.mark.parametrize("algorithm", ["octav", "mse", "gptq", "oscar"])
def test_an_algorithm_gives_other_weights_than_min_max(quantizer: Quantizer, algorithm: str) -> None:
    plain = quantizer(converter("dynamic_range", weight_bits=4))
    other = quantizer(converter("dynamic_range", weight_bits=4, algorithm=algorithm))
    assert other.flatbuffer != plain.flatbuffer
    assert other.census.float_op_names


@pytest.mark.parametrize("algorithm", ["hadamard", "decomposed_hadamard_rotation", "hadamard_rotation"])
def test_a_rotation_of_the_weights_is_undone_in_the_model(quantizer: Quantizer, algorithm: str) -> None:
    quantized = quantizer(converter("dynamic_range", algorithm=algorithm))
    reference = Quantized(quantizer.path.read_bytes()).answers(quantizer.samples)
    assert sqnr_db(reference, quantized.answers(quantizer.samples)) > 25
    assert bool(quantized.census.custom_ops) == (algorithm == "hadamard_rotation")


def test_operators_that_an_algorithm_lacks_are_left_to_min_max(quantizer: Quantizer) -> None:
    assert quantizer(converter("int8", algorithm="gptq")).census.float_ops == 0


def test_an_algorithm_that_no_operator_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="gptq fits no operator of the model: it quantizes FULLY_CONNECTED"):
        Quantizer(tmp_path, convolutional())(converter("dynamic_range", algorithm="gptq"))


def test_an_unknown_algorithm_gets_the_nearest_name(quantizer: Quantizer) -> None:
    with pytest.raises(ConversionError, match="did you mean 'octav'") as caught:
        quantizer(converter("int8", algorithm="octave"))
    assert "gptq" in caught.value.fix


def test_the_recipe_language_names_exactly_what_the_engine_knows() -> None:
    branches = [branch["then"]["properties"] for branch in schema("recipe")["properties"]["converter"]["allOf"]]
    (algorithms,) = [keys["algorithm"]["enum"] for keys in branches if "enum" in keys.get("algorithm", {})]
    granularities = max(
        (keys["granularity"]["enum"] for keys in branches if "enum" in keys.get("granularity", {})), key=len
    )
    assert algorithms == list(ALGORITHMS)
    assert set(granularities) == {granularity for _, granularity in combinations()}


@pytest.mark.parametrize(
    ("quantization", "changes", "choices"),
    [
        ("dynamic_range", {"weight_bits": 2}, "weight_bits 8 per_channel, weight_bits 8 per_tensor"),
        ("dynamic_range", {"weight_bits": 4, "granularity": "blockwise_64"}, "weight_bits 4 per_channel"),
        ("weight_only", {"weight_bits": 2}, "weight_bits 8 per_channel"),
    ],
)
def test_what_fits_no_operator_is_refused_with_what_fits(
    tmp_path: Path, quantization: str, changes: dict[str, Any], choices: str
) -> None:
    with pytest.raises(ConversionError, match="can quantize no operator") as caught:
        Quantizer(tmp_path, convolutional())(converter(quantization, **changes))
    assert choices in caught.value.fix
    assert "weight_bits 2" not in caught.value.fix


def test_an_operator_without_integer_kernel_is_named_unless_float_is_allowed(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier(between=negated))
    with pytest.raises(ConversionError, match=r"still compute in float: NEG \('flipped'\)") as caught:
        quantizer(converter("int8"))
    assert "allow_float: true" in caught.value.fix
    assert quantizer(converter("int8", allow_float=True)).float_outputs == {"flipped"}
    assert quantizer(converter("int8", rule("none", op="NEG"))).float_outputs == {"flipped"}


def test_reading_a_shape_does_not_make_an_integer_model_float(tmp_path: Path) -> None:
    quantized = Quantizer(tmp_path, classifier(between=reshaped))(
        converter("int8", input_type="int8", output_type="int8")
    )
    assert quantized.census.float_ops == 0
    assert not quantized.ops & {"QUANTIZE", "DEQUANTIZE"}


def test_a_rule_may_match_what_reads_a_shape(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier(between=reshaped))
    assert quantizer(converter("int8", rule("none", name="size|flat"))).float_outputs == {"flat"}
    only = quantizer(converter("none", rule("int8", name="size|flat"))).float_outputs
    assert only == {"hidden", "logits", "probabilities"}


@pytest.mark.parametrize("quantization", ["int8", "int16x8"])
def test_a_rule_leaves_exactly_its_operators_float(quantizer: Quantizer, quantization: str) -> None:
    assert quantizer(converter(quantization, rule("none", name="logits"))).float_outputs == {"logits"}
    assert quantizer(converter(quantization, rule("none", op="FULLY_CONNECTED"))).float_outputs == {"hidden", "logits"}


def test_the_last_rule_that_matches_wins(quantizer: Quantizer) -> None:
    rules = (rule("none", op="FULLY_CONNECTED"), rule("int8", name="hid.*"))
    assert quantizer(converter("int8", *rules)).float_outputs == {"logits"}


def test_a_rule_quantizes_where_the_scheme_does_not(quantizer: Quantizer) -> None:
    quantized = quantizer(converter("none", rule("int8", name="logits")))
    assert quantized.float_outputs == {"hidden", "probabilities"}
    half = quantizer(converter("none", rule("float16", name="hidden"))).tensor_dtypes()
    assert {"float16", "float32"} <= half
    assert "int8" not in half


def test_a_name_is_matched_whole_and_not_as_a_pattern_of_the_quantizer(tmp_path: Path) -> None:
    def twin(graph: Any, source: int) -> int:
        return int(graph.add("TANH", "logits2;a(b", [source], (1, 32)))

    quantizer = Quantizer(tmp_path, classifier(between=twin))
    assert quantizer(converter("int8", rule("none", name="logits"))).float_outputs == {"logits"}
    assert quantizer(converter("int8", rule("none", name=r"logits2;a\(b"))).float_outputs == {"logits2;a(b"}


def test_a_rule_that_matches_nothing_is_refused(quantizer: Quantizer) -> None:
    for quantization in ("none", "int8"):
        with pytest.raises(ConversionError, match="no operator SOFTMX; did you mean 'SOFTMAX'"):
            quantizer(converter(quantization, rule("none", op="SOFTMX")))


@pytest.mark.parametrize(("quantization", "op"), [("int8", "NEG"), ("weight_only", "SOFTMAX")])
def test_a_rule_that_cannot_be_carried_out_is_refused(tmp_path: Path, quantization: str, op: str) -> None:
    with pytest.raises(ConversionError, match=f"can't quantize {op} '.*' as {quantization}"):
        Quantizer(tmp_path, classifier(between=negated))(converter("dynamic_range", rule(quantization, op=op)))


def test_rules_that_leave_nothing_to_quantize_are_refused(quantizer: Quantizer) -> None:
    with pytest.raises(ConversionError, match="can quantize no operator"):
        quantizer(converter("int8", rule("none", name=".*")))


def test_what_the_quantizer_stumbles_over_is_told_in_its_words(quantizer: Quantizer) -> None:
    with pytest.raises(ConversionError, match="not divisible by block size 256"):
        quantizer(converter("dynamic_range", weight_bits=4, granularity="blockwise_256"))
