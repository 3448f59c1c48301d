from __future__ import annotations

import re
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from recipekit.artifacts.op_resolver import _BUILTINS, lacking, method, resolver_header
from recipekit.contracts import Operator
from tests.artifacts.compilers import compile_cxx, needs_compilers, run_program

STUB = """\
#pragma once
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
#define TF_LITE_ENSURE_STATUS(a) do { const TfLiteStatus s = (a); if (s != kTfLiteOk) return s; } while (0)
namespace tflite {
template <unsigned int tOpCount> class MicroMutableOpResolver {
 public:
%s
  unsigned int added = 0;
 private:
  TfLiteStatus Add() { return ++added <= tOpCount ? kTfLiteOk : kTfLiteError; }
};
}
"""


def operator(name: str, kind: str = "builtin", version: int = 1) -> Operator:
    return Operator(name=name, version=version, count=1, kind=kind)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("CONV_2D", "builtin", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "builtin", "AddDepthwiseConv2D"),
        ("L2_POOL_2D", "builtin", "AddL2Pool2D"),
        ("ADD_N", "builtin", "AddAddN"),
        ("BATCH_TO_SPACE_ND", "builtin", "AddBatchToSpaceNd"),
        ("RELU6", "builtin", "AddRelu6"),
        ("SELECT_V2", "builtin", "AddSelectV2"),
        ("PADV2", "builtin", "AddPadV2"),
        ("BATCH_MATMUL", "builtin", "AddBatchMatMul"),
        ("CUMSUM", "builtin", "AddCumSum"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "builtin", "AddUnidirectionalSequenceLSTM"),
        ("ethos-u", "custom", "AddEthosU"),
        ("TFLite_Detection_PostProcess", "custom", "AddDetectionPostprocess"),
        ("SignalPCAN", "custom", "AddPCAN"),
        ("CONV_3D", "builtin", ""),
        ("MyOp", "custom", ""),
        ("FlexErf", "flex", ""),
    ],
)
def test_methods_are_named_as_tensorflow_lite_micro_names_them(name: str, kind: str, expected: str) -> None:
    assert method(operator(name, kind)) == expected


def test_every_operator_with_a_method_is_one_of_the_schema() -> None:
    assert _BUILTINS.keys() <= vars(schema.BuiltinOperator).keys()


def test_versions_of_an_operator_are_added_once_and_what_has_no_method_is_named_in_a_comment() -> None:
    operators = [operator("CONV_2D"), operator("CONV_2D", version=3), operator("CONV_3D"), operator("Mine", "custom")]
    header = resolver_header("tiny_ops", "tiny", "ab" * 32, operators)
    assert re.findall(r"resolver\.(Add\w+)\(\)\);", header) == ["AddConv2D"]
    assert "MicroMutableOpResolver<3>" in header
    assert "'CONV_3D' has no method" in header
    assert lacking(operators) == ("CONV_3D", "Mine")


@needs_compilers
def test_the_header_compiles_against_the_resolver_s_interface_and_its_size_suffices(tmp_path: Path) -> None:
    operators = [operator(name) for name in sorted(_BUILTINS)]
    methods = "\n".join(f"  TfLiteStatus {method(one)}() {{ return Add(); }}" for one in operators)
    place = tmp_path / "tensorflow" / "lite" / "micro" / "micro_mutable_op_resolver.h"
    place.parent.mkdir(parents=True)
    place.write_text(STUB % methods)
    (tmp_path / "ops.h").write_text(resolver_header("all_ops", "all", "ab" * 32, operators))
    main = '#include "ops.h"\nint main() { all_ops::OpResolver r; return all_ops::RegisterOps(r); }\n'
    (tmp_path / "main.cc").write_text(main)
    compile_cxx("-I.", "main.cc", "-o", "program", here=tmp_path)
    run_program(tmp_path / "program")
