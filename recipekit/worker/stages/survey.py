"""The survey stage: a dataset is read once and digested before anything is built from it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from recipekit.contracts import SampleSet, SurveyRequest
from recipekit.worker.sample_statistics import SampleStatistics
from recipekit.worker.samples import open_samples


def run(request: SurveyRequest, folder: Path) -> SampleSet:
    """Reads every chosen sample, records it in `folder/samples.jsonl`, and sums up the values of all.

    Raises:
        DatasetError: the dataset is empty, short or unreadable, or a preprocessing step doesn't fit.
        PluginError: code of the plugin or of the project fails.
    """
    reading = open_samples(request.dataset, None, folder)
    statistics = SampleStatistics()
    for sample in reading:
        statistics.add(sample.tensors)
    return msgspec.structs.replace(reading.sample_set(), statistics=statistics.record(folder))
