"""The dataset `wav_folder`, held against librosa and soundfile."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError, EnvironmentFault
from recipekit.worker.datasets.wav_folder import WavFolderDataset, _of_length

RATE = 8000
STEREO = np.random.default_rng(0).uniform(-0.9, 0.9, (RATE // 4, 2)).astype(np.float32)


def save(root: Path, name: str, sound: Any = STEREO, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    path = root / "sounds" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, subtype)
    return path


def first(root: Path, **params: Any) -> np.ndarray[Any, Any]:
    sample = WavFolderDataset(DatasetContext(root, 0), path="sounds", **params)[0]
    assert isinstance(sample.tensors, np.ndarray)
    return sample.tensors


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_encoding_is_read_as_soundfile_reads_it(subtype: str, tmp_path: Path) -> None:
    path = save(tmp_path, "a.wav", subtype=subtype)
    expected, _ = soundfile.read(path, dtype="float32")
    sound = first(tmp_path, channels="stereo")
    assert sound.dtype == np.float32
    np.testing.assert_array_equal(sound, expected)


def test_mono_is_the_mean_of_the_channels(tmp_path: Path) -> None:
    save(tmp_path, "a.wav", subtype="FLOAT")
    np.testing.assert_allclose(first(tmp_path), STEREO.mean(axis=1), rtol=1e-6)


def test_stereo_of_a_mono_file_is_both_times_the_same(tmp_path: Path) -> None:
    save(tmp_path, "a.wav", STEREO[:, 0], subtype="FLOAT")
    np.testing.assert_array_equal(first(tmp_path, channels="stereo"), np.repeat(STEREO[:, :1], 2, axis=1))


def test_stereo_of_more_channels_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "a.wav", np.zeros((10, 3)))
    assert first(tmp_path).shape == (10,)
    with pytest.raises(DatasetError, match="has 3 channels"):
        first(tmp_path, channels="stereo")


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16000, 11025, 4000])
def test_a_resampled_file_is_what_librosa_makes_of_it(rate: int, tmp_path: Path) -> None:
    import librosa  # noqa: PLC0415  # takes seconds

    path = save(tmp_path, "a.wav")
    sound, _ = soundfile.read(path, dtype="float32")
    expected = librosa.resample(librosa.to_mono(sound.T), orig_sr=RATE, target_sr=rate)
    np.testing.assert_allclose(first(tmp_path, sample_rate=rate), expected, atol=1e-6)


def test_a_file_of_the_wanted_rate_needs_no_further_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    save(tmp_path, "a.wav")
    assert len(first(tmp_path, sample_rate=RATE)) == RATE // 4
    with pytest.raises(EnvironmentFault, match="resampling by the dataset 'wav_folder' needs the package") as caught:
        first(tmp_path, sample_rate=2 * RATE)
    assert caught.value.fix == "pip install 'recipekit[audio]'"


@given(frames=st.integers(1, 50), wanted=st.integers(1, 50), channels=st.integers(1, 2))
def test_a_sound_is_cut_or_padded_with_silence_at_its_end(frames: int, wanted: int, channels: int) -> None:
    sound = np.ones((frames, channels), np.float32)
    fixed = _of_length(sound, wanted)
    assert fixed.shape == (wanted, channels)
    assert fixed[:, 0].tolist() == [1.0] * min(frames, wanted) + [0.0] * max(0, wanted - frames)


def test_a_duration_is_in_seconds_of_the_wanted_rate(tmp_path: Path) -> None:
    save(tmp_path, "a.wav")
    assert first(tmp_path, duration=0.1).shape == (800,)
    assert first(tmp_path, duration=1, sample_rate=4000, channels="stereo").shape == (4000, 2)


def test_class_folders_are_labels(tmp_path: Path) -> None:
    for name in ("yes/1.wav", "no/1.WAV", "no/notes.txt"):
        save(tmp_path, name) if name.lower().endswith("wav") else (tmp_path / "sounds" / name).write_text("x")
    dataset = WavFolderDataset(DatasetContext(tmp_path, 0), path="sounds")
    assert [(dataset[i].id, dataset[i].label) for i in range(len(dataset))] == [("no/1.WAV", 0), ("yes/1.wav", 1)]


def test_a_table_gives_transcripts(tmp_path: Path) -> None:
    save(tmp_path, "a.wav")
    (tmp_path / "said.csv").write_text('file,said\na.wav,"well, yes"\n')
    assert WavFolderDataset(DatasetContext(tmp_path, 0), path="sounds", labels="said.csv")[0].label == "well, yes"


def test_chunks_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    path = save(tmp_path, "a.wav")
    data = path.read_bytes()
    path.write_bytes(data[:12] + b"note\x04\x00\x00\x00abcd" + data[12:])
    assert len(first(tmp_path)) == len(STEREO)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = save(tmp_path, "a.wav")
    whole = path.read_bytes()
    for damaged in (b"", b"RIFF", whole[:30], whole[:-100], b"x" * 100, whole[:44]):
        path.write_bytes(damaged)
        with pytest.raises(DatasetError, match="is not a readable WAV file") as caught:
            first(tmp_path)
        assert caught.value.where == str(path)


@pytest.mark.parametrize("params", [{"sample_rate": 0}, {"duration": -1.0}, {"channels": "both"}])
def test_parameters_out_of_range_are_refused(params: dict[str, Any], tmp_path: Path) -> None:
    save(tmp_path, "a.wav")
    with pytest.raises(DatasetError):
        first(tmp_path, **params)
