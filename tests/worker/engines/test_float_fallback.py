"""Rules of a recipe for TFLiteConverter, against the public quantization debugger and the census."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recipekit.contracts import ConverterSpec, Rule
from recipekit.errors import ConversionError
from recipekit.worker import census
from recipekit.worker.census import OperatorSite, operators_of
from recipekit.worker.engines.float_fallback import FloatFallback, float_fallback
from tests.built_models import script_of_models
from tests.models.built_flatbuffers import classifier
from tests.models.candidates import converted_part
from tests.worker.conversions import Conversions, Models, Opened, spec

SITES = operators_of(classifier())


def _int8(*rules: Rule, io: str = "float32") -> ConverterSpec:
    return spec("int8", io, rules=rules)


def _none(op: str | None = None, name: str | None = None) -> Rule:
    return Rule(op=op, name=name, quantization="none")


def _denied(*rules: Rule) -> FloatFallback:
    fallback = float_fallback(_int8(*rules), SITES)
    assert fallback is not None
    return fallback


def test_without_rules_or_with_all_undone_nothing_falls_back() -> None:
    assert float_fallback(spec("int8"), SITES) is None
    assert float_fallback(_int8(_none("SOFTMAX"), Rule(name=".*", quantization="int8")), SITES) is None


def test_operators_are_denied_by_kind_where_all_of_a_kind_are_and_by_name_elsewhere() -> None:
    assert (_denied(_none("SOFTMAX")).ops, _denied(_none("SOFTMAX")).nodes) == (["SOFTMAX"], [])
    assert (_denied(_none(name="logits")).ops, _denied(_none(name="logits")).nodes) == ([], ["logits"])
    everything = _denied(_none(name=".*"))
    assert (everything.ops, everything.nodes) == (["FULLY_CONNECTED", "SOFTMAX"], [])


def test_an_operator_on_integers_needs_no_denial() -> None:
    site = OperatorSite("ADD", ("next",), is_float=False)
    assert float_fallback(_int8(_none("ADD")), [site]) is None


@pytest.mark.parametrize(
    ("converter", "words"),
    [
        (spec("int16x8", rules=(_none("SOFTMAX"),)), ["int8 alone, not with int16x8", "quantization: int8"]),
        (spec("dynamic_range", rules=(_none("SOFTMAX"),)), ["not with dynamic_range"]),
        (_int8(Rule(op="SOFTMAX", quantization="int16x8")), ["make some of them int16x8", "quantization: none"]),
    ],
)
def test_a_rule_that_the_converter_cannot_follow_is_refused_with_the_way_out(
    converter: ConverterSpec, words: list[str]
) -> None:
    with pytest.raises(ConversionError) as caught:
        float_fallback(converter, SITES)
    assert caught.value.where == "converter.rules[0]"
    for word in (*words, "ai_edge_quantizer"):
        assert word in str(caught.value)


@pytest.mark.tensorflow
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "rules", "ops", "nodes"),
    [
        ("Attention", (_none("SOFTMAX"),), ["SOFTMAX"], None),
        ("Attention", (_none("BATCH_MATMUL"), _none(name="Mean")), ["BATCH_MATMUL"], ["Mean"]),
        ("Scorer", (_none("CONV_2D", ".*Conv2D_1"),), None, ["Relu_1;Conv2D_1"]),
        ("Heads", (_none("MAX_POOL_2D"), _none("SOFTMAX")), ["MAX_POOL_2D", "SOFTMAX"], None),
    ],
)
def test_rules_give_the_bytes_of_the_quantization_debugger(
    convert: Conversions,
    models: Models,
    tmp_path: Path,
    model: str,
    rules: tuple[Rule, ...],
    ops: list[str] | None,
    nodes: list[str] | None,
) -> None:
    np.savez(tmp_path / "arrays.npz", **models.arrays(model))  # type: ignore[arg-type]  # taken for `allow_pickle`
    options = json.dumps({"denylisted_ops": ops, "denylisted_nodes": nodes})
    paths = models.folder / model, tmp_path / "arrays.npz"
    script_of_models("quantization_debugger", *paths, options, tmp_path / "out")
    assert converted_part(Path(convert(model, _int8(*rules)).path).read_bytes()) == (tmp_path / "out").read_bytes()


@pytest.mark.tensorflow
@pytest.mark.parametrize("io", ["float32", "int8", "uint8"])
def test_what_a_rule_names_computes_in_float_and_the_rest_in_integers(convert: Conversions, io: str) -> None:
    converted = convert("Scorer", _int8(_none(name="StatefulPartitionedCall:0"), io=io))
    assert census.take(Path(converted.path)).float_op_names == ("FULLY_CONNECTED",)
    assert Opened(converted).io_types() == {io}


@pytest.mark.tensorflow
def test_an_operator_with_several_outputs_is_left_float(convert: Conversions) -> None:
    converted = convert("Heads", _int8(_none("SPLIT")))
    assert census.take(Path(converted.path)).float_op_names == ("SPLIT",)


@pytest.mark.tensorflow
def test_a_later_rule_undoes_an_earlier_one(convert: Conversions) -> None:
    plain = convert("Scorer", spec("int8", "int8"))
    undone = convert("Scorer", _int8(_none(name=".*"), Rule(op="CONV_2D", quantization="int8"), io="int8"))
    assert census.take(Path(undone.path)).float_op_names == ("CONCATENATION", "FULLY_CONNECTED", "RESHAPE")
    all_undone = convert("Scorer", _int8(_none("CONV_2D"), Rule(name=".*", quantization="int8"), io="int8"))
    assert all_undone.sha256 == plain.sha256


@pytest.mark.tensorflow
def test_an_operator_that_the_quantizer_makes_integer_all_the_same_is_told(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="can't leave these operators float: STRIDED_SLICE") as caught:
        convert("FusedLstm", _int8(_none("STRIDED_SLICE")))
    assert "ai_edge_quantizer" in caught.value.fix


@pytest.mark.tensorflow
def test_a_rule_that_matches_nothing_is_told(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="did you mean 'CONV_2D'"):
        convert("Scorer", _int8(_none("CONV_3D")))


@pytest.mark.tensorflow
def test_rules_do_not_go_with_a_model_that_takes_the_one_call(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="one call, which takes no rules") as caught:
        convert("TrainedForQuantization", _int8(_none("FULLY_CONNECTED")))
    assert caught.value.where == "converter.rules"
