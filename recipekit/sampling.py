"""The samples of a build: each dataset read once before anything else, and linted before anything is converted."""

from __future__ import annotations

from collections.abc import Mapping

from recipekit.build import Job
from recipekit.contracts import DatasetSpec, LoadedModel, SampleSet
from recipekit.execution import Execution
from recipekit.graph import dataset_section, signature_section, survey, training_section
from recipekit.lint import Examined, Finding, lint
from recipekit.recipe import Recipe
from recipekit.surroundings import Surroundings


def read_samples(job: Job, execution: Execution, surroundings: Surroundings) -> dict[str, SampleSet]:
    """Reads each dataset once, or finds what a reading gave, since the samples are part of the build key.

    Returns:
        The readings by role, `calibration-samples` and `evaluation-samples`, the same one twice where the recipe names
        one dataset for both; and `<step>-samples` for each training of `optimize`.

    Raises:
        DatasetError, PluginError: as the datasets say.
    """
    recipe = job.recipe
    nodes = {
        role: survey(role, dataset, dataset_section(recipe, role), surroundings)
        for role, dataset in _datasets(recipe).items()
    }
    for step, finetune in recipe.optimize.finetunes() if recipe.optimize else ():
        nodes[step] = survey(step, finetune.dataset, training_section(step), surroundings)
    # One after the other: at the beginning of a cold run TensorFlow's import needs the other processor.
    read = {role: execution.demand(node)[0] for role, node in nodes.items()}
    samples = {f"{role}-samples": record for role, record in read.items()}
    if recipe.evaluation.dataset is None:
        return samples
    return {"evaluation-samples": read.get("evaluation", read.get("calibration")), **samples}


def lint_samples(
    recipe: Recipe, loaded: LoadedModel, samples: Mapping[str, SampleSet], *, warned: bool
) -> tuple[Finding, ...]:
    """What the linter says of a recipe's samples and its float model.

    Args:
        recipe: whose scheme decides what is looked at: calibration data only where it calibrates.
        loaded: the float model.
        samples: from `read_samples`.
        warned: whether the recipe's own warnings are told as well, so that they need not be repeated.
    """
    found = [finding for key in loaded.signatures for finding in _lint_signature(recipe, loaded, samples, key, warned)]
    # One dataset that serves for all signatures is spoken of once.
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.severity != "error"))


def _lint_signature(
    recipe: Recipe, loaded: LoadedModel, samples: Mapping[str, SampleSet], key: str, warned: bool
) -> tuple[Finding, ...]:
    """What is to be said of the samples of one signature."""
    examined = {
        role: Examined(
            section=signature_section(recipe, role, key),
            plugin=dataset.of(key).plugin,
            samples=samples[f"{role}-samples"].of(key),
            calibrates=role == "calibration",
            requested=dataset.of(key).samples if warned else None,
        )
        for role, dataset in _datasets(recipe).items()
    }
    signature = loaded.signatures[key]
    return lint(signature, loaded.first_layers, examined.get("calibration"), examined.get("evaluation"))


def _datasets(recipe: Recipe) -> dict[str, DatasetSpec]:
    """The datasets that a build reads by role; one that serves for both is the calibration's."""
    roles = {"calibration": recipe.calibration, "evaluation": recipe.evaluation.dataset}
    if recipe.calibration == recipe.evaluation.dataset:
        del roles["evaluation"]
    return {role: dataset for role, dataset in roles.items() if dataset is not None}
