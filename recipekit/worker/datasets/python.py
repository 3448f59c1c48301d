"""Samples from a function of the project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from recipekit.contracts import Dataset, DatasetContext, Sample, StreamedDataset
from recipekit.errors import PluginError
from recipekit.worker.user_code import guarded, load_object


def open_dataset(
    context: DatasetContext, *, factory: str, kwargs: Mapping[str, Any] | None = None
) -> Dataset | StreamedDataset:
    """The samples that `factory(**kwargs)` gives.

    An item is a Sample, a mapping of input names to arrays, an array, or a tuple of one of these two and a label; items
    other than Samples go by their index.

    Args:
        context: holds the project root, where the factory is found.
        factory: `module:function`. It returns something with length and index, an iterable, or a function without
            parameters that returns an iterable. An iterator can be read only once, so the factory is called again for
            each further reading.
        kwargs: keyword arguments of the factory.

    Raises:
        PluginError: the factory can't be imported, fails, or returns something else.
    """
    make = load_object(factory, context.root)

    def call() -> Any:
        with guarded(f"the factory '{factory}'"):
            return make(**(kwargs or {}))

    made = call()
    if isinstance(made, Dataset) and not isinstance(made, Mapping | str | bytes):
        return _Indexed(made, factory)
    if isinstance(made, Iterator):
        return _Streamed(call, factory)
    if isinstance(made, Iterable) and not isinstance(made, Mapping | str | bytes):
        return _Streamed(lambda: made, factory)
    if callable(made):
        return _Streamed(made, factory)
    raise PluginError(
        f"returned {type(made).__name__}, which holds no samples",
        where=factory,
        fix="return a sequence, an iterable, or a function that returns one",
    )


class _Indexed:
    def __init__(self, items: Any, factory: str) -> None:
        self._items = items
        self._factory = factory

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:
        return _as_sample(self._items[index], index, self._factory)


class _Streamed:
    def __init__(self, start: Callable[[], Iterable[object]], factory: str) -> None:
        self._start = start
        self._factory = factory

    def __iter__(self) -> Iterator[Sample]:
        for index, item in enumerate(self._start()):
            yield _as_sample(item, index, self._factory)


def _as_sample(item: object, index: int, factory: str) -> Sample:
    if isinstance(item, Sample):
        return item
    tensors, label = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    if isinstance(tensors, Mapping):
        return Sample(str(index), tensors, label)
    if isinstance(tensors, list | int | float) or hasattr(tensors, "__array__"):
        return Sample(str(index), np.asarray(tensors), label)
    raise PluginError(
        f"gave {type(tensors).__name__} as item {index}",
        where=factory,
        fix="give Samples, mappings of input names to arrays, arrays, or tuples of one of these and a label",
    )
