"""Rules of `artifacts`, and of the bounds on what an artifact's compiler reports."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.acceptance import SHARES
from recipekit.contracts import CALIBRATED
from recipekit.faults import Fault
from recipekit.rules.section import Section, declared_datasets, runs_nothing


def artifact_faults(recipe: Section) -> Iterator[Fault]:
    """Golden vectors need a model that runs and enough samples; a configuration file of Vela, a choice in it."""
    wanted, vela = recipe["artifacts"]["golden_vectors"], recipe["artifacts"]["vela"]
    place = ("artifacts", "golden_vectors")
    if vela is not None and vela["config"] is not None and None in (vela["system_config"], vela["memory_mode"]):
        yield Fault(
            ("artifacts", "vela", "config"),
            "'artifacts.vela.config' needs 'system_config' and 'memory_mode', which say what of the file is meant",
        )
    if not wanted:
        return
    if runs_nothing(recipe):
        yield Fault(
            place,
            "'artifacts.golden_vectors' records what the converted model computes, and 'evaluation.runtime' is none:"
            " take it out, or set the runtime to litert",
        )
        return
    section = "evaluation" if "evaluation" in recipe else "representative_dataset"
    for path, dataset in declared_datasets(recipe):
        given = dataset.get("samples")
        if path[0] == section and given is not None and given < wanted:
            yield Fault(
                place,
                f"'artifacts.golden_vectors' asks for {wanted} samples, and '{'.'.join(path)}' has {given}: ask for"
                f" {given} at most, or raise its 'samples'",
            )


def target_bounds(recipe: Section) -> Iterator[Fault]:
    """Bounds on a target need its compiler; a ratio needs something that is a share, and can't be above 1."""
    for metric, bound in recipe["acceptance"]["target"].items():
        place = ("acceptance", "target", metric)
        if recipe["artifacts"]["vela"] is None:
            yield Fault(
                place,
                f"'acceptance.target.{metric}' bounds what nobody reports: add 'artifacts.vela', such as"
                " {accelerator: ethos-u55-128}",
            )
        ratios = [kind for kind in bound if kind.endswith("_ratio")]
        if ratios and metric not in SHARES:
            yield Fault(
                (*place, ratios[0]),
                f"'{'.'.join((*place, ratios[0]))}' has no meaning: only {' and '.join(SHARES)} are shares; use min or"
                " max",
            )
        lowest, highest = bound.get("min_ratio", 0), bound.get("max_ratio", 1)
        if metric in SHARES and lowest > min(highest, 1):
            yield Fault(place, f"'{'.'.join(place)}' can't be met: no share is at least {lowest} and at most {highest}")


def left_to_the_cpu(recipe: Section) -> str:
    """A warning for a model that an NPU can't run; empty where there is nothing to say."""
    scheme = recipe["converter"]["quantization"]
    if recipe["artifacts"]["vela"] is None or scheme in CALIBRATED:
        return ""
    return f"'artifacts.vela' runs integers on the NPU, and quantization {scheme} leaves operators in float to the CPU"
