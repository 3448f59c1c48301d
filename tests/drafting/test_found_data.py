"""Data that is there decides the plugin, its parameters and how many samples are taken; what doesn't fit is said."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recipekit.contracts import Description
from recipekit.drafting.dataset import Stanza
from recipekit.drafting.found_data import found
from recipekit.drafting.shapes import fixed_inputs
from recipekit.errors import DatasetError, UsageError
from recipekit.pool import Pool
from tests.drafting.descriptions import described
from tests.worker.tfrecords import example, write

pytestmark = pytest.mark.slow

Look = Callable[[str, Description], Stanza]

IMAGE = described(("photo", "float32", (-1, 8, 8, 3)))
ROW = described(("x", "float32", (-1, 3)))


@pytest.fixture
def look(pool: Pool, tmp_path: Path) -> Look:
    def look(name: str, model: Description) -> Stanza:
        return found(tmp_path / name, name, model, fixed_inputs(model), pool)

    return look


def images(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(np.full((4, 4, 3), number % 256, np.uint8)).save(folder / f"{number:03}.png")


def test_a_folder_of_images_is_resized_and_scaled(tmp_path: Path, look: Look) -> None:
    images(tmp_path / "data" / "cat", 60)
    images(tmp_path / "data" / "dog", 50)
    (tmp_path / "data" / "README.txt").write_text("not a sample")
    stanza = look("data", IMAGE)
    assert (stanza.keys["plugin"], stanza.keys["path"]) == ("image_folder", "data")
    assert stanza.keys["preprocess"][0] == {"resize": [8, 8]}
    assert "samples" not in stanza.keys
    assert stanza.notes[-1] == "110 files are there, in 2 folders, one a class"
    assert stanza.todo == ""


def test_few_samples_are_told_and_of_many_some_are_drawn(tmp_path: Path, look: Look) -> None:
    np.savez(tmp_path / "few.npz", x=np.zeros((20, 3), np.float32))
    np.savez(tmp_path / "many.npz", x=np.zeros((900, 3), np.float32), y=np.zeros(900, np.int64))
    assert look("few.npz", ROW).todo == "20 samples are few: ranges settle with 100 to 300"
    many = look("many.npz", ROW)
    assert many.keys == {"plugin": "npz", "path": "many.npz", "label_key": "y", "samples": 200, "shuffle": True}
    assert (many.notes, many.todo) == (("900 samples are there",), "")


def test_arrays_that_do_not_fit_are_named_with_what_would(tmp_path: Path, look: Look) -> None:
    np.savez(tmp_path / "named.npz", other=np.zeros((120, 3), np.float32))
    stanza = look("named.npz", ROW)
    assert "holds 'other', the model takes x float32 3" in stanza.todo
    assert 'numpy.savez("named.npz", x=...)' in stanza.todo
    np.savez(tmp_path / "wide.npz", x=np.zeros((120, 4)))
    assert "CHECK: 'x' holds float64 4, the model takes x float32 3" in look("wide.npz", ROW).notes


def test_sounds_keep_the_rate_that_their_files_tell(tmp_path: Path, look: Look) -> None:
    (tmp_path / "sounds").mkdir()
    with wave.open(str(tmp_path / "sounds" / "a.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    keys = look("sounds", described(("x", "float32", (-1, 16000)))).keys
    assert (keys["plugin"], keys["sample_rate"], keys["duration"]) == ("wav_folder", 8000, 2)


def test_a_table_keeps_its_labels_out_of_the_input(tmp_path: Path, look: Look) -> None:
    (tmp_path / "t.csv").write_text("a,b,Label,c\n" + "1,2,0,3\n" * 150)
    assert look("t.csv", ROW).keys == {"plugin": "csv", "path": "t.csv", "label": "Label"}
    two = described(("p", "float32", (-1, 1)), ("q", "float32", (-1, 2)))
    assert look("t.csv", two).keys["inputs"] == {"p": ["a"], "q": ["b", "c"]}
    wide = look("t.csv", described(("x", "float32", (-1, 9))))
    assert "t.csv has 3 columns besides labels, the model takes x float32 9" in wide.todo


def test_features_of_records_are_found_by_name_image_or_size(tmp_path: Path, look: Look) -> None:
    images(tmp_path / "one", 1)
    picture = (tmp_path / "one" / "000.png").read_bytes()
    records = [example(**{"image/encoded": [picture], "image/label": [3]})] * 110
    write(tmp_path / "a.tfrecord", *records)
    keys = look("a.tfrecord", IMAGE).keys
    assert keys["features"] == {"image/encoded": {"decode": "image"}, "image/label": {"dtype": "int64"}}
    assert (keys["inputs"], keys["label_key"]) == ({"photo": "image/encoded"}, "image/label")
    write(tmp_path / "b.tfrecord", example(row=[1.0, 2.0, 3.0]))
    keys = look("b.tfrecord", ROW).keys
    assert keys["features"] == {"row": {"dtype": "float32", "shape": [3]}}


def test_what_is_no_data_is_refused(tmp_path: Path, look: Look) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4 broken")
    for name in ("empty", "x.parquet", "nowhere"):
        with pytest.raises(UsageError, match=f"--dataset {name}|folder"):
            look(name, IMAGE)
    with pytest.raises(DatasetError, match=r"is not a readable \.npz"):
        look("broken.npz", IMAGE)
