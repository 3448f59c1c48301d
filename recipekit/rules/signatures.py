"""Rules of models with several signatures: each has samples of its own, and a name that stands for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.contracts import metric_of
from recipekit.faults import Fault, dotted
from recipekit.nearest import did_you_mean
from recipekit.rules.section import Section, model_datasets, signature_keys


def signature_faults(recipe: Section) -> Iterator[Fault]:
    """Samples for each signature and for nothing else, names that can be told apart, and what goes with several."""
    keys = signature_keys(recipe)
    yield from _datasets(recipe, keys)
    if keys:
        yield from _ambiguous_names(keys)
        yield from _metrics(recipe, keys)
        if recipe["custom_layers"]["replace"]:
            yield Fault(
                ("custom_layers", "replace"),
                "'custom_layers.replace' doesn't go with several signatures: convert them one at a time, or build the"
                " model with the equivalents",
            )


def _datasets(recipe: Section, keys: tuple[str, ...]) -> Iterator[Fault]:
    for place, dataset in model_datasets(recipe):
        if "signatures" not in dataset:
            continue
        where, given = (*place, "signatures"), dataset["signatures"]
        if not keys:
            yield Fault(
                where,
                f"'{dotted(where)}' has no meaning where 'source.signature' names one signature: write the dataset"
                " without it, or list several signatures",
            )
            continue
        for key in given:
            if key not in keys:
                yield Fault(
                    (*where, key),
                    f"'{dotted((*where, key))}' is for no signature of 'source.signature'{did_you_mean(key, keys)}"
                    f" (they are: {', '.join(keys)})",
                )
        for key in keys:
            if key not in given:
                yield Fault(
                    where, f"'{dotted(where)}' has no samples for the signature '{key}': add '{dotted((*where, key))}'"
                )


def _ambiguous_names(keys: tuple[str, ...]) -> Iterator[Fault]:
    """Outputs go by `key/output`, so that a key must not begin like another's outputs."""
    for key in keys:
        for other in keys:
            if other.startswith(f"{key}/"):
                yield Fault(
                    ("source", "signature"),
                    f"'source.signature' can't hold both '{key}' and '{other}': '{other}/...' could be an output of"
                    f" either, so convert them into files of their own, or rename one when the model is saved",
                )


def _metrics(recipe: Section, keys: tuple[str, ...]) -> Iterator[Fault]:
    for name in recipe.get("evaluation", {}).get("metrics", {}):
        if not metric_of(name, keys)[0]:
            given, _, metric = name.rpartition("/") if ":" not in name else ("", "", name)
            choices = " or ".join(f"'{key}/{metric}'" for key in keys)
            yield Fault(
                ("evaluation", "metrics", name),
                f"'evaluation.metrics.{name}' is of no signature: call it {choices}{did_you_mean(given, keys)}",
            )
