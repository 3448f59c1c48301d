"""Preprocessing steps for sound: one channel of samples, shape (frames,), floats in [-1, 1].

The numbers are librosa's and so are the names of the parameters and their defaults, `sr` apart, which must be said.
Each public function takes a step's argument as the recipe has it and gives a function from array to array; both raise
ValueError or TypeError with a sentence that follows the name of the step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recipekit.worker.extras import require
from recipekit.worker.step_arguments import options
from recipekit.worker.tensors import Array, Transform

_SPECTROGRAM = (
    *("n_fft", "hop_length", "win_length", "window", "center", "pad_mode", "power"),
    *("n_mels", "fmin", "fmax", "htk"),
)
_DECIBELS = ("ref", "amin", "top_db")
_CEPSTRUM = ("n_mfcc", "dct_type", "norm", "lifter", "mel_norm")


def log_mel(argument: Any) -> Transform:
    """`{sr: 16000, ...}`: a mel spectrogram in decibels, shape (n_mels, frames of the spectrogram), float32.

    `librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=sr, ...), ...)`. The first takes `ref`, `amin` and
    `top_db`, the second `n_fft`, `hop_length`, `win_length`, `window`, `center`, `pad_mode`, `power`, `n_mels`, `fmin`,
    `fmax`, `htk` and `norm` (of the mel filters).

    Raises:
        EnvironmentFault: librosa isn't installed.
    """
    given = options(argument, ("sr",), (*_SPECTROGRAM, "norm", *_DECIBELS))
    decibels = {name: given.pop(name) for name in _DECIBELS if name in given}
    librosa: Any = require("librosa", "audio", "the preprocessing step 'log_mel'")

    def compute(sound: Array) -> Array:
        spectrogram = librosa.feature.melspectrogram(y=sound, **given)
        return np.asarray(librosa.power_to_db(spectrogram, **decibels))

    return _spoken_by(librosa, compute)


def mfcc(argument: Any) -> Transform:
    """`{sr: 16000, n_mfcc: 13, ...}`: mel-frequency cepstral coefficients, shape (n_mfcc, frames), float32.

    `librosa.feature.mfcc(y=x, sr=sr, ...)`, which takes `n_mfcc`, `dct_type`, `norm` (of the cosine transform),
    `lifter`, `mel_norm` (of the mel filters), and those of the mel spectrogram as in `log_mel`; its decibels are
    librosa's (`ref` 1, `amin` 1e-10, `top_db` 80).

    Raises:
        EnvironmentFault: librosa isn't installed.
    """
    given = options(argument, ("sr",), (*_CEPSTRUM, *_SPECTROGRAM))
    librosa: Any = require("librosa", "audio", "the preprocessing step 'mfcc'")
    return _spoken_by(librosa, lambda sound: np.asarray(librosa.feature.mfcc(y=sound, **given)))


def _spoken_by(librosa: Any, compute: Callable[[Array], Array]) -> Transform:
    """The transform, with what librosa refuses as ValueError."""

    def transform(array: Array) -> Array:
        if array.ndim != 1 or array.dtype.kind != "f":
            raise ValueError(f"takes one channel of floats, shape (frames,), got {array.dtype} of shape {array.shape}")
        try:
            return compute(array.astype(np.float32)).astype(np.float32)
        except librosa.ParameterError as error:
            raise ValueError(f"is refused by librosa: {error}") from error

    return transform
