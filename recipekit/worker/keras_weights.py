"""What the weights of a Keras file take, layer by layer: shapes and types alone, no value is read.

It takes files that `keras_file` has looked at, and knows how both Kerases lay weights out, not what layers do.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import h5py

from recipekit.worker.confinement import no_endless_reading
from recipekit.worker.guarded_archive import seekable
from recipekit.worker.keras_structure import Layer

_MEMBER = "model.weights.h5"
_OWN = "layers"
_OWN_OF_KERAS_2 = "_layer_checkpoint_dependencies"
_NOT_THE_MODEL = {"optimizer", "metrics", "compile_metrics", "_loss_tracker", "_metrics"}


class Weight(NamedTuple):
    """A stored array: the layer that it belongs to, how many numbers it holds, and their type."""

    layer: str
    parameters: int
    bytes: int
    dtype: str


def weights(path: Path, archive: bool, layers: Sequence[Layer]) -> tuple[Weight, ...]:
    """Every weight of the model in a file, those of its optimizer and metrics left out.

    Args:
        path: the file, checked already.
        archive: whether it is a `.keras` archive; else HDF5.
        layers: of its configuration.
    """
    if archive:
        with _member(path) as file:
            return () if file is None else tuple(_of_archive(file, layers))
    with no_endless_reading(), h5py.File(path, "r") as file:
        stored = file.get("model_weights", file)
        return tuple(_weight(name.partition("/")[0], dataset) for name, dataset in _datasets(stored))


@contextmanager
def _member(path: Path) -> Iterator[h5py.File | None]:
    """The weights of an archive; None where it holds none, or not as HDF5."""
    with zipfile.ZipFile(path) as archive:
        if _MEMBER not in archive.namelist():
            yield None
            return
        with (
            seekable(path, archive, archive.getinfo(_MEMBER)) as stream,
            no_endless_reading(),
            h5py.File(stream, "r") as file,
        ):
            yield file


def _of_archive(file: h5py.File, layers: Sequence[Layer]) -> Iterator[Weight]:
    keys = _keys(layers)
    for name, dataset in _datasets(file):
        first, *rest = name.split("/")
        if first in _NOT_THE_MODEL:
            continue
        key = rest[0] if first in {_OWN, _OWN_OF_KERAS_2} and rest else first
        group = file[f"{first}/{key}"] if key != first else file[first]
        yield _weight(_told(group) or keys.get(key, key), dataset)


def _told(group: h5py.Group) -> str:
    """The layer's name, where Keras has noted it beside its variables; late Keras 3 does."""
    noted = group["vars"].attrs.get("name") if isinstance(group, h5py.Group) and "vars" in group else None
    return noted.decode() if isinstance(noted, bytes) else str(noted or "")


def _keys(layers: Sequence[Layer]) -> dict[str, str]:
    """Layer names by what an archive calls them: their class in snake case, numbered (keras/src/saving/saving_lib)."""
    counts: dict[str, int] = {}
    keys = {}
    for layer in layers:
        plain = re.sub(r"\W+", "", layer.kind)
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", plain)).lower()
        count = counts.get(snake, 0)
        counts[snake] = count + 1
        keys[f"{snake}_{count}" if count else snake] = layer.name
    return keys


def _datasets(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    found: list[tuple[str, h5py.Dataset]] = []

    def visit(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            found.append((name, node))

    group.visititems(visit)
    return found


def _weight(layer: str, dataset: h5py.Dataset) -> Weight:
    return Weight(layer, int(dataset.size or 0), int(dataset.nbytes), str(dataset.dtype))
