"""Short ways to declare and read datasets in tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipekit.contracts import DatasetSpec, Sample, Signature, TensorSpec
from recipekit.worker.samples import NamedSample, Reading, open_samples


def dataset_spec(plugin: str, root: Path, **changes: Any) -> DatasetSpec:
    """All samples of a plugin in their own order; `changes` are other fields of the spec."""
    fields: dict[str, Any] = {
        "params": {},
        "samples": None,
        "shuffle": False,
        "seed": 0,
        "preprocess": (),
        "modules": (),
    }
    return DatasetSpec(plugin=plugin, project_root=str(root), **{**fields, **changes})


def inputs(**specs: tuple[str, tuple[int | None, ...]]) -> Signature:
    """A signature of inputs given as `name=(dtype, shape with batch dimension)`."""
    return Signature(
        inputs=tuple(TensorSpec(name=name, dtype=dtype, shape=shape) for name, (dtype, shape) in specs.items()),
        outputs=(),
    )


def read(spec: DatasetSpec, folder: Path, signature: Signature | None = None) -> tuple[list[NamedSample], Reading]:
    """Every sample of a reading, and the reading."""
    folder.mkdir(exist_ok=True)
    reading = open_samples(spec, signature, folder)
    return list(reading), reading


class Counted:
    """A dataset whose sample `i` is what `make(i)` gives."""

    def __init__(self, count: int, make: Callable[[int], Any]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        return Sample(f"s{index}", self._make(index), index)
