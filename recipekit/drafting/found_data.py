"""A dataset stanza from data that is there: names are listed here, and heads of arrays and records read by a worker."""

from __future__ import annotations

import csv
import itertools
import math
import os
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from recipekit.contracts import ENOUGH_SAMPLES, GLIMPSE, Description, Glimpse, GlimpseRequest
from recipekit.drafting.dataset import Stanza, image_steps, is_image, is_sound, savez, sound_keys
from recipekit.drafting.shapes import FixedInput
from recipekit.errors import DatasetError, UsageError
from recipekit.nearest import neighbour
from recipekit.pool import Pool

_KINDS = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"), "image_folder"),
    ".wav": "wav_folder",
    **dict.fromkeys((".npy", ".npz"), "numpy_folder"),
    **dict.fromkeys((".tfrecord", ".tfrecords"), "tfrecord"),
}
_LABELS = ("labels", "label", "y", "target", "targets", "class", "classes")
_MOST_FILES = 200_000
_PLENTY = 300
_TAKEN = 200
_LONGEST_HEADER = 2**20
_BLOCK = 2**20


def found(path: Path, shown: str, model: Description, inputs: Sequence[FixedInput], pool: Pool) -> Stanza:
    """The plugin that reads a file or folder as samples of a model.

    Args:
        path: the file or folder.
        shown: the same as the recipe names it.
        model: the source.
        inputs: what it takes.
        pool: the workers.

    Raises:
        UsageError: there is nothing there that a plugin reads.
        DatasetError: it is damaged.
    """
    if path.is_dir():
        return _folder(path, shown, model, inputs, pool)
    if not path.is_file():
        what = f"there is no such file or folder{neighbour(path)}"
        raise UsageError(what, where=f"--dataset {shown}", fix="name your samples")
    if path.suffix == ".npz":
        return _arrays(path, shown, inputs, pool)
    if path.suffix == ".csv":
        return _rows(path, shown, inputs)
    if ".tfrecord" in path.name:
        return _records(path, shown, model, inputs, pool)
    raise UsageError(
        "is none of .npz, .csv and TFRecords, and no folder",
        where=f"--dataset {shown}",
        fix="write the dataset by hand: docs/plugins.md lists what reads what, `python` plugins among them",
    )


def _folder(path: Path, shown: str, model: Description, inputs: Sequence[FixedInput], pool: Pool) -> Stanza:
    counts = Counter(kind for kind in map(_kind, _files(path)) if kind)
    if not counts:
        raise UsageError(
            "holds no images, WAV files, arrays or TFRecords",
            where=f"--dataset {shown}",
            fix="name the folder or file that holds samples",
        )
    ((kind, count),) = counts.most_common(1)
    keys: dict[str, Any] = {"plugin": kind, "path": shown}
    notes: list[str] = []
    (first,) = inputs[:1]
    todo = ""
    if kind == "tfrecord":
        record = min(it for it in _files(path) if _kind(it) == kind)
        return _records(record, shown, model, inputs, pool)
    if kind == "image_folder" and len(inputs) == 1 and is_image(first):
        mode, steps, why = image_steps(model, first)
        keys |= {**mode, "preprocess": steps}
        notes += why
    elif kind == "wav_folder" and len(inputs) == 1 and is_sound(first):
        rate, note = _rate(path)
        keys |= sound_keys(first, rate)
        notes.append(note)
    elif kind != "numpy_folder":
        todo = f"write the steps from {shown} to what the model takes: {_wanted(inputs)}"
        notes.append(f"FILL IN: {todo}")
    notes.append(f"{count:,} files are there{_of_classes(path, kind)}")
    return Stanza({**keys, **_choice(count)}, tuple(notes), todo or _few(count))


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder, hidden ones left out; links to folders are not followed."""
    return itertools.islice(_walk(folder), _MOST_FILES)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / name for name in names if not name.startswith("."))


def _kind(path: Path) -> str:
    return "tfrecord" if ".tfrecord" in path.name else _KINDS.get(path.suffix.lower(), "")


def _of_classes(path: Path, kind: str) -> str:
    """How many class folders the files lie in; nothing where they lie in the folder itself."""
    classes = {it.relative_to(path).parts[0] for it in _files(path) if _kind(it) == kind and it.parent != path}
    return f", in {len(classes)} folders, one a class" if len(classes) > 1 else ""


def _rate(folder: Path) -> tuple[int, str]:
    """Rate of the first sound in Hz, and what to say of it."""
    first = min(it for it in _files(folder) if it.suffix.lower() == ".wav")
    with suppress(wave.Error, EOFError, OSError), wave.open(str(first), "rb") as sound:
        if sound.getframerate() > 0:
            return sound.getframerate(), f"the rate is that of {first.name}"
    return 16000, f"CHECK: 16000 Hz is a guess, {first.name} doesn't tell"


def _choice(count: int | None) -> dict[str, Any]:
    """A choice at random where there are more samples than ranges need."""
    return {"samples": _TAKEN, "shuffle": True} if count is not None and count > _PLENTY else {}


def _few(count: int | None) -> str:
    if count is None or count >= ENOUGH_SAMPLES:
        return ""
    return f"{count} samples are few: ranges settle with {ENOUGH_SAMPLES} to 300"


def _wanted(inputs: Sequence[FixedInput]) -> str:
    return ", ".join(
        f"{given.name or 'one array'} {given.dtype or 'float32'} {'x'.join(map(str, given.sample))}" for given in inputs
    )


def _glimpse(path: Path, plugin: str, pool: Pool) -> Glimpse:
    with TemporaryDirectory(prefix="recipekit-") as folder:
        request = GlimpseRequest(path=str(path.absolute()), plugin=plugin)
        record = pool.run(GLIMPSE, request, Path(folder) / "glimpse").record
    assert isinstance(record, Glimpse)  # for type checkers: the stage gives no other
    return record


def _arrays(path: Path, shown: str, inputs: Sequence[FixedInput], pool: Pool) -> Stanza:
    glimpse = _glimpse(path, "npz", pool)
    wanted = [given.name for given in inputs if given.name]
    others = [name for name in glimpse.fields if name not in wanted]
    label = next((name for name in _LABELS if name in others), "")
    keys = {"plugin": "npz", "path": shown, **({"label_key": label} if label not in {"", "labels"} else {})}
    notes = [f"{glimpse.samples:,} samples are there" if glimpse.samples is not None else "its arrays differ in length"]
    todo = _few(glimpse.samples)
    missing = [name for name in wanted if name not in glimpse.fields]
    if missing:
        held = ", ".join(f"'{name}'" for name in glimpse.fields)
        todo = f"{shown} holds {held}, the model takes {_wanted(inputs)}: {savez(inputs, shown)}"
        notes.append(f"FILL IN: {todo}")
    for given in inputs:
        array = glimpse.fields.get(given.name)
        if array is not None and (array.shape, array.dtype) != (given.sample, given.dtype):
            size = "x".join(map(str, array.shape or ())) or "single values"
            notes.append(f"CHECK: '{given.name}' holds {array.dtype} {size}, the model takes {_wanted([given])}")
    return Stanza({**keys, **_choice(glimpse.samples)}, tuple(notes), todo)


def _rows(path: Path, shown: str, inputs: Sequence[FixedInput]) -> Stanza:
    try:
        with path.open("rb") as stream:
            header = next(csv.reader([stream.readline(_LONGEST_HEADER).decode("utf-8-sig")]), [])
            count = _lines(stream)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"is not CSV in UTF-8: {error}", where=shown, fix="save it as CSV in UTF-8") from error
    label = next((name for name in header if name.strip().lower() in _LABELS), "")
    columns = [name for name in header if name != label]
    wanted = sum(math.prod(given.sample) for given in inputs)
    keys: dict[str, Any] = {"plugin": "csv", "path": shown, **({"label": label} if label else {})}
    notes = [f"{count:,} rows are there"]
    todo = _few(count)
    if len(columns) != wanted:
        todo = f"{shown} has {len(columns)} columns besides labels, the model takes {_wanted(inputs)}: choose `columns`"
        notes.append(f"FILL IN: {todo}")
    elif len(inputs) > 1:
        rest = iter(columns)
        keys["inputs"] = {given.name: list(itertools.islice(rest, math.prod(given.sample))) for given in inputs}
        notes.append("CHECK: columns are dealt out in their order")
    return Stanza({**keys, **_choice(count)}, tuple(notes), todo)


def _lines(stream: IO[bytes]) -> int:
    """How many lines are left, however long they are."""
    count, last = 0, b"\n"
    while block := stream.read(_BLOCK):
        count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")


def _records(path: Path, shown: str, model: Description, inputs: Sequence[FixedInput], pool: Pool) -> Stanza:
    """Features by the first record; a single input takes the feature of its name, an image, or as many numbers."""
    glimpse = _glimpse(path, "tfrecord", pool)
    keys: dict[str, Any] = {"plugin": "tfrecord", "path": shown, "features": {}, "inputs": {}}
    notes = [f"{glimpse.samples:,} records are in {path.name}"]
    for given in inputs:
        feature = _feature_of(given, glimpse)
        if not feature:
            notes.append(f"FILL IN: the feature that is {_wanted([given])}; there are {', '.join(glimpse.fields)}")
            continue
        keys["inputs"][given.name] = feature
        if glimpse.fields[feature].dtype == "image":
            mode, steps, why = image_steps(model, given)
            keys["features"][feature] = {"decode": "image", **mode}
            keys["preprocess"] = steps
            notes += why
        else:
            keys["features"][feature] = {"dtype": given.dtype or "float32", "shape": list(given.sample)}
    label = next((name for name in glimpse.fields if name.rpartition("/")[2].lower() in _LABELS), "")
    if label and label not in keys["features"]:
        keys["features"][label] = {"dtype": "int64"}
        keys["label_key"] = label
    if not keys["inputs"]:
        del keys["inputs"]
    todo = "" if "inputs" in keys else f"say which features of {shown} the model takes: {_wanted(inputs)}"
    return Stanza({**keys, **_choice(glimpse.samples)}, tuple(notes), todo)


def _feature_of(given: FixedInput, glimpse: Glimpse) -> str:
    if given.name in glimpse.fields:
        return given.name
    if is_image(given):
        return next((name for name, field in glimpse.fields.items() if field.dtype == "image"), "")
    size = (math.prod(given.sample),)
    return next((name for name, field in glimpse.fields.items() if field.shape == size and size != (1,)), "")
