from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.contracts import QUANTIZE, Flatbuffer
from recipekit.errors import ConversionError, UnsupportedOp
from recipekit.pool import Pool
from tests.worker.conversions import Conversions, Opened, spec

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("quantization", "io", "allow_float"),
    [
        ("none", "float32", False),
        ("float16", "float32", False),
        ("dynamic_range", "float32", False),
        ("int8", "float32", False),
        ("int8", "int8", False),
        ("int8", "uint8", False),
        ("int8", "int8", True),
        ("int16x8", "float32", False),
        ("int16x8", "int16", False),
        ("int16x8", "int16", True),
    ],
)
def test_inputs_and_outputs_have_the_declared_dtype(
    convert: Conversions, quantization: str, io: str, allow_float: bool
) -> None:
    opened = Opened(convert("Scorer", spec(quantization, io, allow_float=allow_float)))
    assert opened.io_types() == {io}
    assert set(opened.inputs) == {"zebra", "apple"}
    assert set(opened.outputs) == {"scores"}


@pytest.mark.parametrize(
    ("quantization", "io", "present", "absent"),
    [
        ("none", "float32", {"float32"}, {"float16", "int8", "int16"}),
        ("float16", "float32", {"float16", "float32"}, {"int8", "int16"}),
        ("dynamic_range", "float32", {"int8", "float32"}, {"float16", "int16"}),
        ("int8", "int8", {"int8", "int32"}, {"float16", "float32", "int16"}),
        ("int16x8", "int16", {"int8", "int16", "int64"}, {"float16", "float32"}),
    ],
)
def test_a_quantization_decides_the_types_of_the_tensors(
    convert: Conversions, quantization: str, io: str, present: set[str], absent: set[str]
) -> None:
    types = Opened(convert("Scorer", spec(quantization, io))).tensor_types()
    assert present <= types
    assert not absent & types


@pytest.mark.parametrize("quantization", ["dynamic_range", "int8", "int16x8"])
def test_per_tensor_leaves_each_weight_one_scale(convert: Conversions, quantization: str) -> None:
    assert Opened(convert("Scorer", spec(quantization))).most_scales() == 4
    assert Opened(convert("Scorer", spec(quantization, granularity="per_tensor"))).most_scales() == 1


@pytest.mark.parametrize("quantization", ["int8", "int16x8"])
def test_inputs_of_equal_shape_are_calibrated_by_name(convert: Conversions, quantization: str) -> None:
    opened = Opened(convert("Scorer", spec(quantization, "int8" if quantization == "int8" else "int16")))
    assert opened.input_scale("apple") / opened.input_scale("zebra") == pytest.approx(100, rel=0.3)


def test_the_same_request_gives_the_same_bytes_in_another_process(convert: Conversions, tmp_path: Path) -> None:
    schemes = (spec("float16"), spec("dynamic_range"), spec("int8", "int8"), spec("int16x8", "int16"))
    with Pool() as other:
        for scheme in schemes:
            request = convert.request("Scorer", scheme)
            elsewhere = other.run(QUANTIZE, request, tmp_path / scheme.quantization).record
            here = convert("Scorer", scheme)
            assert isinstance(elsewhere, Flatbuffer)
            assert Path(elsewhere.path).read_bytes() == Path(here.path).read_bytes()


def test_the_conversion_metadata_is_left_out_unless_a_flag_asks_for_it(convert: Conversions) -> None:
    metadata = b"CONVERSION_METADATA"
    assert metadata not in Path(convert("Conv3D", spec()).path).read_bytes()
    kept = convert("Conv3D", spec(flags={"exclude_conversion_metadata": False}))
    assert metadata in Path(kept.path).read_bytes()


def test_a_flag_reaches_the_converter(convert: Conversions) -> None:
    new = convert("Scorer", spec("dynamic_range"))
    old = convert("Scorer", spec("dynamic_range", flags={"experimental_new_dynamic_range_quantizer": False}))
    assert new.sha256 != old.sha256


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"unfold_batchmatmull": True}, ["did you mean 'unfold_batchmatmul'?", "legalize_custom_tensor_list_ops"]),
        ({"unfold_batchmatmul": "yes"}, ["expects bool, got str 'yes'"]),
        ({"unfold_batchmatmul": 1}, ["expects bool, got int 1"]),
        ({"elide_elementsattrs_if_larger": True}, ["expects int, got bool True"]),
        ({"ir_dump_dir": 3}, ["expects str, got int 3"]),
        ({"_experimental_disable_per_channel": True}, ["no flag '_experimental_disable_per_channel'"]),
        ({"experimental_stablehlo_quantizer_config": {}}, ["no flag 'experimental_stablehlo_quantizer_config'"]),
        ({"optimizations": []}, ["`converter.quantization`"]),
        ({"target_spec": "x"}, ["`converter.supported_ops`"]),
        ({"inference_input_type": "int8"}, ["`converter.input_type`"]),
        ({"inference_output_type": "int8"}, ["`converter.output_type`"]),
        ({"representative_dataset": 1}, ["`representative_dataset`"]),
        ({"allow_custom_ops": True}, ["`converter.allow_custom_ops`"]),
    ],
)
def test_a_wrong_flag_is_refused_with_what_to_write_instead(
    convert: Conversions, flags: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConversionError) as caught:
        convert("Conv3D", spec(flags=flags))
    assert caught.value.where == f"converter.flags.{next(iter(flags))}"
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_op_set_is_refused_with_the_nearest(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="did you mean 'TFLITE_BUILTINS'"):
        convert("Conv3D", spec(supported_ops=("TFLITE_BUILTIN",)))


def test_an_operator_of_tensorflow_alone_is_named_with_its_places_and_the_ways_out(convert: Conversions) -> None:
    with pytest.raises(UnsupportedOp) as caught:
        convert("Flex", spec())
    assert caught.value.what.endswith("tf.MaxPool3D (at first_pool/MaxPool3D, second_pool/MaxPool3D)")
    for choice in ("[TFLITE_BUILTINS, SELECT_TF_OPS]", "allow_custom_ops: true", "replace", "cut"):
        assert choice in caught.value.fix


def test_select_tf_ops_keeps_an_operator_of_tensorflow(convert: Conversions) -> None:
    kept = convert("Flex", spec(supported_ops=("TFLITE_BUILTINS", "SELECT_TF_OPS")))
    assert b"FlexMaxPool3D" in Path(kept.path).read_bytes()


def test_an_operator_that_select_tf_ops_lacks_too_is_not_sent_there(convert: Conversions) -> None:
    for supported_ops in (("TFLITE_BUILTINS",), ("TFLITE_BUILTINS", "SELECT_TF_OPS")):
        with pytest.raises(UnsupportedOp, match=r"tf\.Betainc \(at head/Betainc\)") as caught:
            convert("Custom", spec(supported_ops=supported_ops))
        assert "SELECT_TF_OPS" not in caught.value.fix


def test_an_unknown_operator_is_kept_where_custom_ones_are_allowed(convert: Conversions) -> None:
    kept = convert("Custom", spec(allow_custom_ops=True))
    assert b"Betainc" in Path(kept.path).read_bytes()


@pytest.mark.parametrize(
    ("name", "changes", "operator"),
    [
        ("Flex", {"allow_float": True, "supported_ops": ("TFLITE_BUILTINS", "SELECT_TF_OPS")}, "MaxPool3D"),
        ("Custom", {"allow_custom_ops": True}, "Betainc"),
    ],
)
def test_an_operator_that_the_calibrator_cannot_run_is_named(
    convert: Conversions, name: str, changes: dict[str, Any], operator: str
) -> None:
    with pytest.raises(ConversionError, match=f"calibrator can't run.*{operator}") as caught:
        convert(name, spec("int8", **changes))
    assert "dynamic_range" in caught.value.fix


def test_an_unsupported_operator_is_told_with_what_cannot_be_calibrated(convert: Conversions) -> None:
    with pytest.raises(UnsupportedOp, match=r"tf\.MaxPool3D") as caught:
        convert("Flex", spec("int8"))
    assert "the calibrator of int8 and int16x8 can't run what is kept" in caught.value.fix


def test_op_sets_that_only_the_scheme_fits_are_left_to_the_one_call(convert: Conversions) -> None:
    kept = convert("Scorer", spec("int8", "int8", allow_float=True, supported_ops=("SELECT_TF_OPS",)))
    assert "float32" not in Opened(kept).tensor_types()


def test_a_float16_layer_is_told_from_a_missing_operator(convert: Conversions) -> None:
    with pytest.raises(UnsupportedOp, match=r"tf\.Conv2D") as caught:
        convert("Half", spec())
    assert "float32 policy" in caught.value.fix


def test_an_operator_without_a_16x8_kernel_is_named_unless_float_is_allowed(convert: Conversions) -> None:
    with pytest.raises(UnsupportedOp, match="CONV_3D") as caught:
        convert("Conv3D", spec("int16x8"))
    assert "allow_float: true" in caught.value.fix
    assert "float32" in Opened(convert("Conv3D", spec("int16x8", allow_float=True))).tensor_types()


def test_an_input_that_stays_float_is_told(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="stays float, so it can't be INT16") as caught:
        convert("Conv3D", spec("int16x8", "int16", allow_float=True))
    assert "input_type: float32" in caught.value.fix


def test_a_type_of_inputs_that_the_quantization_lacks_is_told(convert: Conversions) -> None:
    for quantization, io in (("none", "int8"), ("int16x8", "uint8"), ("int8", "int16")):
        with pytest.raises(ConversionError, match="inference_input_type") as caught:
            convert("Scorer", spec(quantization, io))
        assert "`input_type`" in caught.value.fix


def test_a_loop_over_a_tensor_list_converts_but_is_refused_before_calibration(convert: Conversions) -> None:
    assert convert("Recurrent", spec()).size > 0
    for quantization in ("int8", "int16x8"):
        with pytest.raises(ConversionError, match="rnn/map/while") as caught:
            convert("Recurrent", spec(quantization))
        assert "unroll=True" in caught.value.fix


def test_a_loop_that_is_fused_into_an_lstm_is_calibrated(convert: Conversions) -> None:
    assert "int8" in Opened(convert("FusedLstm", spec("int8"))).tensor_types()


def test_a_loop_with_an_open_batch_is_told_to_fix_it(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="TensorListReserve") as caught:
        convert("RecurrentAnyBatch", spec())
    assert "source.input_shapes: {sequence: [1, 6, 3]}" in caught.value.fix


def test_a_fixed_batch_other_than_one_cannot_be_calibrated(convert: Conversions) -> None:
    with pytest.raises(ConversionError, match="'x' has a fixed batch of 2") as caught:
        convert("FixedBatch", spec("int8"))
    assert "{x: [1, 3]}" in caught.value.fix


def test_calibration_keeps_the_ranges_of_every_sample(convert: Conversions) -> None:
    images = np.zeros((3, 8, 8, 2), np.float32)
    images[0], images[2] = 10, -20
    dataset = convert.models.npz("ranges", {"zebra": images, "apple": images})
    for quantization, io, steps in (("int8", "int8", 255), ("int16x8", "int16", 2 * 32767)):
        scale = Opened(convert("Scorer", spec(quantization, io), dataset)).input_scale("zebra")
        assert scale == pytest.approx((30 if io == "int8" else 40) / steps, rel=1e-3)
