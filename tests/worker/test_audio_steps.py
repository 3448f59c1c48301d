"""Preprocessing steps for sound, held against librosa's own calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.errors import DatasetError, EnvironmentFault
from recipekit.worker.preprocess import compile_steps

SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, 1600).astype(np.float32)
SIZES = {"sr": 16000, "n_fft": 256, "hop_length": 160, "n_mels": 20}


def run(step: dict[str, Any], sound: np.ndarray[Any, Any] = SOUND) -> np.ndarray[Any, Any]:
    return compile_steps([step], Path())({"x": sound}, "sample 0")["x"]


@pytest.mark.slow
def test_the_steps_are_librosas_with_librosas_parameters() -> None:
    import librosa  # noqa: PLC0415  # takes seconds

    mel = librosa.feature.melspectrogram(y=SOUND, **SIZES, power=1.0, htk=True, norm=None, fmax=4000)
    expected = librosa.power_to_db(mel, ref=0.5, top_db=None)
    asked = {**SIZES, "power": 1.0, "htk": True, "norm": None, "fmax": 4000, "ref": 0.5, "top_db": None}
    got = run({"log_mel": asked})
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)
    cepstrum = librosa.feature.mfcc(y=SOUND, **SIZES, n_mfcc=7, lifter=22, mel_norm=None)
    np.testing.assert_array_equal(run({"mfcc": {**SIZES, "n_mfcc": 7, "lifter": 22, "mel_norm": None}}), cepstrum)

    with pytest.raises(DatasetError, match=r"step 1 \(log_mel\): is refused by librosa: .*hop_length"):
        run({"log_mel": {**SIZES, "hop_length": -1}})


@pytest.mark.parametrize(
    "sound", [np.zeros((100, 2), np.float32), np.zeros(100, np.int16)], ids=["two channels", "integers"]
)
def test_another_array_than_one_channel_of_floats_is_refused(sound: np.ndarray[Any, Any]) -> None:
    with pytest.raises(DatasetError, match="takes one channel of floats"):
        run({"mfcc": SIZES}, sound)


def test_a_wrong_parameter_is_answered_before_a_sound_is_read() -> None:
    with pytest.raises(DatasetError, match="has no option 'n_mel'; did you mean 'n_mels'"):
        compile_steps([{"log_mel": {"sr": 16000, "n_mel": 40}}], Path())
    with pytest.raises(DatasetError, match="lacks `sr`"):
        compile_steps([{"mfcc": {}}], Path())


@pytest.mark.parametrize("step", ["log_mel", "mfcc"])
def test_a_missing_package_is_answered_with_the_extra(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(EnvironmentFault, match=f"step '{step}' needs the package 'librosa'") as caught:
        compile_steps([{step: {"sr": 16000}}], Path())
    assert caught.value.fix == "pip install 'recipekit[audio]'"
