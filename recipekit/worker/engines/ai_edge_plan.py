"""Which operators of a model the AI Edge Quantizer quantizes how: the scheme, its rules, and what the quantizer can.

The quantizer skips in silence what it can't do and patterns that match nothing. So each operator is looked up here
first, and the quantizer's recipe names operators one by one. This module changes no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.recipe_manager import RecipeManager

from recipekit.contracts import CALIBRATED, ConverterSpec
from recipekit.errors import ConversionError
from recipekit.worker.census import OperatorSite
from recipekit.worker.engines import ai_edge_model
from recipekit.worker.engines.ai_edge_model import Site
from recipekit.worker.engines.ai_edge_schemes import Setting, able_operators, combinations, settings
from recipekit.worker.engines.rules import match_rules


@dataclass(frozen=True)
class Plan:
    """What happens to each operator of a model.

    Attributes:
        sites: the operators of the float model.
        ruled: for each, what the winning rule says; None where no rule matches.
        chosen: operators that are quantized, the model's ends among them, each with its setting.
    """

    sites: Sequence[OperatorSite]
    ruled: Sequence[str | None]
    chosen: Sequence[tuple[Site, Setting]]

    def recipe(self) -> RecipeManager:
        """The quantizer's recipe: one exact pattern for all operators of a kind with the same setting."""
        scopes: dict[tuple[TFLOperationName, Setting], list[str]] = {}
        for site, setting in self.chosen:
            if site.op is not None:
                scopes.setdefault((site.op, setting), []).append(re.escape(site.scope))
        manager = RecipeManager()
        for (op, setting), patterns in scopes.items():
            exact = rf"\A(?:{'|'.join(patterns)})\Z"
            manager.add_quantization_config(exact, op, setting.config, setting.algorithm)
        return manager


def plan(model: Any, sites: Sequence[OperatorSite], spec: ConverterSpec) -> Plan:
    """Chooses a setting for each operator that is to be quantized.

    Args:
        model: as `ai_edge_model.read` gives it.
        sites: the same model's operators as rules see them.
        spec: the scheme and its rules.

    Raises:
        ConversionError: a rule matches nothing or asks for what the quantizer can't do, or the scheme or the
            algorithm fits no operator of the model.
    """
    ruled = match_rules(spec.rules, sites)
    operators = ai_edge_model.operators(model)
    found = [_setting(site, rule or spec.quantization, spec) for site, rule in zip(operators, ruled, strict=True)]
    _require_rules_carried_out(sites, ruled, found, spec)
    kinds = {site.op for site in operators if site.op is not None}
    if not any(found):
        raise _fits_nothing(spec.quantization, kinds, spec)
    _require_algorithm_used(found, spec)
    chosen = [(site, setting) for site, setting in zip(operators, found, strict=True) if setting is not None]
    return Plan(sites, ruled, [*chosen, *_ends(model, spec)])


def _setting(site: Site, scheme: str, spec: ConverterSpec) -> Setting | None:
    """How an operator is quantized; None for not at all.

    Ranges are known for the signatures' own graphs alone, so bodies of loops stay float in static schemes.
    """
    if site.op is None or scheme == "none" or (scheme in CALIBRATED and not site.main):
        return None
    op = site.op
    return next((setting for setting in settings(scheme, spec) if setting.fits(op)), None)


def _ends(model: Any, spec: ConverterSpec) -> Iterator[tuple[Site, Setting]]:
    """The model's inputs and outputs, where they aren't to stay as they are."""
    dtypes = {TFLOperationName.INPUT: spec.input_type, TFLOperationName.OUTPUT: spec.output_type}
    for site in ai_edge_model.ends(model):
        setting = _setting(site, spec.quantization, spec)
        if setting is not None and dtypes[site.op] != "float32":
            yield site, setting


def _require_rules_carried_out(
    sites: Sequence[OperatorSite], ruled: Sequence[str | None], found: Sequence[Setting | None], spec: ConverterSpec
) -> None:
    """Static rules hold for each operator they match; others for one at least, as many operators have no weights."""
    for scheme in dict.fromkeys(rule for rule in ruled if rule not in (None, "none")):
        its = [index for index, rule in enumerate(ruled) if rule == scheme]
        left = [sites[index] for index in its if found[index] is None and sites[index].is_float]
        if left and (scheme in CALIBRATED or len(left) == len(its)):
            raise ConversionError(
                f"ai_edge_quantizer can't quantize {left[0].op} '{left[0].outputs[0]}' as {_shown(scheme, spec)}",
                where="converter.rules",
                fix="match fewer operators, or choose another quantization for these",
            )


def _require_algorithm_used(found: Sequence[Setting | None], spec: ConverterSpec) -> None:
    """`min_max` stands in for operators that an algorithm lacks, but not for all of them."""
    schemes = {spec.quantization, *(rule.quantization for rule in spec.rules)} - {"none", "float16"}
    wanted = {settings(scheme, spec)[0].algorithm for scheme in schemes}
    if wanted and wanted.isdisjoint(setting.algorithm for setting in found if setting is not None):
        raise ConversionError(
            f"the algorithm {spec.algorithm} fits no operator of the model: it quantizes"
            f" {', '.join(able_operators(spec.algorithm))}",
            where="converter.algorithm",
            fix="use min_max, which all operators have that can be quantized",
        )


def _fits_nothing(scheme: str, kinds: set[TFLOperationName], spec: ConverterSpec) -> ConversionError:
    possible = [
        f"weight_bits {bits} {granularity}"
        for bits, granularity in combinations()
        if any(setting.fits(kind) for setting in settings(scheme, spec, bits, granularity) for kind in kinds)
    ]
    return ConversionError(
        f"ai_edge_quantizer can quantize no operator of the model as {_shown(scheme, spec)}",
        where="converter",
        fix=f"its operators take {', '.join(possible)}" if possible else "choose another quantization",
    )


def _shown(scheme: str, spec: ConverterSpec) -> str:
    return scheme if scheme == "float16" else f"{scheme} with weight_bits {spec.weight_bits} and {spec.granularity}"
