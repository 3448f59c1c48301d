"""Broken and doubtful samples in whole runs: errors before anything is converted, warnings in everything published."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

from recipekit.cli.screen import Screen
from recipekit.compose.composition import compose
from recipekit.errors import DatasetError
from recipekit.linting import LintReport, lint_job
from recipekit.pipeline import Facilities, read_job
from recipekit.pool import Pool
from recipekit.project import find_project
from recipekit.store import Store
from recipekit.surroundings import Surroundings
from tests.e2e.conftest import recipekit, run_here
from tests.pages import page

pytestmark = pytest.mark.tensorflow

GOLDEN = Path(__file__).parents[1] / "golden" / "lint"
Arrays = dict[str, npt.NDArray[Any]]


class Listener(Screen):
    """A screen that nobody sees, which remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.begun: list[str] = []
        self.warnings: list[str] = []

    def started(self, step: str) -> None:
        self.begun.append(step)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def points(count: int, seed: int, **changes: Any) -> Arrays:
    """Points around two centres, and which one each belongs to."""
    labels = np.arange(count) % 2
    cloud = np.random.default_rng(seed).normal(labels[:, None] * 2.0 - 1.0, 0.5, (count, 8)).astype(np.float32)
    return {"point": cloud, "labels": labels, **changes}


def give(project: Path, calibration: Arrays, evaluation: Arrays) -> None:
    """Makes the project's datasets two files of arrays."""
    np.savez(project / "calibration.npz", **calibration)  # type: ignore[arg-type]  # see tests/worker/conversions.py
    np.savez(project / "evaluation.npz", **evaluation)  # type: ignore[arg-type]
    recipe = project / "recipes" / "tiny.yaml"
    lines = recipe.read_text().splitlines()
    for number, line in enumerate(lines):
        key, _, _ = line.partition(": {plugin")
        if key.strip() in {"representative_dataset", "dataset"}:
            file = "evaluation" if key.strip() == "dataset" else "calibration"
            lines[number] = f"{key}: {{plugin: npz, path: {file}.npz}}"
    recipe.write_text("\n".join(lines))


def with_value(value: float) -> npt.NDArray[Any]:
    cloud = points(120, 0)["point"]
    cloud[3, 5] = value
    return cloud


BROKEN: dict[str, Arrays] = {
    "names": {"pointer": points(120, 0)["point"]},
    "batch_dimension": points(120, 0, point=points(120, 0)["point"][:, np.newaxis]),
    "bytes": points(120, 0, point=np.tile(np.arange(120, dtype=np.uint8)[:, None], 8)),
    "not_a_number": points(120, 0, point=with_value(np.nan)),
    "infinite": points(120, 0, point=with_value(-np.inf)),
    "one_sample_again_and_again": points(120, 0, point=np.tile(np.arange(8, dtype=np.float32), (120, 1))),
    "several_faults": points(120, 0, point=with_value(np.inf).astype(np.float64)),
}


@pytest.mark.parametrize("fault", list(BROKEN))
def test_a_broken_calibration_set_is_refused_before_anything_is_converted(
    tiny: Path, pool: Pool, fault: str, update_goldens: bool
) -> None:
    give(tiny, BROKEN[fault], points(60, 1))
    screen = Listener()
    with pytest.raises(DatasetError) as caught:
        run_here(tiny, pool, "recipe=tiny", screen=screen)
    assert caught.value.exit_code == 5
    assert screen.begun == ["survey-calibration", "survey-evaluation", "load"]
    assert not (tiny / "outputs" / "tiny").exists()
    if update_goldens:
        (GOLDEN / f"{fault}.txt").write_text(f"{caught.value}\n")
    assert f"{caught.value}\n" == (GOLDEN / f"{fault}.txt").read_text()


def test_calibration_data_is_looked_at_only_where_the_scheme_calibrates(tiny: Path, pool: Pool) -> None:
    give(tiny, BROKEN["not_a_number"], points(60, 1))
    outcome = run_here(tiny, pool, "recipe=tiny", "converter=dynamic_range")
    assert outcome.status == "accepted"
    assert [warning for warning in outcome.warnings if warning.endswith("]")] == []


def test_warnings_stand_on_the_screen_in_the_results_and_in_the_report_now_and_later(tiny: Path, pool: Pool) -> None:
    calibration, evaluation = points(120, 0), points(60, 1)
    calibration["point"][8:20] = calibration["point"][0]
    evaluation["point"][4] = calibration["point"][40]
    give(tiny, calibration, evaluation)
    screen = Listener()
    outcome = run_here(tiny, pool, "recipe=tiny", screen=screen)
    copies = (
        "representative_dataset: npz sample 8 ('8'): 12 of 120 samples repeat earlier ones: sample 8 ('8') is sample 0"
        " ('0'); draw different samples, or ask for 108 [duplicate-samples]"
    )
    shared = (
        "representative_dataset: npz sample 40 ('40'): 1 of 120 calibration samples are evaluation samples, too: this"
        " one is npz sample 4 ('4'); calibrate with other samples than those that judge the model [evaluation-overlap]"
    )
    expected = [copies, shared]
    assert screen.warnings == expected
    assert list(outcome.warnings) == expected
    output = Path(outcome.output)
    assert json.loads((output / "results.json").read_text())["warnings"] == expected
    assert "evaluation-overlap" in (output / "report.html").read_text()

    again = Listener()
    assert run_here(tiny, pool, "recipe=tiny", screen=again).already_built
    assert again.warnings == expected


FACTORY = """
import keras

def _model(inside):
    point = keras.Input((8,), name="point")
    return keras.Model(point, keras.layers.Dense(2, name="out")(inside(point)))

def logarithm():
    return _model(lambda x: keras.ops.maximum(keras.ops.log(x), -9.0))

def quotient():
    return _model(lambda x: keras.ops.maximum(x / x, 0.5))

def pixels():
    return _model(keras.layers.Rescaling(1 / 255, name="pixels"))
"""


@pytest.mark.parametrize("engine", ["int8", "ai_edge_int8"])
def test_a_sample_that_overflows_inside_is_found_where_calibration_fails(tiny: Path, pool: Pool, engine: str) -> None:
    give_overflow(tiny)
    says = r"representative_dataset: sample 17 \('17'\): makes the tensor '.*Log' of the model NaN or infinite"
    with pytest.raises(DatasetError, match=says):
        run_here(tiny, pool, "recipe=overflow", f"converter={engine}")


def lint_here(project: Path, pool: Pool, *overrides: str, curve: bool) -> LintReport:
    """The linter by itself, with the session's workers."""
    found = find_project(project)
    with Store(found.store).lease() as lease:
        facilities = Facilities(pool, lease, Surroundings(found.root))
        return lint_job(read_job(compose(found, overrides)), facilities, Listener(), curve=curve)


def test_lint_by_itself_finds_what_a_calibrator_passes_over(tiny: Path, pool: Pool) -> None:
    give_overflow(tiny)
    recipe = ("recipe=overflow", "source.factory=models.py:quotient")
    clean = lint_here(tiny, pool, *recipe, curve=False)
    assert (clean.findings, clean.curve, clean.samples) == ((), None, {"calibration": 120, "evaluation": 60})
    with pytest.raises(DatasetError, match=r"sample 17 \('17'\): makes the tensor"):
        lint_here(tiny, pool, *recipe, curve=True)


def test_a_models_own_scaling_is_known_when_it_was_loaded_and_when_it_was_found(tiny: Path, pool: Pool) -> None:
    give_overflow(tiny)
    loaded, found = (
        lint_here(tiny, pool, "recipe=overflow", "source.factory=models.py:pixels", curve=False) for _ in range(2)
    )
    assert [(finding.name, finding.dataset) for finding in loaded.findings] == [
        ("input-range", "representative_dataset"),
        ("input-range", "evaluation.dataset"),
    ]
    assert "run from 0 to 2, and the model's own layer 'pixels' (Rescaling) makes 0 to 0.007" in loaded.findings[0].what
    assert found.findings == loaded.findings


def test_the_curve_of_the_shipped_model_is_the_documented_one(shipped: Path, pool: Pool) -> None:
    documented = page("calibration.md")
    rows = re.findall(r"^ +(\d+) +([\d.]+)% +([\d.]+)%$", documented, re.MULTILINE)
    report = lint_here(shipped, pool, "recipe=mobilenet_int8", curve=True)
    assert report.findings == ()
    assert report.curve is not None
    assert [point.samples for point in report.curve.points] == [int(row[0]) for row in rows]
    for point, (_, median, p90) in zip(report.curve.points, rows, strict=True):
        assert point.median == pytest.approx(float(median) / 100, abs=0.002)
        assert point.p90 == pytest.approx(float(p90) / 100, abs=0.002)


def test_lint_by_itself_ends_as_a_run_would_and_draws_the_curve(tiny: Path) -> None:
    give(tiny, BROKEN["several_faults"], points(60, 1))
    broken = recipekit(tiny, ["lint", "recipe=tiny", "--curve"])
    assert broken.returncode == 5
    assert broken.stdout.count("error representative_dataset: npz sample") == 2
    assert "2 errors in 120 calibration samples and 60 evaluation samples" in broken.stdout
    np.savez(tiny / "calibration.npz", point=points(30, 0)["point"])
    drawn = recipekit(tiny, ["lint", "recipe=tiny", "--curve"])
    assert drawn.returncode == 0
    assert "[few-samples]" in drawn.stdout
    counts = [line.split()[0] for line in drawn.stdout.splitlines() if line.rstrip().endswith("%")]
    assert counts == ["1", "2", "5", "10", "20", "30"]


def test_there_is_no_curve_where_nothing_is_calibrated(tiny: Path) -> None:
    refused = recipekit(tiny, ["lint", "recipe=tiny", "--curve", "converter=float16"])
    assert refused.returncode == 2
    assert "float16 needs no calibration" in refused.stderr


def give_overflow(project: Path) -> None:
    """A recipe whose calibration sample 17 holds a zero, for models that don't bear one."""
    draw = np.random.default_rng(0)
    point = draw.uniform(1, 2, (120, 8)).astype(np.float32)
    point[17, 3] = 0
    give(project, {"point": point}, {"point": draw.uniform(1, 2, (60, 8)).astype(np.float32)})
    (project / "models.py").write_text(FACTORY)
    (project / "recipes" / "overflow.yaml").write_text(
        """# @package _global_
defaults: [/converter: int8, _self_]
name: overflow
version: "1.0.0"
source: {kind: python, factory: "models.py:logarithm", input_shapes: {point: [1, 8]}}
representative_dataset: {plugin: npz, path: calibration.npz}
evaluation: {dataset: {plugin: npz, path: evaluation.npz}, benchmark: null}
"""
    )
