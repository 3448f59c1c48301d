"""The driver around every dataset plugin: one way to read samples, for all stages.

    reading = open_samples(spec, signature, folder)
    for sample in reading: ...
    reading.sample_set()

It imports the project's modules, builds the plugin, chooses the samples and their order, preprocesses, digests and
checks them, and hands them out one at a time; the set is never held whole. It knows no plugin and no stage.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from recipekit import registry
from recipekit.contracts import Dataset, DatasetContext, DatasetSpec, Sample, SampleSet, Signature
from recipekit.errors import DatasetError, InternalError, PluginError
from recipekit.nearest import did_you_mean
from recipekit.worker.preprocess import compile_steps
from recipekit.worker.sample_log import SampleLog
from recipekit.worker.tensors import Tensors, as_tensors, fit
from recipekit.worker.user_code import guarded, import_modules

_END = object()


@dataclass(frozen=True)
class NamedSample:
    """One sample, ready for a model.

    Attributes:
        index: its place in the reading, from 0; with `shuffle` not the dataset's own index.
        id: what the dataset calls it.
        tensors: preprocessed arrays without batch dimension by input name; without a signature as the dataset names
            them, a bare array under the empty name.
        label: as the dataset gave it, None where there is none.
        signature: of a model with several, the key of the one that it is for; else empty.
    """

    index: int
    id: str
    tensors: Tensors
    label: Any
    signature: str = ""


class Reading:
    """The chosen samples of a dataset, read one at a time; each iteration reads them anew from the first one.

    Attributes:
        count: how many samples an iteration gives.
        log_path: where an iteration lists the samples that it has come to.
    """

    def __init__(self, spec: DatasetSpec, signature: Signature | None, folder: Path, key: str = "") -> None:
        root = Path(spec.project_root)
        import_modules(spec.modules, root)
        self._plugin = f"{key}: {spec.plugin}" if key else spec.plugin
        self._signature = signature
        self._key = key
        self.log_path = folder / "samples.jsonl"
        self._preprocess = compile_steps(spec.preprocess, root)
        self.count, self._source = _source(_build(spec, root), msgspec.structs.replace(spec, plugin=self._plugin))
        self._sample_set: SampleSet | None = None

    def __iter__(self) -> Iterator[NamedSample]:
        self._sample_set = None
        with SampleLog(self.log_path, self._key) as log:
            for index, sample in enumerate(self._source()):
                yield self._prepare(index, sample, log)
        self._sample_set = log.record()

    def sample_set(self) -> SampleSet:
        """The record of the last iteration, with its `samples.jsonl`.

        Raises:
            InternalError: no iteration has come to its end.
        """
        if self._sample_set is None:
            raise InternalError("the samples were not read to their end", where=self._plugin)
        return self._sample_set

    def _prepare(self, index: int, sample: object, log: SampleLog) -> NamedSample:
        if not isinstance(sample, Sample):
            raise PluginError(
                f"gave {type(sample).__name__}, not a Sample",
                where=f"{self._plugin} sample {index}",
                fix="let the plugin give recipekit.contracts.Sample objects",
            )
        name = str(sample.id)
        place = f"{self._plugin} sample {index} ('{name}')"
        tensors = self._preprocess(as_tensors(sample.tensors, place), place)
        log.add(name, sample.label, tensors, place)
        if self._signature is not None:
            tensors = fit(tensors, self._signature, place)
        return NamedSample(index, name, tensors, sample.label, self._key)


def open_samples(spec: DatasetSpec, signature: Signature | None, folder: Path, key: str = "") -> Reading:
    """Opens a dataset for reading.

    Iterating the result raises DatasetError for samples that are missing or don't fit, and PluginError for code of
    the project that fails.

    Args:
        spec: the plugin, its parameters, and which samples to take.
        signature: of the model that takes the samples; None leaves names, shapes and element types unchecked.
        folder: where `samples.jsonl` is written.
        key: the signature's, where the model has several.

    Raises:
        UsageError: there is no such plugin.
        PluginError: the plugin or a module fails, or the plugin doesn't take the parameters.
        DatasetError: the dataset is empty, short, or can't be shuffled, or a preprocessing step is wrong.
    """
    return Reading(spec, signature, folder, key)


def _build(spec: DatasetSpec, root: Path) -> object:
    plugin = registry.plugin("datasets", spec.plugin)
    context = DatasetContext(root, spec.seed)
    _check_parameters(plugin, context, spec)
    with guarded(f"the dataset '{spec.plugin}'"):
        return plugin(context, **spec.params)


def _check_parameters(plugin: Callable[..., Any], context: DatasetContext, spec: DatasetSpec) -> None:
    try:
        signature = inspect.signature(plugin)
    except ValueError:
        return  # code without a readable signature says itself what it misses
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    accepted = [parameter.name for parameter in list(signature.parameters.values())[1:] if parameter.kind in named]
    try:
        signature.bind(context, **spec.params)
    except TypeError as error:
        unknown = next((name for name in spec.params if name not in accepted), "")
        raise PluginError(
            f"does not take these parameters: {error}{did_you_mean(unknown, accepted)}",
            where=f"dataset '{spec.plugin}'",
            fix=f"it accepts {', '.join(accepted) or 'no parameters'}",
        ) from None


def _source(dataset: object, spec: DatasetSpec) -> tuple[int, Callable[[], Iterator[object]]]:
    """How many samples are chosen, and what starts a reading of them in the chosen order."""
    if isinstance(dataset, Dataset):
        order = _order(dataset, spec)
        return len(order), lambda: _pick(dataset, order, spec.plugin)
    if not isinstance(dataset, Iterable):
        raise PluginError(
            f"is a {type(dataset).__name__}, which has neither length and index nor iteration",
            where=f"dataset '{spec.plugin}'",
            fix="define __len__ and __getitem__, or __iter__",
        )
    if spec.shuffle:
        raise DatasetError(
            "can only be read from its beginning, so it can't be shuffled",
            where=spec.plugin,
            fix="set `shuffle: false`, or give the dataset __len__ and __getitem__",
        )
    if spec.samples is None:
        raise DatasetError("does not know its length", where=spec.plugin, fix="say how many to take with `samples`")
    count = spec.samples
    return count, lambda: _stream(dataset, count, spec.plugin)


def _order(dataset: Dataset, spec: DatasetSpec) -> Sequence[int]:
    """Indices of the samples to read; with `shuffle` the first ones of a permutation that the seed alone decides."""
    with guarded(f"the length of the dataset '{spec.plugin}'"):
        available = len(dataset)
    count = available if spec.samples is None else spec.samples
    _expect(count, available, spec.plugin)
    if not spec.shuffle:
        return range(count)
    shuffled: list[int] = np.random.Generator(np.random.PCG64(spec.seed)).permutation(available)[:count].tolist()
    return shuffled


def _pick(dataset: Dataset, order: Sequence[int], plugin: str) -> Iterator[object]:
    for place, index in enumerate(order):
        with guarded(f"{plugin} sample {place} (its index {index})"):
            sample = dataset[index]
        yield sample


def _stream(dataset: Iterable[object], count: int, plugin: str) -> Iterator[object]:
    with guarded(f"starting to read {plugin}"):
        iterator = iter(dataset)
    for place in range(count):
        with guarded(f"{plugin} sample {place}"):
            sample = next(iterator, _END)
        if sample is _END:
            _expect(count, place, plugin)
        yield sample


def _expect(count: int, available: int, plugin: str) -> None:
    if available == 0:
        raise DatasetError("has no samples", where=plugin, fix="correct its path or its parameters")
    if available < count:
        raise DatasetError(
            f"has too few samples: expected {count}, got {available}",
            where=plugin,
            fix=f"add samples, or set `samples: {available}`",
        )
