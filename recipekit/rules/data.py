"""Rules of datasets and metrics: what calibrates needs data, and what reads it must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recipekit.contracts import calibrates, metric_of
from recipekit.faults import Fault
from recipekit.nearest import did_you_mean
from recipekit.registry import is_built_in, names
from recipekit.rules.section import Section, calibrating, declared_datasets, signature_keys

_ADDRESS = re.compile(r"[^:]+:[A-Za-z_][A-Za-z0-9_.]*")


_EXCLUSIVE = {
    "csv": ("inputs", "columns"),
    "numpy_folder": ("labels", "label_key"),
    "huggingface": ("path", "dataset"),
}
"""Parameters of dataset plugins of which one may be given."""


def calibration_data(recipe: Section) -> Iterator[Fault]:
    """Data where something calibrates, and something to compare on."""
    if calibrating(recipe) and "representative_dataset" not in recipe:
        key = _what_calibrates(recipe["converter"])
        shown = "" if key == "rules" else f" {recipe['converter'][key]}"
        yield Fault(
            ("converter", key),
            f"'converter.{key}'{shown} needs calibration data: add a 'representative_dataset'",
        )
    elif "evaluation" not in recipe and "representative_dataset" not in recipe:
        yield Fault(
            ("evaluation",),
            "'evaluation' is missing, and there is no 'representative_dataset' to measure parity on: add one of them",
        )


def _what_calibrates(converter: Section) -> str:
    """The key of a converter that calls for calibration data."""
    if calibrates([converter["quantization"]], ""):
        return "quantization"
    return "rules" if calibrates([rule["quantization"] for rule in converter["rules"]], "") else "algorithm"


def plugins(recipe: Section) -> Iterator[Fault]:
    """Datasets and metrics that exist, and random samples only where they are allowed."""
    for path, dataset in declared_datasets(recipe):
        plugin = dataset["plugin"]
        if (
            not is_built_in("datasets", plugin)
            and not dataset["modules"]
            and plugin not in (known := names("datasets"))
        ):
            hint = did_you_mean(plugin, known)
            listed = ", ".join(known)
            yield Fault((*path, "plugin"), f"there is no dataset plugin '{plugin}'{hint} (known: {listed})")
        if plugin == "random" and not dataset["allow_random"]:
            yield Fault(
                (*path, "plugin"),
                "random samples say nothing about real ones: 'random' needs 'allow_random: true' beside it",
            )
    for named in recipe.get("evaluation", {}).get("metrics", {}):
        key, metric = metric_of(named, signature_keys(recipe))
        if not key and signature_keys(recipe):
            continue  # another rule asks of which signature it is
        if ":" in metric:
            if not _ADDRESS.fullmatch(metric):
                yield Fault(
                    ("evaluation", "metrics", named),
                    f"'{metric}' is no address of a metric: write it as package.module:name or path/to/file.py:name",
                )
        elif not is_built_in("metrics", metric) and metric not in (known := names("metrics")):
            hint = did_you_mean(metric, known)
            yield Fault(
                ("evaluation", "metrics", named), f"there is no metric '{metric}'{hint} (known: {', '.join(known)})"
            )


def dataset_parameters(recipe: Section) -> Iterator[Fault]:
    """Parameters that exclude each other."""
    for path, dataset in declared_datasets(recipe):
        first, second = _EXCLUSIVE.get(dataset["plugin"], ("", ""))
        if dataset.get(first) is not None and dataset.get(second) is not None:
            yield Fault(
                (*path, second),
                f"'{'.'.join((*path, second))}' contradicts '{first}': {dataset['plugin']} takes one of them",
            )
