"""`recipekit inspect` shows a file calmly, and as data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from recipekit.cli import main
from recipekit.project import Project
from tests.models import built_flatbuffers as built
from tests.published_outputs import publish

pytestmark = pytest.mark.slow


def test_a_stray_file_shows_its_output_and_what_it_holds(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publish(project.outputs)
    stray = Path(shutil.copyfile(folder / "model.tflite", tmp_path / "stray.tflite"))
    assert main(["inspect", "stray.tflite"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"output outputs/digits/1.0.0/{folder.name} (accepted, this is its file)" in shown
    assert "signature serving_default" in shown
    assert "input x float32 1x64" in shown
    assert "FULLY_CONNECTED 1 float32, float32, - → float32 2 9,216" in shown
    assert f"9,216 bytes of constants in 2 tensors, {stray.stat().st_size - 9216:,} of structure" in shown
    assert "hidden FULLY_CONNECTED 8,192" in shown
    assert "recipekit.build_key" in shown


def test_the_data_has_a_stable_shape(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(publish(project.outputs)), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"schema", "path", "file", "searched", "origin"}
    assert found["schema"] == 1
    assert found["origin"]["state"] == "unaltered"
    assert found["file"].keys() == {
        "sha256",
        "size",
        "description",
        "build_key",
        "signatures",
        "operators",
        "tensors",
        "metadata",
        "subgraphs",
        "constant_bytes",
    }


def test_a_file_outside_of_any_project_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    built.write(tmp_path / "m.tflite", built.classifier(signature=""))
    assert main(["inspect", "m.tflite"]) == 0
    shown = capsys.readouterr().out
    assert "none: not published by recipekit" in shown
    assert "no signature" in shown


def test_names_in_a_file_are_shown_as_they_are(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = built.Graph()
    odd = graph.dense("m/[/red]odd/MatMul", graph.input("[bold]x", (1, 4)), np.ones((2, 4), np.float32))
    built.write(tmp_path / "m.tflite", graph.finish({"[link=y]\x1b[2J": odd}))
    assert main(["inspect", "m.tflite"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("[/red]odd", "[bold]x", "[link=y]\\x1b[2J"))
    assert main(["diff", "m.tflite", str(publish(project.outputs) / "model.tflite")]) == 0
    assert "[/red]odd" in capsys.readouterr().out


def test_what_is_no_model_ends_in_one_message(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built.write(tmp_path / "m.tflite", b"PK" * 40)
    assert main(["inspect", "m.tflite"]) == 5
    assert "is not a readable .tflite: it lacks the identifier TFL3" in capsys.readouterr().err
    assert main(["inspect", "recipes"]) == 2
    assert "holds neither saved_model.pb nor model.tflite" in capsys.readouterr().err
    assert main(["inspect", "m.tflite", "--recipes", "nowhere"]) == 2
    assert "there is no such recipes folder" in capsys.readouterr().err
