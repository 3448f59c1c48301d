"""Searches whose children are arithmetic: what a child measures is a function of its overrides."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from recipekit.acceptance import Acceptance
from recipekit.compose.composition import Composition
from recipekit.compose.searches import search_of
from recipekit.contracts import Measurement
from recipekit.errors import StageDied
from recipekit.gate import judge
from recipekit.outcome import Failure, Outcome
from recipekit.project import Project
from recipekit.searching import Study, open_study
from recipekit.studied import Studied, read_study
from tests.recipe_projects import recipe, write_project
from tests.whole_outputs import MEASUREMENT

Measure = Callable[[Mapping[str, Any]], Measurement | None]
"""What a child with this recipe measures; None for one that fails."""


def measured(size: float, sqnr_db: float) -> Measurement:
    """A measurement with these two numbers."""
    logits = replace(MEASUREMENT.parity["logits"], sqnr_db=sqnr_db)
    return replace(MEASUREMENT, size=round(size), parity={"logits": logits})


def valley(mapping: Mapping[str, Any]) -> Measurement:
    """Least in size at seed 37 with `b`; the quality falls the farther the seed is from 50."""
    seed, tag = mapping.get("seed", 40), mapping.get("description", "b")
    return measured(1000 + (seed - 37) ** 2 + (0 if tag == "b" else 400), 40 - abs(seed - 50))


def outcome(number: int, child: Composition, measure: Measure, acceptance: Acceptance) -> Outcome:
    """What becomes of a child."""
    measurement = measure(child.mapping)
    begun = Outcome(recipe=child.recipe, overrides=child.overrides, number=number, status="failed", seconds=0.1)
    if measurement is None:
        return replace(begun, failure=Failure.of(StageDied("the worker was killed", where="quantize")))
    verdict = judge(acceptance, measurement)
    return replace(
        begun, status=verdict.status, checks=verdict.checks, measurement=measurement, build_key=f"{number:064x}"
    )


class Synthetic:
    """A sweep that searches, in a folder of its own, as drivers come and go."""

    def __init__(self, root: Path, *overrides: str, acceptance: Acceptance | None = None, body: str = "") -> None:
        self.project: Project = write_project(root, {"digits.yaml": recipe("/converter: none", body=body)})
        self.overrides = ["recipe=digits", "hydra/sweeper=recipekit_optuna", *overrides]
        self.acceptance = acceptance or Acceptance()
        self.folder = root / "sweep"
        self.folder.mkdir(exist_ok=True)

    @contextmanager
    def study(self, *more: str) -> Iterator[Study]:
        """The open study."""
        search = search_of(self.project, [*self.overrides, *more])
        assert search is not None
        with open_study(search, self.folder, lambda number: None) as study:
            yield study

    def outcome(self, number: int, child: Composition | Outcome, measure: Measure = valley) -> Outcome:
        """What becomes of a child."""
        return child if isinstance(child, Outcome) else outcome(number, child, measure, self.acceptance)

    def run(self, *more: str, measure: Measure = valley, workers: int = 1, children: int | None = None) -> Studied:
        """One driver, with so many workers, until the study ends or so many children have."""
        with self.study(*more) as study:
            tasks = study if children is None else (child for child, _ in zip(study, range(children), strict=False))
            launch(tasks, lambda number, child: study.ended(self.outcome(number, child, measure)), workers)
        return self.found()

    def found(self) -> Studied:
        """What the sweep's folder says."""
        found = read_study(self.folder)
        assert found is not None
        return found


def launch(
    tasks: Iterable[tuple[int, Composition | Outcome]],
    end: Callable[[int, Composition | Outcome], None],
    workers: int,
) -> None:
    """Takes a task whenever a worker is free, and lets those under way end in any order."""
    shuffled, pending = random.Random(0), set[Future[None]]()
    with ThreadPoolExecutor(workers) as pool:
        for number, child in tasks:
            pending.add(pool.submit(end, number, child))
            if len(pending) == workers:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in shuffled.sample(sorted(done, key=id), len(done)):
                    future.result()
        for future in pending:
            future.result()
