"""The survey stage, in its worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.contracts import SampleSet, SurveyRequest
from recipekit.errors import DatasetError, PluginError
from tests.conftest import RunStage
from tests.readings import dataset_spec, read


def test_a_survey_records_what_any_reading_would(run_stage: RunStage, tmp_path: Path) -> None:
    spec = dataset_spec("random", tmp_path, params={"inputs": {"x": [3]}}, samples=5, shuffle=True, seed=3)
    record = run_stage("survey", SurveyRequest(dataset=spec))
    assert isinstance(record, SampleSet)
    _, reading = read(spec, tmp_path)
    assert Path(record.path).read_bytes() == Path(reading.sample_set().path).read_bytes()
    assert (record.sha256, record.count, record.labelled) == (reading.sample_set().sha256, 5, False)
    (statistics,) = record.statistics
    assert (statistics.name, statistics.lowest < statistics.mean < statistics.highest) == ("x", True)
    assert Path(statistics.extremes).stat().st_size == 5 * 2 * 8


def test_a_survey_of_a_short_dataset_fails(run_stage: RunStage, tmp_path: Path) -> None:
    spec = dataset_spec("random", tmp_path, params={"inputs": {"x": [3]}, "count": 4}, samples=5)
    with pytest.raises(DatasetError, match="expected 5, got 4"):
        run_stage("survey", SurveyRequest(dataset=spec))


def test_a_dataset_that_exits_does_not_pass(run_stage: RunStage, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("import sys\ndef make(): sys.exit(0)\n")
    spec = dataset_spec("python", tmp_path, params={"factory": "leaving.py:make"})
    with pytest.raises(PluginError, match=r"sys.exit\(0\)"):
        run_stage("survey", SurveyRequest(dataset=spec))
