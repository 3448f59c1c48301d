"""What is different between two recipes, two outputs or two `.tflite` files.

There are three classes, in the order of cause and effect: the inputs that decide the bytes, the model that came of
them, the results that were measured of it. A class of which one side tells nothing is left out, so that an output and a
file are compared as models, and an output and a recipe by their configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recipekit.audit.changes import Change
from recipekit.audit.difference_inputs import Origins, compare_configurations, compare_definitions
from recipekit.audit.difference_model import compare_models
from recipekit.audit.difference_results import compare_results
from recipekit.contracts import Inspection, Record
from recipekit.errors import UsageError

Kind = Literal["recipe", "output", "tflite"]


@dataclass(frozen=True)
class Side:
    """One of the two that are compared, as far as its kind tells.

    Attributes:
        kind: what it is.
        name: as the user named it.
        configuration: the resolved configuration of a recipe or an output.
        origins: where each key of it was set, by its path.
        definition: the build definition of an output.
        results: `results.json` of an output.
        model: what the file of an output holds, or the file.
    """

    kind: Kind
    name: str
    configuration: Mapping[str, Any] | None = None
    origins: Origins = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None
    results: Mapping[str, Any] | None = None
    model: Inspection | None = None


class Compared(Record, frozen=True, kw_only=True):
    """How one side is called in a difference: its kind, its name, the build key and SHA-256 of its file, if any."""

    kind: Kind
    name: str
    build_key: str = ""
    sha256: str = ""


class Difference(Record, frozen=True, kw_only=True):
    """All that is different.

    Attributes:
        schema: version of this shape.
        a: the first side.
        b: the second side.
        inputs: what decides the bytes; None where one side doesn't tell. So for the other two.
        model: what the file became.
        results: what was measured and judged.
    """

    schema: int = 1
    a: Compared
    b: Compared
    inputs: tuple[Change, ...] | None
    model: tuple[Change, ...] | None
    results: tuple[Change, ...] | None

    @property
    def found(self) -> bool:
        """Whether anything is different."""
        return any((self.inputs, self.model, self.results))


def compare(a: Side, b: Side) -> Difference:
    """Compares two sides.

    Raises:
        UsageError: they have nothing in common.
    """
    if {a.kind, b.kind} == {"recipe", "tflite"}:
        recipe = a if a.kind == "recipe" else b
        raise UsageError(
            "a recipe and a .tflite file have nothing in common to compare",
            where=f"{a.name} and {b.name}",
            fix=f"build it (recipekit run recipe={Path(recipe.name).stem}) and name its output in the recipe's place",
        )
    if a.definition is not None and b.definition is not None:
        inputs = compare_definitions(a.definition, b.definition, a.origins, b.origins)
    elif a.configuration is not None and b.configuration is not None:
        inputs = compare_configurations(a.configuration, b.configuration, a.origins, b.origins)
    else:
        inputs = None
    return Difference(
        a=_compared(a),
        b=_compared(b),
        inputs=inputs,
        model=_of_both(a.model, b.model, compare_models),
        results=_of_both(a.results, b.results, compare_results),
    )


def _of_both(a: Any, b: Any, compared: Callable[[Any, Any], tuple[Change, ...]]) -> tuple[Change, ...] | None:
    return None if a is None or b is None else compared(a, b)


def _compared(side: Side) -> Compared:
    key = side.results["build_key"] if side.results else side.model.build_key if side.model else ""
    return Compared(kind=side.kind, name=side.name, build_key=key, sha256=side.model.sha256 if side.model else "")
