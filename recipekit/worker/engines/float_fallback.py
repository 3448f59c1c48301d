"""`rules` of a recipe for TFLiteConverter: operators that stay float where the rest becomes int8.

The quantizer behind the converter takes denylists, those of `tf.lite.experimental.QuantizationDebugger`, and ignores
without a word what it can't follow. So the result is read, too. This module must not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from recipekit.contracts import ConverterSpec, Rule
from recipekit.errors import ConversionError
from recipekit.worker.census import OperatorSite, operators_of
from recipekit.worker.engines.rules import match_rules

_OTHER_ENGINE = "or choose the engine ai_edge_quantizer"
_CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE"})


@dataclass(frozen=True)
class FloatFallback:
    """The operators of a float32 flatbuffer, and which of them stay float.

    Attributes:
        operators: all of them, in their order.
        denied: indices of those that stay float; only such as compute in float.
    """

    operators: Sequence[OperatorSite]
    denied: frozenset[int]

    @property
    def ops(self) -> list[str]:
        """The denylist of kinds of operators: those of which none computes in integers."""
        kept = {site.op for at, site in enumerate(self.operators) if site.is_float and at not in self.denied}
        return sorted({self.operators[at].op for at in self.denied} - kept)

    @property
    def nodes(self) -> list[str]:
        """The denylist of single operators, by the names of their outputs; the quantizer doesn't find all by name."""
        ops = self.ops
        sites = [self.operators[at] for at in sorted(self.denied)]
        return [name for site in sites if site.op not in ops for name in site.outputs]

    def require_float(self, candidate: bytes) -> None:
        """Checks that the quantizer left every denied operator float.

        Raises:
            ConversionError: it quantized one; each is named.
        """
        quantized = [self.operators[at] for at in sorted(self.denied - self._float_in(candidate))]
        if quantized:
            listed = ", ".join(f"{site.op} ('{site.outputs[0]}')" for site in quantized)
            raise ConversionError(
                f"TFLiteConverter can't leave these operators float: {listed}",
                where="converter.rules",
                fix=f"let the rules leave them out, {_OTHER_ENGINE}",
            )

    def _float_in(self, candidate: bytes) -> set[int]:
        """Indices of the operators that compute in float in the candidate, which holds them in the same order.

        Their outputs may go by other names there, so names can't tell.
        """
        here = [site for site in operators_of(candidate) if site.op not in _CONVERSIONS]
        matcher = SequenceMatcher(None, [site.op for site in self.operators], [site.op for site in here], False)
        return {
            block.a + step
            for block in matcher.get_matching_blocks()
            for step in range(block.size)
            if here[block.b + step].is_float
        }


def float_fallback(spec: ConverterSpec, operators: Sequence[OperatorSite]) -> FloatFallback | None:
    """What the rules of a recipe leave float; None where that is nothing.

    Args:
        spec: the scheme with its rules.
        operators: of the float32 conversion.

    Raises:
        ConversionError: a rule matches nothing, or TFLiteConverter can't follow it.
    """
    for index, rule in enumerate(spec.rules):
        _require_followable(rule, f"converter.rules[{index}]", spec.quantization)
    winners = match_rules(spec.rules, operators)
    denied = {at for at, winner in enumerate(winners) if winner == "none" and operators[at].is_float}
    return FloatFallback(operators, frozenset(denied)) if denied else None


def _require_followable(rule: Rule, place: str, quantization: str) -> None:
    if quantization != "int8":
        raise ConversionError(
            f"TFLiteConverter takes rules with the quantization int8 alone, not with {quantization}",
            where=place,
            fix=f"set `quantization: int8`, take the rules out, {_OTHER_ENGINE}",
        )
    if rule.quantization not in ("none", "int8"):
        raise ConversionError(
            f"TFLiteConverter can leave operators float, but not make some of them {rule.quantization}",
            where=place,
            fix=f"set `quantization: none` in the rule, {_OTHER_ENGINE}",
        )
