"""What the log and the statistics of a reading say of its samples: copies, shapes, classes, extreme values.

A log is read once a process, however many builds share its samples.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit.contracts import SampleSet, TensorStatistics
from recipekit.lint.finding import Finding

Kind = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, element type and shape of each tensor of a sample."""


class Examined(NamedTuple):
    """A dataset under the linter's eyes.

    Attributes:
        section: the recipe's key of it.
        plugin: that gives the samples.
        samples: the record of its first reading.
        calibrates: whether ranges are taken from it.
        requested: how many samples the recipe asks for, if it was warned of that number already; else None.
    """

    section: str
    plugin: str
    samples: SampleSet
    calibrates: bool = False
    requested: int | None = None

    def finding(self, name: str, what: str, fix: str, index: int | None = None, *, error: bool = False) -> Finding:
        """A finding about the set, or about the sample at `index`."""
        return Finding(
            name=name,
            severity="error" if error else "warning",
            dataset=self.section,
            plugin=self.plugin,
            index=index,
            id="" if index is None else read_log(self.samples).ids[index],
            what=what,
            fix=fix,
        )


class Log(NamedTuple):
    """What a sample log holds.

    Attributes:
        ids: of each sample.
        digests: of each sample's tensors, whatever they are called.
        kinds: every kind of sample with the index of its first and how many there are.
        classes: how many samples there are of each class; empty where labels are no classes.
    """

    ids: tuple[str, ...]
    digests: tuple[str, ...]
    kinds: dict[Kind, tuple[int, int]]
    classes: dict[str, int]


class _Tensor(msgspec.Struct):
    sha256: str
    dtype: str
    shape: tuple[int, ...]


class _Line(msgspec.Struct):
    id: str
    tensors: dict[str, _Tensor]
    label: Any = None


_LINES = msgspec.json.Decoder(_Line)


@lru_cache(maxsize=32)
def read_log(samples: SampleSet) -> Log:
    """The log of a reading."""
    ids, digests, classes = [], [], Counter[str]()
    kinds: dict[Kind, tuple[int, int]] = {}
    for index, line in enumerate(_LINES.decode_lines(Path(samples.path).read_bytes())):
        ids.append(line.id)
        digests.append(" ".join(sorted(tensor.sha256 for tensor in line.tensors.values())))
        kind = tuple((name, tensor.dtype, tensor.shape) for name, tensor in line.tensors.items())
        first, count = kinds.get(kind, (index, 0))
        kinds[kind] = (first, count + 1)
        if isinstance(line.label, str | int):
            classes[str(line.label)] += 1
    return Log(tuple(ids), tuple(digests), kinds, dict(classes) if classes.total() == len(ids) else {})


@lru_cache(maxsize=64)
def read_extremes(statistics: TensorStatistics) -> tuple[tuple[float, float], ...]:
    """Smallest and largest value of each sample; NaN where it has none."""
    numbers = array("d", Path(statistics.extremes).read_bytes())
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def share_outside(statistics: TensorStatistics, low: float, high: float) -> float | None:
    """Share of a tensor's values below `low` or above `high`, of those that were kept; None where none were."""
    values = read_values(statistics)
    if not values:
        return None
    return (bisect_left(values, low) + len(values) - bisect_right(values, high)) / len(values)


@lru_cache(maxsize=16)
def read_values(statistics: TensorStatistics) -> array[float]:
    """Some of a tensor's values, smallest first."""
    return array("d", Path(statistics.values).read_bytes() if statistics.values else b"")


def constant_samples(samples: SampleSet) -> list[int]:
    """Indices of samples of several values that are all the same, over each of their tensors."""
    names = {tensor.name for tensor in samples.statistics}
    large = [any(math.prod(shape) > 1 for _, _, shape in kind) for kind in read_log(samples).kinds]
    numeric = [{name for name, _, _ in kind} <= names for kind in read_log(samples).kinds]
    if not all(large) or not all(numeric):
        return []
    found = None
    for tensor in samples.statistics:
        equal = {index for index, (lowest, highest) in enumerate(read_extremes(tensor)) if lowest == highest}
        found = equal if found is None else found & equal
    return sorted(found or ())
