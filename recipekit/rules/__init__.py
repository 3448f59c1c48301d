"""Rules of the recipe language that span several keys, or need the registry: what a JSON Schema can't say.

Each rule looks at a composed recipe that the schema accepts and yields faults or warnings. None of them reads a file.
"""

from __future__ import annotations

from recipekit.faults import Fault
from recipekit.rules.artifacts import artifact_faults, target_bounds
from recipekit.rules.bounds import bounds, has_bounds
from recipekit.rules.conversion import (
    converter_rules,
    flatbuffer_source,
    pinned_weights,
    replacement_after_training,
    source_and_engine,
)
from recipekit.rules.data import calibration_data, dataset_parameters, plugins
from recipekit.rules.doubts import warnings
from recipekit.rules.language import LANGUAGE_VERSION, language_version, reserved_names
from recipekit.rules.optimization import optimization_faults
from recipekit.rules.section import Section
from recipekit.rules.signatures import signature_faults

__all__ = ["LANGUAGE_VERSION", "cross_faults", "has_bounds", "warnings"]

_RULES = (
    language_version,
    reserved_names,
    source_and_engine,
    calibration_data,
    flatbuffer_source,
    pinned_weights,
    converter_rules,
    plugins,
    optimization_faults,
    bounds,
    replacement_after_training,
    dataset_parameters,
    signature_faults,
    artifact_faults,
    target_bounds,
)


def cross_faults(recipe: Section) -> list[Fault]:
    """Every fault that spans several keys or needs the registry, in the order of the rules."""
    return [fault for rule in _RULES for fault in rule(recipe)]
