"""WAV files below a folder, labelled by their class folders where there are any."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.worker.class_folders import file_names, label_lookup
from recipekit.worker.extras import require
from recipekit.worker.named_path import require_folder

_CHANNELS = ("mono", "stereo")

Sound = npt.NDArray[np.float32]


class WavFolderDataset:
    """Sounds as float32 arrays in [-1, 1], in the order of their paths; the id is the path relative to the folder.

    Files hold PCM of 8 to 32 bits, divided by the greatest magnitude of their type (32768 for 16 bits), or floats.
    Class folders are labels as in `image_folder`. A file of another rate is resampled by soxr's `HQ` recipe, which is
    what `librosa.load` does; then it is cut at its end, or padded there with zeros, to `duration`.

    Args:
        context: where relative paths start.
        path: the folder.
        labels: a text file with the class folders' names, one a line, in label order, or a `.csv` table or `.json`
            object from files to labels, such as transcripts; None sorts the class folders.
        sample_rate: in Hz; None keeps each file's own.
        duration: in seconds, `round(duration * rate)` frames; None keeps each file's own.
        channels: `mono`, the mean of the channels, shape (frames,), or `stereo`, shape (frames, 2), where a mono file
            gives both.

    Raises:
        DatasetError: the folder is missing, mixes labelled and unlabelled files or doesn't fit `labels`, or a parameter
            is out of range.
    """

    def __init__(
        self,
        context: DatasetContext,
        *,
        path: str,
        labels: str | None = None,
        sample_rate: int | None = None,
        duration: float | None = None,
        channels: str = "mono",
    ) -> None:
        self._folder = context.root / path
        require_folder(self._folder)
        if channels not in _CHANNELS:
            raise DatasetError(
                f"there is no choice of channels {channels!r}", where="wav_folder", fix="use mono or stereo"
            )
        for name, value in (("sample_rate", sample_rate), ("duration", duration)):
            if value is not None and value <= 0:
                raise DatasetError(f"`{name}` is {value}", where="wav_folder", fix="give a number above 0")
        self._sample_rate = sample_rate
        self._duration = duration
        self._mono = channels == "mono"
        self._names = file_names(self._folder, ("wav",))
        self._label_of = label_lookup(self._folder, self._names, None if labels is None else context.root / labels)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        name = self._names[index]
        path = self._folder / name
        rate, sound = _read(path)
        sound = _mixed(sound, self._mono, path)
        if self._sample_rate not in (None, rate):
            sound, rate = _resampled(sound, rate, self._sample_rate or rate), self._sample_rate or rate
        if self._duration is not None:
            sound = _of_length(sound, round(self._duration * rate))
        return Sample(name, sound, self._label_of(name))


def _read(path: Path) -> tuple[int, Sound]:
    """Rate in Hz and sound of shape (frames, channels)."""
    from scipy.io import wavfile  # noqa: PLC0415  # takes a quarter of a second, and most recipes have no sound

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks of other programs
            warnings.filterwarnings("error", "Reached EOF prematurely", wavfile.WavFileWarning)
            rate, values = wavfile.read(path)
        return int(rate), _scaled(values)
    except Exception as error:  # a parser of broken files raises whatever it stumbles over
        raise DatasetError(
            f"is not a readable WAV file: {error}",
            where=str(path),
            fix="replace or remove the file, or save it as PCM or float WAV",
        ) from error


def _scaled(values: npt.NDArray[Any]) -> Sound:
    """Integers become floats in [-1, 1); 8-bit WAV is unsigned, the middle being 128."""
    sound = values if values.ndim == 2 else values[:, np.newaxis]
    if not sound.size:
        raise ValueError("it holds no sound")
    if sound.dtype.kind == "f":
        return sound.astype(np.float32)
    if sound.dtype == np.uint8:
        return (sound.astype(np.float32) - np.float32(128)) / np.float32(128)
    return (sound.astype(np.float64) / -float(np.iinfo(sound.dtype).min)).astype(np.float32)


def _mixed(sound: Sound, mono: bool, path: Path) -> Sound:
    if mono:
        return np.asarray(sound.mean(axis=1, dtype=np.float32))
    if sound.shape[1] > 2:
        raise DatasetError(
            f"has {sound.shape[1]} channels", where=str(path), fix="set `channels: mono`, or save it as stereo"
        )
    return sound if sound.shape[1] == 2 else np.repeat(sound, 2, axis=1)


def _resampled(sound: Sound, rate: int, wanted: int) -> Sound:
    soxr: Any = require("soxr", "audio", "resampling by the dataset 'wav_folder'")
    resampled = np.asarray(soxr.resample(sound, rate, wanted, quality="HQ"), np.float32)
    return _of_length(resampled, math.ceil(len(sound) * wanted / rate))


def _of_length(sound: Sound, frames: int) -> Sound:
    missing = frames - len(sound)
    if missing <= 0:
        return sound[:frames]
    return np.concatenate([sound, np.zeros((missing, *sound.shape[1:]), np.float32)])
