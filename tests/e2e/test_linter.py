"""Broken and doubtful samples in whole runs: errors before anything is converted, warnings in everything published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

from recipekit.cli.screen import Screen
from recipekit.errors import DatasetError
from recipekit.pool import Pool
from tests.e2e.conftest import run_here

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
    expected = [
        "representative_dataset: npz sample 8 ('8'): 12 of 120 samples repeat earlier ones: sample 8 ('8') is sample 0"
        " ('0'); draw different samples, or ask for 108 [duplicate-samples]",
        "representative_dataset: npz sample 40 ('40'): 1 of 120 calibration samples are evaluation samples, too: this"
        " one is npz sample 4 ('4'); calibrate with other samples than those that judge the model [evaluation-overlap]",
    ]
    assert screen.warnings == expected
    assert list(outcome.warnings) == expected
    output = Path(outcome.output)
    assert json.loads((output / "results.json").read_text())["warnings"] == expected
    assert "evaluation-overlap" in (output / "report.html").read_text()

    again = Listener()
    assert run_here(tiny, pool, "recipe=tiny", screen=again).already_built
    assert again.warnings == expected
