"""The dataset `python`: all that a function of the project may return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recipekit.contracts import DatasetSpec
from recipekit.errors import PluginError
from tests.readings import dataset_spec, read


def spec(root: Path, body: str, samples: int | None = None, **kwargs: Any) -> DatasetSpec:
    """A dataset whose factory `make` is defined by `body`."""
    (root / "project_data.py").write_text(f"import numpy as np\nfrom recipekit.contracts import Sample\n{body}\n")
    params = {"factory": "project_data.py:make", "kwargs": kwargs}
    return dataset_spec("python", root, params=params, samples=samples)


SIZED = [
    "def make(): return [np.full(2, i) for i in range(3)]",
    "def make(): return np.stack([np.full(2, i) for i in range(3)])",
    "def make(): return [[i, i] for i in range(3)]",
    "class make:\n    def __len__(self): return 3\n    def __getitem__(self, i): return np.full(2, i)",
]
STREAMED = [
    "def make():\n    for i in range(3): yield np.full(2, i)",
    "def make(): return (np.full(2, i) for i in range(3))",
    "def make(): return lambda: (np.full(2, i) for i in range(3))",
    "class make:\n    def __iter__(self): return (np.full(2, i) for i in range(3))",
]


@pytest.mark.parametrize("body", SIZED + STREAMED)
def test_every_kind_of_collection_is_read_again_and_again(body: str, tmp_path: Path) -> None:
    declared = spec(tmp_path, body, samples=None if body in SIZED else 3)
    samples, reading = read(declared, tmp_path / "out")
    assert [sample.id for sample in samples] == ["0", "1", "2"]
    assert [sample.tensors[""].tolist() for sample in samples] == [[0, 0], [1, 1], [2, 2]]
    first = reading.sample_set()
    assert len(list(reading)) == 3
    assert reading.sample_set() == first


@pytest.mark.parametrize(
    ("item", "names", "label"),
    [
        ("np.zeros(2)", [""], None),
        ("(np.zeros(2), 7)", [""], 7),
        ("{'a': np.zeros(2), 'b': np.zeros(2)}", ["a", "b"], None),
        ("({'a': np.zeros(2)}, 'cat')", ["a"], "cat"),
        ("3.5", [""], None),
        ("Sample('seven', np.zeros(2), 7)", [""], 7),
    ],
)
def test_every_kind_of_item_becomes_a_sample(item: str, names: list[str], label: object, tmp_path: Path) -> None:
    (sample,), _ = read(spec(tmp_path, f"def make(): return [{item}]"), tmp_path / "out")
    assert sample.id == ("seven" if "Sample" in item else "0")
    assert list(sample.tensors) == names
    assert sample.label == label


def test_the_factory_gets_its_arguments(tmp_path: Path) -> None:
    declared = spec(tmp_path, "def make(count, value=0): return [np.full(2, value)] * count", count=2, value=5)
    samples, _ = read(declared, tmp_path / "out")
    assert [sample.tensors[""].tolist() for sample in samples] == [[5, 5], [5, 5]]


@pytest.mark.parametrize("item", ["None", "'text'", "(1, 2, 3)", "object()"])
def test_an_item_that_is_no_sample_is_named(item: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="as item 1") as caught:
        read(spec(tmp_path, f"def make(): return [np.zeros(2), {item}]"), tmp_path / "out")
    assert caught.value.where == "project_data.py:make"


@pytest.mark.parametrize("made", ["None", "3", "'text'", "{'a': 1}"])
def test_a_factory_that_returns_no_samples_is_refused(made: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="which holds no samples"):
        read(spec(tmp_path, f"def make(): return {made}"), tmp_path / "out")


@pytest.mark.parametrize(
    "body", ["def make(): raise OSError('boom')", "def make():\n    raise OSError('boom')\n    yield"]
)
def test_a_factory_that_raises_is_named_with_its_line(body: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="boom") as caught:
        read(spec(tmp_path, body, samples=1), tmp_path / "out")
    assert "project_data.py:" in caught.value.where


def test_a_factory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="has no 'make'"):
        read(spec(tmp_path, "def mke(): return []"), tmp_path / "out")
