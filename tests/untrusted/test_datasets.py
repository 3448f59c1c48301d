"""Datasets that don't keep what they promise, through whole runs: which sample, what was expected and what came."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.untrusted.conftest import Fails

pytestmark = pytest.mark.tensorflow

DATA = """
import itertools
from pathlib import Path
import numpy as np

def points(count=4, size=8, dtype=np.float32):
    return [np.full(size, index, dtype) for index in range(count)]

def empty():
    return []

def doubles():
    return points(dtype=np.float64)

def longer():
    return points(3) + points(1, size=9)

def hollow():
    made = points()
    made[2][5] = np.nan
    return made

def endless():
    return iter(points(1)[0] for _ in itertools.count())

def restless():
    reads = Path(__file__).with_name("reads")
    reads.write_text(reads.read_text() + "x" if reads.exists() else "x")
    made = points()
    if len(reads.read_text()) > 1:
        made[1], made[2] = made[2], made[1]
    return made
"""

FAULTS = {
    "empty": ("empty", "", "has no samples"),
    "short": ("points", ", samples: 9", "has too few samples: expected 9, got 4"),
    "wrong dtype": ("doubles", "", "sample 0 ('0'): the input 'point' has a wrong element type: expected float32"),
    "wrong shape": ("longer", "", "sample 3 ('3'): the input 'point' has a wrong shape: expected (8), got (9)"),
    "not a number": ("hollow", "", "sample 2 ('2'): the input 'point' holds nan at (5)"),
    "endless": ("endless", "", "does not know its length"),
}


def evaluate_on(project: Path, factory: str, samples: str = "") -> None:
    """Lets the project's recipe evaluate on what a function gives, by parity alone."""
    (project / "data.py").write_text(DATA)
    recipe = project / "recipes" / "tiny.yaml"
    head, _, _ = recipe.read_text().partition("evaluation:")
    dataset = f'{{plugin: python, factory: "data.py:{factory}"{samples}}}'
    recipe.write_text(f"{head}evaluation: {{dataset: {dataset}}}\nacceptance: {{parity: {{sqnr_db: {{min: 0}}}}}}\n")


@pytest.mark.fault(31)
@pytest.mark.parametrize(("factory", "samples", "says"), FAULTS.values(), ids=list(FAULTS))
def test_samples_that_do_not_fit_are_named(project: Path, fails: Fails, factory: str, samples: str, says: str) -> None:
    evaluate_on(project, factory, samples)
    fault = fails()
    assert fault.exit == 5
    assert "evaluation.dataset" in fault.text
    assert says in fault.text


@pytest.mark.fault(32)
def test_an_order_that_differs_between_two_reads_is_told_by_the_first_sample_that_does(
    project: Path, fails: Fails
) -> None:
    evaluate_on(project, "restless")
    fault = fails()
    assert fault.exit == 5
    assert "the dataset changed between two readings: sample 1 was '1' (" in fault.text
