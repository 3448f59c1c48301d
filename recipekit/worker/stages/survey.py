"""The stage `survey`: a dataset is read once and digested before anything is built from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import UNSET

from recipekit.contracts import DatasetSpec, SampleSet, SurveyRequest
from recipekit.worker.progress import Counted
from recipekit.worker.sample_statistics import SampleStatistics
from recipekit.worker.samples import open_samples
from recipekit.worker.signature_samples import part_folder, united_set


def run(request: SurveyRequest, folder: Path) -> SampleSet:
    """Reads every chosen sample, records it in `folder/samples.jsonl`, and sums up the values of each signature's.

    Raises:
        DatasetError: the dataset is empty, short or unreadable, or a preprocessing step doesn't fit.
        PluginError: code of the plugin or of the project fails.
    """
    dataset = request.dataset
    if dataset.signatures is UNSET:
        return _survey(dataset, folder)
    sets = {
        key: _survey(part, part_folder(folder, number), key)
        for number, (key, part) in enumerate(dataset.signatures.items())
    }
    return united_set(sets, folder)


def _survey(dataset: DatasetSpec, folder: Path, key: str = "") -> SampleSet:
    reading = open_samples(dataset, None, folder, key)
    statistics = SampleStatistics()
    for sample in Counted(reading, reading.count, "samples", key):
        statistics.add(sample.tensors)
    return msgspec.structs.replace(reading.sample_set(), statistics=statistics.record(folder))
