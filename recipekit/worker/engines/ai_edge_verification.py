"""Whether a quantized model is what the recipe asked for: the file is looked at, not the settings that led to it.

It knows nothing of how the model was quantized, and of acceptance bounds.
"""

from __future__ import annotations

from collections.abc import Sequence

from recipekit.contracts import CALIBRATED, ConverterSpec
from recipekit.errors import ConversionError
from recipekit.worker import census
from recipekit.worker.engines.ai_edge_plan import Plan

_SHOWN = 3

Named = tuple[str, tuple[str, ...]]
"""An operator: its kind and the names of its outputs, which the quantizer leaves as they are."""


def verify(float32: bytes, quantized: bytes, planned: Plan, spec: ConverterSpec) -> None:
    """Looks for operators that compute in another way than the recipe says, and for ends of another dtype.

    Args:
        float32: the float model.
        quantized: what was made of it.
        planned: its operators and what the rules say about them.
        spec: what the recipe asks for.

    Raises:
        ConversionError: the model isn't what the spec says; operators or tensors are named.
    """
    floats = [(site.op, site.outputs) for site in census.operators_of(quantized) if site.is_float]
    _require_rules(planned, floats)
    if spec.quantization in CALIBRATED and not spec.allow_float:
        excepted = {site.outputs for site, rule in zip(planned.sites, planned.ruled, strict=True) if rule is not None}
        _require_integers([operator for operator in floats if operator[1] not in excepted], spec)
    _require_ends(float32, quantized, spec)


def _require_rules(planned: Plan, floats: Sequence[Named]) -> None:
    """Static rules make operators integer, all others leave them computing in float."""
    in_float = {outputs for _, outputs in floats}
    for site, rule in zip(planned.sites, planned.ruled, strict=True):
        if rule is not None and site.is_float and (site.outputs in in_float) == (rule in CALIBRATED):
            raise ConversionError(
                f"a rule makes {_shown([(site.op, site.outputs)])} {rule}, but it computes in"
                f" {'float' if rule in CALIBRATED else 'integers'}",
                where="converter.rules",
                fix="match fewer operators, or choose another quantization for these",
            )


def _require_integers(floats: Sequence[Named], spec: ConverterSpec) -> None:
    if floats:
        raise ConversionError(
            f"operators still compute in float: {_shown(floats)}",
            where="converter",
            fix=f"ai_edge_quantizer can't make them {spec.quantization} with weight_bits {spec.weight_bits}:"
            " set `allow_float: true`, except them by `rules` with `quantization: none`, or choose other weight_bits",
        )


def _require_ends(float32: bytes, quantized: bytes, spec: ConverterSpec) -> None:
    """Inputs and outputs of other dtypes than float32, such as indices, stay what they are."""
    before, after = census.of_flatbuffer(float32), census.of_flatbuffer(quantized)
    for key, asked, was, now in (
        ("input_type", spec.input_type, before.inputs, after.inputs),
        ("output_type", spec.output_type, before.outputs, after.outputs),
    ):
        dtypes = {tensor.name: tensor.dtype for tensor in now}
        for tensor in was:
            expected = asked if tensor.dtype == "float32" else tensor.dtype
            if dtypes.get(tensor.name) != expected:
                raise ConversionError(
                    f"'{tensor.name}' came out as {dtypes.get(tensor.name, 'nothing')}, not as {expected}",
                    where=f"converter.{key}",
                    fix="set it to float32",
                )


def _shown(operators: Sequence[Named]) -> str:
    shown = ", ".join(f"{op} ('{_short(outputs)}')" for op, outputs in operators[:_SHOWN])
    rest = len(operators) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def _short(outputs: Sequence[str]) -> str:
    """The first output's name, of a fused operator the first of the names in it."""
    return outputs[0].partition(";")[0] if outputs else ""
