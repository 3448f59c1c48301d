"""The samples of a model with one signature or several: a reading for each, one after the other.

A model with one signature has one reading, and nothing shows that it might have been more. With several each signature
has a dataset of its own, and `samples.jsonl` holds the lines of all, in the order of the recipe's signatures.
This module knows no plugin and no stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from recipekit.contracts import DatasetSpec, SampleSet, Signature
from recipekit.worker.samples import NamedSample, Reading, open_samples
from recipekit.worker.tensors import Tensors


class Readings:
    """The chosen samples of every signature, read one at a time; each iteration reads them anew from the first one.

    Attributes:
        parts: the reading of each signature, by its key, in the recipe's order.
    """

    def __init__(self, parts: Mapping[str, Reading], folder: Path) -> None:
        self.parts = parts
        self._folder = folder

    def __iter__(self) -> Iterator[NamedSample]:
        for reading in self.parts.values():
            yield from reading

    @property
    def count(self) -> int:
        """How many samples an iteration over all parts gives."""
        return sum(reading.count for reading in self.parts.values())

    def sample_set(self) -> SampleSet:
        """The record of the last iteration over all parts.

        Raises:
            InternalError: a part has not come to its end.
        """
        sets = {key: reading.sample_set() for key, reading in self.parts.items()}
        return united_set(sets, self._folder) if len(sets) > 1 else next(iter(sets.values()))


def open_readings(spec: DatasetSpec, signatures: Mapping[str, Signature], folder: Path) -> Readings:
    """Opens a dataset for the signatures of a model; see `open_samples`.

    Args:
        spec: the dataset, or one for each signature.
        signatures: of the model that takes the samples, by key.
        folder: where `samples.jsonl` is written.

    Raises:
        UsageError, PluginError, DatasetError: as `open_samples` says.
    """
    if len(signatures) == 1:
        return Readings({key: open_samples(spec, signature, folder) for key, signature in signatures.items()}, folder)
    parts = {
        key: open_samples(spec.of(key), signature, part_folder(folder, number), key)
        for number, (key, signature) in enumerate(signatures.items())
    }
    return Readings(parts, folder)


class Batches:
    """Samples as batches of one, as converters and interpreters take them; inputs without dimensions have none."""

    def __init__(self, signatures: Mapping[str, Signature]) -> None:
        self._ranked = {
            key if len(signatures) > 1 else "": {spec.name for spec in signature.inputs if spec.shape}
            for key, signature in signatures.items()
        }

    def of_one(self, sample: NamedSample) -> Tensors:
        """A sample's arrays with batch dimension 1 by input name."""
        ranked = self._ranked[sample.signature]
        return {name: array[np.newaxis] if name in ranked else array for name, array in sample.tensors.items()}


def part_folder(folder: Path, number: int) -> Path:
    """Where the files of a signature's reading lie; keys of signatures may hold anything, so they name no files."""
    part = folder / f"signature_{number}"
    part.mkdir(exist_ok=True)
    return part


def united_set(sets: Mapping[str, SampleSet], folder: Path) -> SampleSet:
    """The record of the readings of several signatures; writes their lines into one `samples.jsonl` of the folder."""
    path, digest = folder / "samples.jsonl", hashlib.sha256()
    with path.open("wb") as stream:
        for part in sets.values():
            lines = Path(part.path).read_bytes()
            digest.update(lines)
            stream.write(lines)
    return SampleSet(
        path=str(path.resolve()),
        sha256=digest.hexdigest(),
        count=sum(part.count for part in sets.values()),
        labelled=all(part.labelled for part in sets.values()),
        signatures=dict(sets),
    )
