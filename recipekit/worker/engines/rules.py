"""`converter.rules` against the operators of a float32 flatbuffer: which rule holds for which operator.

Both engines read rules by these semantics. What an engine can do with a rule is the engine's own affair, so this
module knows no scheme, and it must not import TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema

from recipekit.contracts import Rule
from recipekit.errors import ConversionError
from recipekit.nearest import did_you_mean

_OPERATOR_NAMES: dict[int, str] = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
_FLOATS = frozenset({schema.TensorType.FLOAT16, schema.TensorType.FLOAT32, schema.TensorType.FLOAT64})
_READS_NO_VALUES = frozenset({"RANK", "SHAPE"})
_SHOWN_NAMES = 5


class OperatorSite(NamedTuple):
    """One operator of a flatbuffer.

    Attributes:
        op: its name as the census prints it: `CONV_2D`, or the custom code.
        outputs: names of its output tensors.
        is_float: whether it computes in float: an output, or an input that isn't constant and whose values matter, is
            of a floating-point dtype.
    """

    op: str
    outputs: tuple[str, ...]
    is_float: bool = True


def operators_of(flatbuffer: bytes) -> list[OperatorSite]:
    """Every operator of a flatbuffer in the order of execution, one subgraph after the other.

    Args:
        flatbuffer: a whole `.tflite` file, known to be one.
    """
    model = schema.Model.GetRootAs(flatbuffer)
    names = [_name(model.OperatorCodes(index)) for index in range(model.OperatorCodesLength())]
    filled = {index for index in range(model.BuffersLength()) if _is_filled(model.Buffers(index))}
    return [site for index in range(model.SubgraphsLength()) for site in _sites(model.Subgraphs(index), names, filled)]


def match_rules(rules: Sequence[Rule], operators: Sequence[OperatorSite]) -> list[str | None]:
    """What the rules say about each operator; the last rule that matches one wins.

    Args:
        rules: as the recipe lists them.
        operators: of the float32 flatbuffer.

    Returns:
        For each operator the winning rule's quantization, None where no rule matches.

    Raises:
        ConversionError: a rule matches no operator, or its `name` is no regular expression.
    """
    winners: list[str | None] = [None] * len(operators)
    for index, rule in enumerate(rules):
        place = f"converter.rules[{index}]"
        pattern = _pattern(rule, place)
        matched = [at for at, site in enumerate(operators) if _matches(rule, pattern, site)]
        if not matched:
            raise _matches_nothing(rule, place, operators)
        for at in matched:
            winners[at] = rule.quantization
    return winners


def _sites(subgraph: Any, names: Sequence[str], filled: Container[int]) -> Iterator[OperatorSite]:
    for index in range(subgraph.OperatorsLength()):
        operator = subgraph.Operators(index)
        outputs = [subgraph.Tensors(operator.Outputs(at)) for at in range(operator.OutputsLength())]
        given = [operator.Inputs(at) for at in range(operator.InputsLength())]
        inputs = [subgraph.Tensors(at) for at in given if at >= 0]  # -1 stands for an input that is left out
        computed = [*outputs, *(tensor for tensor in inputs if tensor.Buffer() not in filled)]
        op = names[operator.OpcodeIndex()]
        yield OperatorSite(
            op=op,
            outputs=tuple((tensor.Name() or b"").decode() for tensor in outputs),
            is_float=op not in _READS_NO_VALUES and any(tensor.Type() in _FLOATS for tensor in computed),
        )


def _is_filled(buffer: Any) -> bool:
    """Whether a buffer holds a constant, in the flatbuffer or, by offset, behind it."""
    return bool(buffer.DataLength() > 0 or buffer.Offset() > 1)


def _name(code: Any) -> str:
    # Codes up to 127 stand in the older, 8-bit field as well; larger ones only in the newer.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == schema.BuiltinOperator.CUSTOM:
        return (code.CustomCode() or b"").decode()
    return _OPERATOR_NAMES.get(builtin, f"BUILTIN_{builtin}")


def _pattern(rule: Rule, place: str) -> re.Pattern[str] | None:
    if rule.name is None:
        return None
    try:
        return re.compile(rule.name)
    except re.error as error:
        raise ConversionError(
            f"'{rule.name}' is no regular expression: {error}",
            where=f"{place}.match.name",
            fix="correct it; `.*` stands for anything",
        ) from None


def _matches(rule: Rule, pattern: re.Pattern[str] | None, site: OperatorSite) -> bool:
    if rule.op is not None and rule.op != site.op:
        return False
    return pattern is None or any(map(pattern.fullmatch, site.outputs))


def _matches_nothing(rule: Rule, place: str, operators: Sequence[OperatorSite]) -> ConversionError:
    ops = sorted({site.op for site in operators})
    if rule.op is not None and rule.op not in ops:
        return ConversionError(
            f"the model has no operator {rule.op}{did_you_mean(rule.op, ops)}",
            where=f"{place}.match.op",
            fix=f"use one of {', '.join(ops)}",
        )
    names = [name for site in operators if rule.op in (None, site.op) for name in site.outputs]
    owner = f"{rule.op} operator" if rule.op is not None else "operator"
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN_NAMES])
    rest = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ConversionError(
        f"no {owner} has an output whose whole name matches '{rule.name}'{did_you_mean(rule.name or '', names)}",
        where=f"{place}.match.name",
        fix=f"the outputs are {shown}{rest}; the operators are {', '.join(ops)}",
    )
