"""Which extras a recipe uses: the table agrees with the package's own metadata and its plugins."""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

import pytest

from recipekit import extras, registry
from recipekit.worker.preprocess import STEPS
from tests.readings import dataset_spec


def test_every_name_in_the_tables_is_one_of_a_plugin_or_step_and_every_extra_exists() -> None:
    assert extras._DATASETS.keys() <= set(registry.names("datasets"))
    assert extras._METRICS.keys() <= set(registry.names("metrics"))
    assert extras._STEPS.keys() <= STEPS.keys()
    used = {*extras._DATASETS.values(), *extras._METRICS.values(), *extras._STEPS.values()}
    assert used <= set(metadata("recipekit").get_all("Provides-Extra", ()))


@pytest.mark.parametrize(
    ("plugin", "steps", "expected"),
    [
        ("npz", [{"cast": "float32"}], set()),
        ("npz", [{"mfcc": {"sr": 8000}, "inputs": ["x"]}], {"audio"}),
        ("tfds", [], {"tfds"}),
    ],
)
def test_a_dataset_uses_the_extras_of_its_plugin_and_of_its_steps(
    plugin: str, steps: list[dict[str, object]], expected: set[str], tmp_path: Path
) -> None:
    assert extras.of_dataset(dataset_spec(plugin, tmp_path, preprocess=tuple(steps))) == expected
