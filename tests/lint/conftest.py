"""Datasets as the survey records them, made of arrays."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from recipekit.lint import Examined
from recipekit.worker.sample_log import SampleLog
from recipekit.worker.sample_statistics import SampleStatistics

Examine = Callable[..., Examined]


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    """Records samples given as arrays, or as arrays by name, and gives them to the linter's eyes."""
    numbers = itertools.count()

    def make(samples: Sequence[Any], labels: Sequence[object] | None = None, role: str = "calibration") -> Examined:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        statistics = SampleStatistics()
        with SampleLog(folder / "samples.jsonl") as log:
            for index, sample in enumerate(samples):
                tensors = sample if isinstance(sample, dict) else {"": np.asarray(sample)}
                log.add(f"s{index}", None if labels is None else labels[index], tensors, "")
                statistics.add(tensors)
        record = msgspec.structs.replace(log.record(), statistics=statistics.record(folder))
        section = "representative_dataset" if role == "calibration" else "evaluation.dataset"
        return Examined(section, "frames", record, calibrates=role == "calibration")

    return make
