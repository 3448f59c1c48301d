"""Datasets in the form of Hugging Face's library `datasets`: from a folder, or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.extras import require
from recipekit.worker.named_fields import NamedFields

_EXTRA, _USER = "huggingface", "the dataset 'huggingface'"


class HuggingFaceDataset:
    """Rows in their own order, read from mapped Arrow files; an id is the row's number.

    Values are what the library's NumPy format gives: numbers in the types of the features, floats of Python lists as
    float32, images as uint8 arrays (HxWxC, grey ones HxWx1), class labels as integers. A field inside of another is
    named `outer/inner`. The network is used only with `download`.

    Args:
        context: where relative paths start.
        path: a folder that `save_to_disk` wrote.
        dataset: instead of it, what `load_dataset` loads: a dataset of the Hub that is in the library's cache, or a
            format such as `parquet`, `json` or `csv` together with `data_files`.
        config: the dataset's configuration.
        data_files: a file or pattern, or several, relative to the project root.
        revision: a commit of a dataset of the Hub.
        split: needed where there are several.
        inputs: columns by input name; None takes every column but the label, a single one without a name.
        label_key: the column that is the label, or several whose columns are put side by side.
        download: whether `load_dataset` may use the network; what it loaded is in the library's cache from then on.

    Raises:
        EnvironmentFault: datasets isn't installed.
        DatasetError: nothing is there, or the split or the choice of both sources doesn't fit.
    """

    def __init__(  # noqa: PLR0913  what load_dataset takes
        self,
        context: DatasetContext,
        *,
        path: str | None = None,
        dataset: str | None = None,
        config: str | None = None,
        data_files: str | Sequence[str] | None = None,
        revision: str | None = None,
        split: str | None = None,
        inputs: Mapping[str, str] | None = None,
        label_key: str | Sequence[str] | None = None,
        download: bool = False,
    ) -> None:
        if (path is None) == (dataset is None):
            raise DatasetError("takes `path` or `dataset`", where="huggingface", fix="give one of them")
        library = _library(download)
        self._place = path if path is not None else str(dataset)
        try:
            if path is not None:
                loaded = library.load_from_disk(str(context.root / path))
            else:
                files = [data_files] if isinstance(data_files, str) else data_files
                found = None if files is None else [_place(file, context) for file in files]
                loaded = library.load_dataset(dataset, config, data_files=found, revision=revision)
        except DatasetError:
            raise
        except Exception as error:  # readers of many formats raise whatever they stumble over
            way = "check the network, or load it once where there is one" if download else "set `download: true`"
            cure = "correct `path`" if path is not None else f"correct `dataset`, or {way}"
            raise DatasetError(f"can't be loaded: {error}", where=self._place, fix=cure) from error
        self._rows = _split(loaded, split, self._place).with_format("numpy")
        self._images = [name for name, kind in self._rows.features.items() if isinstance(kind, library.Image)]
        self._fields = NamedFields(inputs, label_key)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        place = f"{self._place} row {index}"
        try:
            row = dict(self._rows[index])
        except Exception as error:  # decoders of broken images raise whatever their parser stumbles over
            raise DatasetError(f"can't be read: {error}", where=place, fix="repair or remove that row") from error
        for name in self._images:
            if row[name].ndim == 2:
                row[name] = row[name][:, :, None]
        return self._fields.sample(str(index), row, place)


def _place(file: str, context: DatasetContext) -> str:
    """A file of the project; the library reads addresses only with further packages, and without a record of them."""
    if "://" in file:
        raise DatasetError(
            "is an address, not a file", where=file, fix="download it into the project, or name a dataset of the Hub"
        )
    return str(context.root / file)


def _library(online: bool) -> Any:
    """The library, told whether it may use the network; it reads a variable when it is imported, and these later."""
    hub: Any = require("huggingface_hub.constants", _EXTRA, _USER)
    library: Any = require("datasets", _EXTRA, _USER)
    hub.HF_HUB_OFFLINE = library.config.HF_HUB_OFFLINE = not online
    library.disable_progress_bars()
    return library


def _split(loaded: Any, split: str | None, place: str) -> Any:
    splits = list(loaded) if isinstance(loaded, Mapping) else []
    if split is None and len(splits) == 1:
        (split,) = splits
    if split is None and not splits:
        return loaded
    if split not in splits:
        raise DatasetError(
            f"has no split '{split}'{did_you_mean(str(split), splits)}" if split else "has several splits",
            where=place,
            fix=f"set `split` to one of {', '.join(splits)}" if splits else "leave `split` out: it has none",
        )
    return loaded[split]
