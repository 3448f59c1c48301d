from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from recipekit.artifacts import Artifacts
from recipekit.contracts import Flatbuffer, FloatOperators, Illustrations, LoadedModel
from recipekit.errors import EvaluationError, StageDied
from recipekit.execution import Execution, Watcher
from recipekit.graph import Graph
from recipekit.measuring import Measured, measure
from recipekit.recipe import Recipe
from tests.test_gate import MEASUREMENT

FLATBUFFER = Flatbuffer(path="", sha256="f" * 64, size=1)
LOADED = LoadedModel(saved_model="", signatures={}, loader="", reason="")
DRAWN = Illustrations(path="figures.json", sha256="f" * 64, count=1)


PLAIN = Artifacts().reported(MEASUREMENT)


class NoArtifacts:
    """A recipe that asks for no extra files."""

    def of(self, *_: Any) -> tuple[()]:
        return ()

    def made(self, _: Any) -> Artifacts:
        return Artifacts()


class Fake:
    """The stages of a build without a benchmark; those in `fails` fail."""

    evaluation = None
    artifacts = NoArtifacts()

    def __init__(self, **fails: Exception) -> None:
        self.fails = fails
        self.warnings: list[str] = []
        self.drawn_with: tuple[Any, ...] = ()

    def measure(self, *_: Any) -> str:
        return "measure"

    def drawing(self, *_: Any) -> Fake:
        return self

    def probe(self, _: Any) -> str:
        return "probe"

    def illustrate(self, *nodes: Any) -> str:
        self.drawn_with = nodes
        return "illustrate"

    def demand(self, node: str) -> tuple[Any, ...]:
        if node in self.fails:
            raise self.fails[node]
        return ({"measure": MEASUREMENT, "illustrate": DRAWN}.get(node),)

    def account(self, _: Any) -> None:
        """Nothing to tell."""

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def run(self, candidate: Flatbuffer = FLATBUFFER) -> Measured:
        recipe: Any = type("Recipe", (), {"evaluation": type("Evaluation", (), {"benchmark": None})})
        graph, execution, watcher = cast("Graph", self), cast("Execution", self), cast("Watcher", self)
        return measure(graph, execution, watcher, cast("Recipe", recipe), LOADED, (candidate, FLATBUFFER))


def test_what_is_measured_comes_with_its_figures() -> None:
    fake = Fake()
    assert fake.run() == Measured(PLAIN, Artifacts(), DRAWN, ())
    assert fake.drawn_with == ("measure", None, "probe")
    assert fake.warnings == []


def test_a_probe_that_dies_leaves_the_other_figures_and_a_warning() -> None:
    fake = Fake(probe=StageDied("the process died"))
    measured = fake.run()
    assert (measured.figures, measured.missing) == (DRAWN, ("errors and size by layer: the process died",))
    assert fake.drawn_with == ("measure", None, None)
    assert fake.warnings == ["the report lacks errors and size by layer: the process died"]


def test_drawings_that_fail_leave_the_measurement() -> None:
    measured = Fake(illustrate=EvaluationError("no room")).run()
    assert measured == Measured(PLAIN, Artifacts(), None, ("all figures: no room",))


def test_the_census_tells_the_places_of_float_operators_that_the_conversion_knew() -> None:
    places = (FloatOperators(op="NEG", places=("flip (Flip)",)),)
    measured = Fake().run(msgspec.structs.replace(FLATBUFFER, float_places=places)).measurement
    assert measured.census == msgspec.structs.replace(PLAIN.census, float_places=places)


def test_a_measurement_that_fails_fails_the_build() -> None:
    with pytest.raises(EvaluationError, match="no samples"):
        Fake(measure=EvaluationError("no samples")).run()
