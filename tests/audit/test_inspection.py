"""A stray file leads back to its output, and says what it holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recipekit import manifest
from recipekit.audit.inspection import inspect, report_on
from recipekit.errors import SourceError, UsageError
from recipekit.pool import Pool
from tests.models import built_flatbuffers as built
from tests.published_outputs import TARGET, Output, publish

pytestmark = pytest.mark.slow


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def test_a_stray_file_finds_its_manifest(tmp_path: Path, outputs: Path, pool: Pool) -> None:
    folder = publish(outputs)
    publish(outputs, Output().with_config(seed=8))
    stray = tmp_path / "stray.tflite"
    shutil.copyfile(folder / "model.tflite", stray)
    report = report_on(stray, pool, outputs)
    assert report.origin is not None
    assert report.file.build_key == manifest.results(manifest.read(folder))["buildKey"]
    assert (report.origin.output, report.origin.verdict, report.origin.state) == (str(folder), "accepted", "unaltered")
    assert report_on(folder, pool, outputs).origin == report.origin


def test_what_a_target_s_compiler_said_is_told_of_an_output_that_is_whole(outputs: Path, pool: Pool) -> None:
    folder = publish(outputs, Output(target=TARGET))
    origin = report_on(folder, pool, outputs).origin
    assert origin is not None
    assert origin.target == TARGET
    results = folder / manifest.RESULTS
    results.write_text(results.read_text().replace("51.5", "50.5"))
    origin = report_on(folder, pool, outputs).origin
    assert origin is not None
    assert (origin.state, origin.target) == ("unaltered", None)


def test_an_altered_file_is_told_from_its_output(tmp_path: Path, outputs: Path, pool: Pool) -> None:
    folder = publish(outputs)
    content = bytearray((folder / "model.tflite").read_bytes())
    content[content.index(b"probabilities") + 2] ^= 1
    stray = built.write(tmp_path / "stray.tflite", bytes(content))
    origin = report_on(stray, pool, outputs).origin
    assert origin is not None
    assert origin.state == "altered"


def test_an_output_whose_manifest_is_damaged_is_found_all_the_same(outputs: Path, pool: Pool) -> None:
    folder = publish(outputs)
    (folder / manifest.FILE).write_text("{}")
    origin = report_on(folder, pool, outputs).origin
    assert origin is not None
    assert (origin.state, origin.verdict) == ("unreadable", "")


def test_a_key_that_no_output_has_leads_nowhere(tmp_path: Path, outputs: Path, pool: Pool) -> None:
    folder = publish(tmp_path / "elsewhere")
    report = report_on(folder, pool, outputs)
    assert report.file.build_key
    assert (report.origin, report.searched) == (None, str(outputs))
    assert report_on(folder, pool, None).searched == ""


def test_a_file_of_another_converter_has_no_build_key(tmp_path: Path, outputs: Path, pool: Pool) -> None:
    publish(outputs)
    report = report_on(built.write(tmp_path / "m.tflite", built.classifier()), pool, outputs)
    assert (report.file.build_key, report.origin) == ("", None)


def test_a_folder_that_is_no_output_and_a_file_that_is_no_model_are_refused(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(UsageError, match="holds no model"):
        report_on(tmp_path, pool, None)
    with pytest.raises(SourceError, match="can't be read"):
        inspect(tmp_path / "missing.tflite", pool)
    with pytest.raises(SourceError, match="lacks the identifier TFL3"):
        inspect(built.write(tmp_path / "text.tflite", b"x" * 100), pool)
