"""`recipekit doctor` finds what stands in the way, one line each with the fix, and its exit code says of what kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recipekit.cli import main
from recipekit.diagnosis import machine
from recipekit.errors import EnvironmentFault
from recipekit.project import Project
from tests.built_models import built_once

pytestmark = pytest.mark.slow


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, list[Any]]:
    """Findings by topic."""
    found: dict[str, list[Any]] = {}
    for finding in json.loads(capsys.readouterr().out)["findings"]:
        assert finding["fix"] or finding["state"] == "ok"
        found.setdefault(finding["topic"], []).append(finding)
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_once("first_models", tmp_path_factory)


def test_a_wrong_recipe_is_a_fault_of_its_own_kind(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--quick", "--format", "json"]) == 2
    found = findings(capsys)
    assert found["recipes"][0]["fix"] == "recipekit validate recipe=wrong"
    assert found["packages"][0]["state"] == "ok"
    assert "litert worker" not in found
    (project.recipes / "wrong.yaml").unlink()
    assert main(["doctor", "--quick"]) == 0
    assert "2, all of them valid" in capsys.readouterr().out


def test_a_missing_package_and_a_small_machine_are_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.recipes / "wrong.yaml").unlink()

    def missing(name: str) -> None:
        if name == "pillow":
            raise EnvironmentFault("pillow is not installed", where="environment", fix='pip install "pillow>=11.3"')

    monkeypatch.setattr(machine, "require", missing)
    monkeypatch.setattr(machine, "memory_bytes", lambda: 2**30)
    monkeypatch.setattr(machine, "platform_facts", lambda: {"machine": "x86_64", "cpuFeatures": ["sse4_2"]})
    assert main(["doctor", "--quick", "--format", "json"]) == 7
    found = findings(capsys)
    assert [(it["state"], it["fix"]) for it in found["packages"]] == [("fault", 'pip install "pillow>=11.3"')]
    assert found["memory"][0]["state"] == "warning"
    assert "lacks AVX" in found["processor"][0]["text"]


def test_an_outputs_folder_that_can_not_be_written_is_a_fault(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.recipes / "wrong.yaml").unlink()
    project.outputs.write_text("a file in the way")
    assert main(["doctor", "--quick", "--format", "json"]) == 7
    assert findings(capsys)["outputs"][0]["state"] == "fault"


def test_without_a_project_it_points_at_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    assert main(["doctor", "--quick", "--format", "json"]) == 0
    assert findings(capsys)["project"][0]["fix"] == "recipekit init MODEL"


@pytest.mark.tensorflow
def test_workers_start_and_say_what_they_stand_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--format", "json"]) == 0
    found = findings(capsys)
    assert "tensorflow 2." in found["tensorflow worker"][0]["text"]
    assert "ai_edge_litert" in found["litert worker"][0]["text"]


@pytest.mark.tensorflow
def test_a_model_is_told_what_it_needs(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def look(name: str, code: int) -> dict[str, list[Any]]:
        assert main(["doctor", str(models / name), "--format", "json"]) == code
        return findings(capsys)

    assert "keras2: Keras 2" in look("old.h5", 0)["loader"][0]["text"]
    assert "custom_layers: {modules: [FILE.py]}" in look("custom.keras", 0)["custom"][0]["fix"]
    assert "source: {allow_unsafe: true}" in look("lambda.keras", 5)["unsafe"][0]["fix"]
    text = look("text.keras", 0)
    assert text["inputs"][0]["fix"].startswith("source: {input_shapes: {tokens: [1, 128]}}")
    assert "lstm run over a sequence" in text["recurrent"][0]["text"]
    assert "no kernel for Erf" in look("module", 0)["operators"][0]["text"]
    assert "named by its code alone" in look("net.keras", 0)["inputs"][0]["text"]
    (tmp_path / "broken.keras").write_bytes(b"PK\3\4 broken")
    assert main(["doctor", "broken.keras", "--format", "json"]) == 5
    assert "is not a readable Keras file" in findings(capsys)["model"][0]["text"]
