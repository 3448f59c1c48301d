from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts import LoadedModel, Signature, SourceLayer, TensorSpec
from recipekit.errors import ConversionError, UnsupportedOp
from recipekit.faults import find_faults
from recipekit.worker.engines.converter_failures import classify, input_shapes, require_flatbuffer

SIGNATURE = Signature(
    inputs=(
        TensorSpec(name="image", shape=(None, None, 4), dtype="float32"),
        TensorSpec(name="gain", shape=(), dtype="float32"),
    ),
    outputs=(),
)
LOADED = LoadedModel(
    saved_model="saved_model",
    signatures={"serving_default": SIGNATURE},
    loader="keras3",
    reason="",
    layers=(
        SourceLayer(name="net", kind="Functional", weighted=True, scopes=("net_1",)),
        SourceLayer(name="curve", kind="Curve", weighted=True, scopes=("net_1/curve_1",)),
        SourceLayer(name="curve_1", kind="Curve", weighted=True, scopes=("net_1/curve_1_1",)),
    ),
)


class ConverterError(Exception):
    """Stands for TensorFlow's own, which carries the operators in `errors`."""

    def __init__(self, text: str, errors: list[Any]) -> None:
        super().__init__(text)
        self.errors = errors


def _needs_flex(operator: str, *calls: str) -> Any:
    return SimpleNamespace(
        ErrorCode=SimpleNamespace(Name=lambda code: code),
        error_code="ERROR_NEEDS_FLEX_OPS",
        operator=SimpleNamespace(name=operator),
        location=SimpleNamespace(call=[SimpleNamespace(name=call) for call in calls]),
        error_message="",
    )


def _said(error: Exception) -> str:
    return classify(error, LOADED).what


def test_many_places_of_one_operator_are_counted() -> None:
    places = [_needs_flex("tf.Foo", f"layer_{index}@__inference_1", "outer@f") for index in range(5)]
    error = classify(ConverterError("", places), LOADED)
    assert isinstance(error, UnsupportedOp)
    assert error.what.endswith("tf.Foo (at layer_0, layer_1, layer_2 and 2 more)")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("net_1/curve_1/Foo", "in curve (Curve)"),
        ("net_1/curve_1_1/while/body/Foo", "in curve_1 (Curve)"),
        ("net_1/Foo", "in net (Functional)"),
        ("elsewhere/curve_1/Foo", "at elsewhere/curve_1/Foo"),
    ],
)
def test_an_operator_is_told_by_the_innermost_layer_that_made_it(place: str, said: str) -> None:
    assert _said(ConverterError("", [_needs_flex("tf.Foo", f"{place}@f")])).endswith(f"tf.Foo ({said})")


def test_the_choices_can_be_pasted_into_a_recipe() -> None:
    fix = classify(ConverterError("", [_needs_flex("tf.Foo"), _needs_flex("tf.BarV2")]), LOADED).fix
    pasted = [yaml.safe_load(line) for line in fix.splitlines() if line.startswith("      ")]
    recipe = {"name": "pasted", "version": "1.0.0", "source": {"kind": "keras", "path": "m.keras"}}
    evaluation = {"dataset": {"plugin": "digits"}}
    for sections in pasted:
        converter = {"quantization": "none", **sections.get("converter", {})}
        assert find_faults({**recipe, "evaluation": evaluation, **sections, "converter": converter}, "recipe") == []
    assert [list(*sections.values()) for sections in pasted] == [["replace"], ["supported_ops"], ["allow_custom_ops"]]
    assert pasted[0]["custom_layers"]["replace"] == {
        "BarV2": "replacements.py:barv2",
        "Foo": "replacements.py:foo",
    }


def test_an_operator_without_a_place_is_still_named() -> None:
    assert _said(ConverterError("", [_needs_flex("tf.Foo")])).endswith("operators of the model: tf.Foo")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("first\n\n  last line  \n", "last line"),
        ('<unknown>:0: error: loc("a"): it is wrong\n<unknown>:0: note: loc("a"): called from\n', "it is wrong"),
        ("<unknown>:0: error: early\n<unknown>:0: error: late\n^bb0(%arg0):\n}", "late"),
        ("", "it gave no reason"),
    ],
)
def test_an_unknown_failure_gives_its_last_meaningful_line(text: str, line: str) -> None:
    assert _said(ConverterError(text, [])) == f"TFLiteConverter failed: {line}"


def test_an_unknown_failure_that_is_not_the_converters_own_gives_its_type() -> None:
    assert _said(KeyError("apple")) == "TFLiteConverter failed: KeyError: 'apple'"


@given(st.text())
def test_any_message_becomes_one_typed_error(text: str) -> None:
    error = classify(RuntimeError(text), LOADED)
    assert isinstance(error, ConversionError | UnsupportedOp)
    assert error.what
    assert error.fix


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Cannot set tensor: Size mismatch, expected 3 for dim 1 but found 4", "expected 3 for dim 1 but found 4"),
        ("x: Failed for tensor a\nEmpty min/max for tensor while_cond_arg0", "wants one of the tensor while_cond_arg0"),
        ("read_variable.cc:67 variable != nullptr was not true.Node number 5", "weights were not saved"),
    ],
)
def test_a_known_message_gives_its_cause(text: str, what: str) -> None:
    assert what in _said(RuntimeError(text))


def test_shapes_are_written_as_a_recipe_takes_them() -> None:
    assert input_shapes(SIGNATURE) == "{image: [1, N, 4]}"


@pytest.mark.parametrize("data", [b"", b"\x18\0\0\0TFL3", b"\x1c\0\0\0" + b"TFL4" + bytes(24), b"<html></html>"])
def test_bytes_without_identifier_or_body_are_no_flatbuffer(data: bytes) -> None:
    with pytest.raises(ConversionError, match=f"gave {len(data)} bytes"):
        require_flatbuffer(data)


def test_a_body_behind_the_identifier_is_taken_for_a_flatbuffer() -> None:
    require_flatbuffer(b"\x1c\0\0\0TFL3" + bytes(24))
