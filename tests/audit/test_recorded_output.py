from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipekit import manifest
from recipekit.audit.environment_check import check_environment
from recipekit.audit.installed_files import InstalledFiles
from recipekit.audit.recorded_output import RecordedOutput, read_output
from recipekit.cli import main
from recipekit.environment import collect
from recipekit.errors import OutputAltered, UsageError
from recipekit.manifest import Artifact, Dependency, build_definition, encode, statement
from tests.small_builds import INPUTS, run_details, write_output

INSTALLED = InstalledFiles(packages=1, files=2, altered=("numpy: a.py: is missing",))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    write_output(folder)
    return folder


def recorded_in_this_environment(folder: Path) -> Path:
    """A whole output of this installation whose configuration is the smallest that the language knows."""
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"model")
    (folder / manifest.RESULTS).write_text(json.dumps({"verdict": "accepted"}))
    config = {
        "name": "x",
        "version": "1.0.0",
        "source": {"kind": "keras", "path": "x.keras"},
        "evaluation": {"runtime": "none"},
        "converter": {"quantization": "none"},
    }
    definition = build_definition(replace(INPUTS, resolved_config=config, environment=collect()))
    run = run_details(Artifact.of(folder, manifest.RESULTS))
    (folder / manifest.FILE).write_bytes(encode(statement(definition, [Artifact.of(folder, "model.tflite")], run)))
    return folder


def test_the_facts_of_a_manifest_are_read_off(output: Path) -> None:
    recorded = read_output(output)

    assert (recorded.recipe["name"], recorded.subjects) == ("digits", ("model.tflite",))
    (source,) = recorded.inputs
    assert (source.role, source.algorithm, source.path, source.files, source.bytes) == (
        *("model-source", "dirHash1", "models/m"),
        *(7, 123),
    )
    assert recorded.samples == {"digits": "6" * 64}
    assert recorded.results == {"verdict": "accepted"}


def test_a_link_to_an_output_means_the_output(output: Path) -> None:
    output.with_name("latest").symlink_to(output)

    assert read_output(output.with_name("latest")).folder == output


def test_the_workers_get_the_recorded_variables_and_no_other_of_their_kind(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("SOMETHING_ELSE", "stays")

    variables = read_output(output).variables()

    assert variables["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert "OMP_NUM_THREADS" not in variables
    assert variables["SOMETHING_ELSE"] == "stays"


@pytest.mark.parametrize(
    ("facts", "diff", "withheld", "way_back"),
    [
        ({"dirty": False}, False, "", "git checkout COMMIT"),
        ({"dirty": True}, False, "", "git checkout COMMIT; untracked files were there besides"),
        ({"dirty": True, "diffSha256": "d" * 64}, True, "", "git checkout COMMIT && git apply DIFF"),
        ({"dirty": True, "diffSha256": "d" * 64}, False, "not kept", "git checkout COMMIT; what was changed since"),
        ({"dirty": True, "diffSha256": "d" * 64, "diffWithheld": "size"}, False, "size", "git checkout COMMIT; what"),
    ],
)
def test_the_way_back_to_the_recorded_tree_is_as_good_as_its_record(
    tmp_path: Path, facts: dict[str, Any], diff: bool, withheld: str, way_back: str
) -> None:
    found = Dependency("recipe-repo", "recipe-repo", {"gitCommit": "c" * 40}, annotations=facts)
    definition = build_definition(replace(INPUTS, dependencies=(found,)))
    byproducts = [Artifact("repository.diff", "d" * 64, 1)] if diff else []
    run = run_details(Artifact(manifest.RESULTS, "8" * 64, 9), byproducts=byproducts)

    repository = RecordedOutput(
        tmp_path, statement(definition, [Artifact("model.tflite", "9" * 64, 1)], run)
    ).repository

    assert repository is not None
    assert (bool(repository.diff), repository.withheld) == (diff, withheld)
    expected = way_back.replace("COMMIT", "c" * 40).replace("DIFF", str(tmp_path / "repository.diff"))
    assert repository.way_back.startswith(expected)


def test_what_is_not_there_and_what_is_not_whole_is_refused(output: Path) -> None:
    with pytest.raises(UsageError, match="no such output"):
        read_output(output.with_name("other"))
    (output / "extra").write_text("")
    with pytest.raises(OutputAltered, match="extra: is not in the manifest"):
        read_output(output)


@pytest.mark.slow
def test_this_environment_is_the_one_that_was_just_recorded(tmp_path: Path) -> None:
    check = check_environment(read_output(recorded_in_this_environment(tmp_path / "output")))

    assert check.level == 1
    assert all(component.same for component in check.components if component.name != "variables")
    assert check.installed.packages > 50


@pytest.mark.fault(52)
@pytest.mark.slow
def test_another_environment_is_told_without_a_build(
    output: Path, capsys: pytest.CaptureFixture[str], record_property: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recorded_in_this_environment(output.with_name("own"))
    text = (folder / "manifest.json").read_text()
    found = manifest.parse(text)
    definition = found["predicate"]["buildDefinition"]
    definition["internalParameters"]["python"]["version"] = "3.9.0"
    manifest.results(found)["buildKey"] = manifest.build_key(definition)
    (folder / "manifest.json").write_bytes(manifest.encode(found))
    monkeypatch.setattr("recipekit.audit.environment_check.check_installed", lambda _: INSTALLED)

    code = main(["reproduce", "--check-env", str(folder)])

    record_property("exit", code)
    assert code == 6
    said = capsys.readouterr().out
    assert "python: version: 3.9.0 recorded, 3." in said
    assert "other software, where only metrics are compared" in said
    assert "edited: numpy: a.py: is missing" in said
