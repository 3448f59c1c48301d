"""A first recipe carries a model of any kind from its file to an accepted output, as docs/first_recipe.md shows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recipekit.cli import main
from recipekit.cli.init import _parser
from recipekit.pool import Pool
from tests.built_models import built_once
from tests.e2e.conftest import recipekit, run_here
from tests.pages import ROOT, blocks, page, shape

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

PAGE = page("first_recipe.md")


def words(text: str) -> list[str]:
    """All words in their order, however lines are broken, with numbers and digests left open."""
    return " ".join(shape(text)).split()


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    shutil.copy(ROOT / "recipes" / "models" / "mobilenet_v2_digits.keras", tmp_path)
    (script,) = blocks(PAGE, "python")
    (tmp_path / "images.py").write_text(script)
    for block in blocks(PAGE, "console"):
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = entry.partition("\n")
            program, *arguments = shlex.split(command)
            if program == "recipekit":
                done = recipekit(tmp_path, arguments)
            else:
                command_here = [sys.executable, *arguments]
                done = subprocess.run(command_here, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
            if arguments[0] == "run":  # how its stages are told on the way differs by terminal
                assert set(shape(printed)) <= set(shape(done.stdout)), command
            else:
                assert words(done.stdout) == words(printed), command
    assert (tmp_path / "outputs" / "mobilenet_v2_digits_int8" / "latest" / "model.tflite").is_file()


def test_every_option_is_explained() -> None:
    options = {word for action in _parser()._actions for word in action.option_strings if word.startswith("--")}
    of_every_verb = {"--help", "--recipes", "--config-dir"}
    assert {option for option in options - of_every_verb if f"`{option}" not in PAGE} == set()


BYTES = "representative_dataset.preprocess=[{resize:[32,32]},{cast:float32}]"
"""What a user answers to the CHECK of pixels, where the file doesn't tell that the model scales them itself."""

WAYS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "archive of Keras 3": ("photo.keras", "data/images", (), ()),
    "HDF5 of Keras 2": ("old.h5", "data/images", (), ()),
    "SavedModel": ("photo", "data/images", ("--for", "phone"), ()),
    "float .tflite": ("photo.tflite", "data/images", (), (BYTES,)),
    "table": ("table.keras", "data/table.csv", (), ()),
    "two inputs": ("two.keras", "data/two.npz", ("--quantization", "float16"), ()),
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples for all of them: images of one colour each, rows, and arrays."""
    folder = tmp_path_factory.mktemp("samples") / "data"
    draw = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for number in range(100):
        colours = draw.integers(0, 256, (2, 2, 3), dtype=np.uint8)
        Image.fromarray(colours).save(folder / "images" / f"{number:03}.png")
    rows = [",".join(f"{value:.3f}" for value in row) + ",1" for row in draw.normal(size=(100, 6))]
    (folder / "table.csv").write_text("\n".join(["a,b,c,d,e,f,label", *rows]))
    a, b = (draw.normal(size=(100, size)).astype(np.float32) for size in (4, 3))
    np.savez(folder / "two.npz", a=a, b=b)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_once("first_models", tmp_path_factory)


@pytest.mark.parametrize("way", WAYS)
def test_init_then_run_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: Path, models: Path, pool: Pool, way: str
) -> None:
    model, data, options, overrides = WAYS[way]
    (shutil.copytree if (models / model).is_dir() else shutil.copyfile)(models / model, tmp_path / model)
    shutil.copytree(samples, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    assert main(["init", model, "--dataset", data, "--name", "first", *options]) == 0
    outcome = run_here(tmp_path, pool, "recipe=first", *overrides)
    assert outcome.status == "accepted", outcome.checks
    assert {check.name for check in outcome.checks} >= {"parity.sqnr_db.min", "model.select_tf_ops"}
