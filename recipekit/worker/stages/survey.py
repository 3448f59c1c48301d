"""The survey stage: a dataset is read once and digested before anything is built from it."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import SampleSet, SurveyRequest
from recipekit.worker.samples import open_samples


def run(request: SurveyRequest, folder: Path) -> SampleSet:
    """Reads every chosen sample and records it in `folder/samples.jsonl`.

    Raises:
        DatasetError: the dataset is empty, short or unreadable, or a preprocessing step doesn't fit.
        PluginError: code of the plugin or of the project fails.
    """
    reading = open_samples(request.dataset, None, folder)
    for _ in reading:
        pass
    return reading.sample_set()
