"""What a recipe may say and probably doesn't mean."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.contracts import ENOUGH_SAMPLES
from recipekit.rules.artifacts import left_to_the_cpu
from recipekit.rules.bounds import has_bounds
from recipekit.rules.section import Section, calibrating, declared_datasets, runs_nothing, trains_ranges


def warnings(recipe: Section) -> list[str]:
    """What is allowed but probably not meant, a sentence each."""
    found = []
    if "evaluation" not in recipe:
        found.append("there is no 'evaluation': parity is measured on the representative samples")
    if "representative_dataset" in recipe and not calibrating(recipe) and "evaluation" in recipe:
        scheme = recipe["converter"]["quantization"]
        why = "the ranges are trained" if trains_ranges(recipe) else f"quantization {scheme} needs no calibration"
        found.append(f"'representative_dataset' is not used: {why}")
    if runs_nothing(recipe):
        found += _not_run(recipe["evaluation"])
    if left_to_the_cpu(recipe):
        found.append(left_to_the_cpu(recipe))
    if not has_bounds(recipe["acceptance"]):
        found.append("'acceptance' sets no bound: the model is accepted and nothing was judged")
    for (section, *rest), dataset in declared_datasets(recipe) if calibrating(recipe) else ():
        if section == "representative_dataset" and (dataset.get("samples") or ENOUGH_SAMPLES) < ENOUGH_SAMPLES:
            its = f" of '{rest[-1]}'" if rest else ""
            few = f"{dataset['samples']} calibration samples{its} are few"
            found.append(f"{few}: ranges settle with {ENOUGH_SAMPLES} to 300 [few-samples]")
    return found


def _not_run(evaluation: Section) -> Iterator[str]:
    yield (
        "'evaluation.runtime' is none: nobody measures parity, task metrics or latency,"
        " so nothing says that the converted model computes what the float model does"
    )
    for key in ("dataset", "metrics"):
        if evaluation.get(key):
            yield f"'evaluation.{key}' is not used: 'evaluation.runtime' is none"
