"""What a plugin of yours must keep, for your own tests: each function raises AssertionError where something fails.

    from recipekit.testing import check_dataset, check_metric

    def test_my_dataset(tmp_path):
        check_dataset("my_frames", {"path": "frames"}, tmp_path)

The plugins of recipekit go through the same checks. Nothing here knows pytest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit import registry
from recipekit.contracts import Dataset, DatasetContext, DatasetSpec, Sample
from recipekit.errors import DatasetError, PluginError
from recipekit.worker.samples import open_samples
from recipekit.worker.scoring import open_metrics
from recipekit.worker.tensors import as_tensors


def check_dataset(name: str, params: Mapping[str, Any], root: Path, *, seed: int = 0) -> None:
    """Checks a dataset that knows its length, as a recipe would read it.

    It gives the same samples each time, whoever asks and in whatever order, says how many there are, names its
    parameters when one is wrong, and can be shuffled by a seed.

    Args:
        name: under which the plugin is registered or installed.
        params: its parameters, as a recipe would give them.
        root: the project root that it gets; where `params` hold a path, that is relative to it.
        seed: the recipe's.

    Raises:
        AssertionError: it does otherwise.
        RecipekitError: it can't be opened at all.
    """
    spec = DatasetSpec(
        plugin=name,
        project_root=str(root),
        params=dict(params),
        samples=None,
        shuffle=False,
        seed=seed,
        preprocess=(),
        modules=(),
    )
    for check in DATASET_CHECKS:
        check(spec)


def check_samples_stay_the_same(spec: DatasetSpec) -> None:
    """Two openings of a dataset give equal samples by index, in any order, and each sample has an id of its own."""
    dataset, other = _opened(spec), _opened(spec)
    last = len(dataset) - 1
    assert last >= 1, f"{spec.plugin}: a dataset for tests needs two samples, got {last + 1}"
    before = dataset[last]
    assert isinstance(before, Sample), f"{spec.plugin}: gave {type(before).__name__}, not a Sample"
    assert dataset[0].id != before.id, f"{spec.plugin}: two samples are called '{before.id}'"
    for again in (dataset[last], other[last]):
        assert again.id == before.id, f"{spec.plugin}: sample {last} is '{before.id}', then '{again.id}'"
        np.testing.assert_array_equal(np.asarray(again.label), np.asarray(before.label), f"label of '{before.id}'")
        for key, array in as_tensors(before.tensors, "").items():
            np.testing.assert_array_equal(as_tensors(again.tensors, "")[key], array, f"'{key}' of '{before.id}'")


def check_length(spec: DatasetSpec) -> None:
    """A reading has as many samples as the dataset says, and more than these can't be asked for."""
    count = len(_opened(spec))
    assert len(_ids(spec)) == count, f"{spec.plugin}: says {count} samples, gives {len(_ids(spec))}"
    try:
        _ids(msgspec.structs.replace(spec, samples=count + 1))
    except DatasetError as error:
        assert f"got {count}" in error.what, error.what  # noqa: PT017  this is no test, and knows no pytest
    else:
        raise AssertionError(f"{spec.plugin}: {count + 1} samples were asked for, and nobody objected")


def check_shuffled_order(spec: DatasetSpec) -> None:
    """A shuffled order is a permutation of the plain one that the seed alone decides."""
    plain = _ids(spec)
    shuffled = msgspec.structs.replace(spec, shuffle=True)
    orders = [_ids(msgspec.structs.replace(shuffled, seed=seed)) for seed in (0, 0, 1)]
    assert len(set(plain)) == len(plain), f"{spec.plugin}: samples share ids"
    assert sorted(orders[0]) == sorted(plain), f"{spec.plugin}: shuffled, it gives other samples"
    assert orders[0] == orders[1], f"{spec.plugin}: one seed gives two orders"
    assert len(plain) < _MANY or orders[0] != orders[2], f"{spec.plugin}: two seeds give one order"


def check_parameters_are_named(spec: DatasetSpec) -> None:
    """A parameter that doesn't exist is answered with those that do."""
    try:
        _ids(msgspec.structs.replace(spec, params={**spec.params, "no_such_parameter": 1}))
    except PluginError as error:
        missing = [parameter for parameter in spec.params if parameter not in error.fix]
        assert not missing, f"{spec.plugin}: the answer to a wrong parameter leaves out {', '.join(missing)}"
    else:
        raise AssertionError(f"{spec.plugin}: takes a parameter that doesn't exist; don't take **kwargs")


def check_metric(
    name: str,
    params: Mapping[str, Any],
    labels: npt.ArrayLike,
    outputs: Mapping[str, npt.ArrayLike],
    *,
    root: Path = Path(),
) -> None:
    """Checks a task metric on some predictions, as recipekit would compute it.

    Its score is a finite number, weights count like copies of samples, and where it says which samples are right, the
    score is their share.

    Args:
        name: under which it is registered or installed, or its address `module:object`.
        params: its parameters, as a recipe would give them.
        labels: one a sample.
        outputs: by output name, the first axis being the samples.
        root: the project root, for an address in a project.

    Raises:
        AssertionError: it does otherwise.
        RecipekitError: it can't be opened at all.
    """
    (metric,) = open_metrics({name: dict(params)}, root).values()
    truth = np.asarray(labels)
    arrays = {key: np.asarray(value) for key, value in outputs.items()}
    plain = metric.score(truth, arrays, None)
    assert isinstance(metric.higher_is_better, bool), f"{name}: higher_is_better is {metric.higher_is_better!r}"
    assert math.isfinite(plain), f"{name}: scored {plain}"
    copies = np.arange(len(truth)) % 3
    copied = {key: array.repeat(copies, axis=0) for key, array in arrays.items()}
    weighted = metric.score(truth, arrays, copies.astype(np.float64))
    repeated = metric.score(truth.repeat(copies, axis=0), copied, None)
    assert math.isclose(weighted, repeated, rel_tol=1e-6, abs_tol=1e-9), (
        f"{name}: weights give {weighted}, as many copies {repeated}"
    )
    hits = metric.hits(truth, arrays)
    if hits is not None:
        assert len(hits) == len(truth), f"{name}: {len(hits)} hits for {len(truth)} samples"
        assert math.isclose(plain, float(np.mean(hits)), rel_tol=1e-6), f"{name}: {plain} isn't the share of its hits"


DATASET_CHECKS = (check_samples_stay_the_same, check_length, check_shuffled_order, check_parameters_are_named)
"""What `check_dataset` asks for, one by one."""

_MANY = 8
"""Samples from which on two seeds hardly ever give one order: less than once in 40,000 times."""


def _opened(spec: DatasetSpec) -> Dataset:
    plugin = registry.plugin("datasets", spec.plugin)
    dataset = plugin(DatasetContext(Path(spec.project_root), spec.seed), **spec.params)
    assert isinstance(dataset, Dataset), f"{spec.plugin}: gave {type(dataset).__name__}, without length or index"
    return dataset


def _ids(spec: DatasetSpec) -> list[str]:
    with TemporaryDirectory(prefix="recipekit-") as folder:
        return [sample.id for sample in open_samples(spec, None, Path(folder))]
