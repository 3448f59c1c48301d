"""`converter.rules` against the operators of a float32 flatbuffer: which rule holds for which operator.

Both engines read rules by these semantics. What an engine can do with a rule is the engine's own affair, so this
module knows no scheme, and it must not import TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from recipekit.contracts import Rule
from recipekit.errors import ConversionError
from recipekit.nearest import did_you_mean
from recipekit.worker.census import OperatorSite

_SHOWN_NAMES = 5


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
