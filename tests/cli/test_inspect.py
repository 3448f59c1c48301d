"""`recipekit inspect` shows a file calmly, and as data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from recipekit.cli import main
from recipekit.cli.inspect import _scheme
from recipekit.contracts import FileTensor
from recipekit.project import Project
from tests.models import built_flatbuffers as built
from tests.published_outputs import TARGET, Output, publish

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


def test_the_target_s_figures_stand_behind_the_output(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(publish(project.outputs, Output(target=TARGET)))]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "target: vela 5.2.0 for Ethos_U55_128, Ethos_U55_High_End_Embedded, Shared_Sram, as the compiler" in shown
    assert "SRAM, KiB 51.5 DRAM, KiB 0 Flash, KiB 1,234.25 Inference, ms 0.4375 Cycles 218,750" in shown


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


SHIPPED = Path(__file__).parents[2] / "recipes" / "models" / "mobilenet_v2_digits.keras"


def test_a_keras_file_shows_its_layers_the_largest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(SHIPPED)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "weights 423,018 parameters in 1,692,072 bytes" in shown
    assert "input image float32 ?x48x48x3" in shown
    assert "156 layers layer class dtype parameters bytes" in shown
    assert "Conv_1 Conv2D float32 143,360 573,440 block_16_project" in shown
    assert "146 more (--all) 118,240 472,960" in shown
    assert main(["inspect", str(SHIPPED), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"schema", "path", "model"}
    assert sum(layer["parameters"] for layer in found["model"]["layers"]) == found["model"]["parameters"] == 423_018
    assert main(["inspect", str(SHIPPED), "--all"]) == 0
    assert "bn_Conv1" in capsys.readouterr().out


def test_tensors_say_how_they_are_quantized() -> None:
    tensor = FileTensor(name="w", subgraph=0, dtype="int8", shape=(2, 3), bytes=6)
    assert _scheme(tensor) == ""
    replace = msgspec.structs.replace
    assert _scheme(replace(tensor, scales=(0.5,), zero_points=(-3,))) == "per tensor, asymmetric"
    assert _scheme(replace(tensor, scales=(0.5, 0.25), zero_points=(0,))) == "per channel (2), symmetric"


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
