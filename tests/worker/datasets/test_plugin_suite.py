"""The life cycle that every dataset of the registry goes through."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from recipekit import registry, testing
from recipekit.contracts import Dataset, DatasetContext, DatasetSpec
from recipekit.errors import DatasetError
from recipekit.worker.samples import open_samples
from tests.plugin_suite import ROWS
from tests.readings import dataset_spec, read


@pytest.fixture(scope="module", params=sorted(ROWS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def spec(name: str, tmp_path_factory: pytest.TempPathFactory) -> DatasetSpec:
    root = tmp_path_factory.mktemp(name)
    return dataset_spec(name, root, params=ROWS[name].prepare(root))


def changed(spec: DatasetSpec, **changes: object) -> DatasetSpec:
    fields = {field: getattr(spec, field) for field in spec.__struct_fields__}
    return DatasetSpec(**{**fields, **changes})


def opened(spec: DatasetSpec) -> Dataset:
    plugin = registry.plugin("datasets", spec.plugin)
    dataset = plugin(DatasetContext(Path(spec.project_root), spec.seed), **spec.params)
    assert isinstance(dataset, Dataset)
    return dataset


def test_every_dataset_of_the_package_has_a_row() -> None:
    shipped = [n for n in registry.names("datasets") if registry.target("datasets", n).startswith("recipekit.")]
    assert shipped == sorted(ROWS)


@pytest.mark.slow
def test_it_knows_its_length(name: str, spec: DatasetSpec) -> None:
    assert len(opened(spec)) == ROWS[name].length


@pytest.mark.slow
@pytest.mark.parametrize("check", testing.DATASET_CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_what_every_dataset_keeps(spec: DatasetSpec, check: Callable[[DatasetSpec], None]) -> None:
    check(spec)


@pytest.mark.slow
def test_two_readings_give_the_same_record(spec: DatasetSpec, tmp_path: Path) -> None:
    _, first = read(changed(spec, shuffle=True), tmp_path / "first")
    _, second = read(changed(spec, shuffle=True), tmp_path / "second")
    assert first.sample_set().sha256 == second.sample_set().sha256
    assert Path(first.sample_set().path).read_bytes() == Path(second.sample_set().path).read_bytes()


@pytest.mark.slow
def test_a_reading_needs_far_less_memory_than_the_samples(spec: DatasetSpec, tmp_path: Path) -> None:
    whole, _ = read(spec, tmp_path)
    size = sum(array.nbytes for sample in whole for array in sample.tensors.values())
    del whole
    tracemalloc.start()
    try:
        for _ in open_samples(spec, None, tmp_path):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.4 * size


def test_more_samples_than_there_are_is_an_error(name: str, spec: DatasetSpec, tmp_path: Path) -> None:
    count = ROWS[name].length
    with pytest.raises(DatasetError, match=f"expected {count + 1}, got {count}"):
        open_samples(changed(spec, samples=count + 1), None, tmp_path)
