"""`recipekit export` prints a document or writes it, never into the output itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit import manifest
from recipekit.cli import main
from recipekit.outputs import differences
from recipekit.project import Project
from tests.published_outputs import publish


def test_a_document_is_printed_or_written(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = publish(project.outputs)
    assert main(["export", f"digits/1.0.0/{folder.name}", "--format", "cyclonedx"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["bomFormat"] == "CycloneDX"
    assert main(["export", str(folder), "--format", "cyclonedx", "-o", "bom.json"]) == 0
    assert (tmp_path / "bom.json").read_text() == printed
    assert main(["export", str(folder), "--format", "model-card", "-o", "README.md"]) == 0
    assert (tmp_path / "README.md").read_text().startswith("---\nlibrary_name: litert\n")


def test_an_output_stays_as_it_was_published(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = publish(project.outputs)
    assert main(["export", str(folder), "--format", "model-card", "-o", str(folder / "README.md")]) == 2
    assert "write the file outside" in capsys.readouterr().err
    assert differences(folder, manifest.read(folder)) == []


def test_what_is_no_output_or_no_longer_one_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = publish(project.outputs)
    assert main(["export", "digit/latest", "--format", "cyclonedx"]) == 2
    assert "there is no such output; did you mean 'digits'" in capsys.readouterr().err
    assert main(["export", str(folder), "--format", "cyclonedx", "-o", "nowhere/bom.json"]) == 7
    assert "nowhere/bom.json" in capsys.readouterr().err
    (folder / "model.tflite").write_bytes(b"other")
    assert main(["export", str(folder), "--format", "cyclonedx"]) == 6
    assert "differs from its manifest" in capsys.readouterr().err
