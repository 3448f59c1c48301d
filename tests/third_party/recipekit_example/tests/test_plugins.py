from pathlib import Path

import numpy as np
import pytest
from recipekit_example.waves import Waves

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.testing import check_dataset, check_metric


def test_waves_is_a_dataset(tmp_path: Path) -> None:
    check_dataset("waves", {"count": 30, "classes": 4}, tmp_path)


def test_waves_checks_its_parameters(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'classes' is 1"):
        Waves(DatasetContext(tmp_path, seed=0), classes=1)


def test_confusion_cost_is_a_metric() -> None:
    scores = np.random.default_rng(0).random((20, 3))
    check_metric("confusion_cost", {"power": 2}, np.arange(20) % 3, {"class": scores})
