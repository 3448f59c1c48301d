"""Real outputs built again: what is found, what is promised where, and what is said of a difference."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from rich.console import Console

from recipekit import digests, manifest
from recipekit.audit.installed_files import check_installed
from recipekit.audit.recorded_output import read_output
from recipekit.audit.reproduction import Reproduction, Where, reproduce
from recipekit.cli import main
from recipekit.cli.reproduction_page import show_reproduction
from recipekit.cli.screen import Screen
from recipekit.errors import InputMismatch, OutputAltered, RecipekitError
from recipekit.pool import Pool
from tests.audit.retelling import dependency, restage, retell, rewrite
from tests.built_models import built_once
from tests.e2e.conftest import run_here
from tests.test_repository import git

pytestmark = pytest.mark.tensorflow

Record = Callable[[str, object], None]

RECIPE = """# @package _global_
defaults:
  - /converter: int8
  - _self_
name: archived
version: "1.0.0"
seed: 3
source: {kind: keras, path: models/tiny.keras, input_shapes: {point: [1, 8]}}
custom_layers: {modules: [layers/gain.py]}
representative_dataset: {plugin: two_clouds, modules: [plugins/two_clouds.py], count: 30, first: 1000}
evaluation:
  dataset: {plugin: npz, path: data/points.npz}
  benchmark: null
acceptance:
  parity: {sqnr_db: {min: 15}}
"""


class Published(NamedTuple):
    """A project and the output of its recipe `archived`; tests copy what they change."""

    project: Path
    output: Path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, pool: Pool) -> Published:
    project = tmp_path_factory.mktemp("recorded") / "project"
    shutil.copytree(built_once("tiny_classifier", tmp_path_factory), project)
    (project / "data").mkdir()
    points = np.random.default_rng(5).normal(size=(40, 8)).astype(np.float32)
    np.savez(project / "data" / "points.npz", point=points)
    (project / "recipes" / "archived.yaml").write_text(RECIPE)
    (project / ".gitignore").write_text("outputs/\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    (project / "recipes" / "archived.yaml").write_text(RECIPE.replace("seed: 3", "seed: 4"))
    outcome = run_here(project, pool, "recipe=archived", "description=Two clouds")
    assert outcome.status == "accepted"
    return Published(project, Path(outcome.output))


@pytest.fixture
def copied(published: Published, tmp_path: Path) -> Published:
    """A copy of the project without its outputs, and a copy of the output beside it."""
    project, output = tmp_path / "project", tmp_path / "copies" / "output"
    shutil.copytree(published.project, project, ignore=shutil.ignore_patterns("outputs"))
    shutil.copytree(published.output, output)
    return Published(project, output)


def rebuilt(published: Published, pool: Pool, *inputs: Path, project: Path | None = None) -> Reproduction:
    """A reproduction in this process, with workers that other tests use, too."""
    recorded = read_output(published.output)
    where = Where((project or published.project).resolve(), inputs)
    return reproduce(recorded, where, pool, Screen(Console(quiet=True)))


def page(reproduction: Reproduction) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_reproduction(console, reproduction)
    shown: str = console.file.getvalue()  # type: ignore[attr-defined]
    return shown


def files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): digests.of_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"  # of layers and plugins, as every run leaves it
    }


# --- identical ----------------------------------------------------------------------------------------------------


def test_an_output_is_built_again_from_its_manifest_alone_and_nothing_of_the_project_is_touched(
    copied: Published, pool: Pool
) -> None:
    shutil.rmtree(copied.project / "recipes")
    before = files_below(copied.project), files_below(copied.output.parent)

    found = rebuilt(copied, pool)

    assert (found.status, found.level, found.exit_code) == ("identical", 1, 0)
    assert found.now_key == found.recorded_key
    assert all(component.same for component in found.components)
    assert [(file.name, file.same) for file in found.files] == [("model.tflite", True)]
    assert (found.metrics, found.causes, found.kept) == ((), (), "")
    assert (files_below(copied.project), files_below(copied.output.parent)) == before


def test_inputs_are_found_by_digest_wherever_they_lie_under_whatever_name(
    copied: Published, pool: Pool, tmp_path: Path
) -> None:
    attic, archive = tmp_path / "attic", tmp_path / "archive" / "2025"
    attic.mkdir()
    archive.mkdir(parents=True)
    (copied.project / "models" / "tiny.keras").rename(attic / "some.model")
    (copied.project / "layers" / "gain.py").rename(attic / "a_layer.py")
    (copied.project / "plugins").rename(archive / "plugins")
    (copied.project / "data" / "points.npz").rename(archive / "points.npz")
    (attic / "points.npz").write_bytes(b"something else of that name")
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()

    found = rebuilt(copied, pool, attic, archive.parent, project=nowhere)

    assert (found.status, found.now_key) == ("identical", found.recorded_key)


def test_the_page_names_recipe_commit_and_the_way_back_to_the_dirty_tree(
    published: Published, pool: Pool, tmp_path: Path
) -> None:
    shown = page(rebuilt(published, pool))
    commit = git(published.project, "rev-parse", "HEAD").decode().strip()
    diff = published.output / "repository.diff"

    assert "recipe: archived 1.0.0, recipes/archived.yaml with description=Two clouds" in shown
    assert f"commit: {commit}, with uncommitted changes; git checkout {commit} && git apply {diff}" in shown
    assert f"build key: {published.output.name}, the same now" in shown
    assert "identical in " in shown
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(published.project), str(clone))
    subprocess.run(f"git checkout -q {commit} && git apply {diff}", shell=True, cwd=clone, check=True)
    assert (clone / "recipes" / "archived.yaml").read_bytes() == (
        published.project / "recipes" / "archived.yaml"
    ).read_bytes()


# --- inputs -------------------------------------------------------------------------------------------------------


@pytest.mark.fault(52)
def test_every_input_that_is_gone_or_has_changed_is_named_before_anything_is_built(
    copied: Published, pool: Pool, record_property: Record
) -> None:
    (copied.project / "layers" / "gain.py").unlink()
    model = copied.project / "models" / "tiny.keras"
    before = digests.of_file(model)
    model.write_bytes(model.read_bytes() + b"\0")

    with pytest.raises(InputMismatch) as caught:
        rebuilt(copied, pool)

    record_property("exit", caught.value.exit_code)
    assert caught.value.exit_code == 5
    said = str(caught.value)
    assert "2 inputs are not what the manifest records" in said
    assert (
        f"'model' (models/tiny.keras) has changed: sha256 {before} recorded, sha256 {digests.of_file(model)} now"
        in said
    )
    assert "custom-layer 'layers/gain.py' is gone: sha256 " in said
    assert f"git apply {copied.output}/repository.diff" in said


@pytest.mark.fault(52)
def test_samples_that_have_changed_are_named_with_the_first_of_them(
    copied: Published, pool: Pool, record_property: Record
) -> None:
    plugin = copied.project / "plugins" / "two_clouds.py"
    plugin.write_text(plugin.read_text().replace("0.5, 8", "0.4, 8"))
    shutil.copytree(copied.project / "plugins", copied.project / "as_recorded")
    retell(copied.output, lambda definition: pinned_to(definition, plugin))
    (copied.project / "data" / "points.npz").unlink()

    with pytest.raises(InputMismatch) as caught:
        rebuilt(copied, pool)

    record_property("exit", caught.value.exit_code)
    said = str(caught.value)
    assert "the calibration samples have changed: sha256 " in said
    assert "sample 0 was 'point 1000' (" in said
    assert "the evaluation samples can't be read" in said


def pinned_to(definition: dict[str, Any], plugin: Path) -> None:
    dependency(definition, "plugins/two_clouds.py")["digest"] = {"sha256": digests.of_file(plugin)}


@pytest.mark.fault(52)
def test_a_dirty_tree_without_its_diff_says_that_a_checkout_is_not_enough(
    copied: Published, pool: Pool, record_property: Record
) -> None:
    def withhold(definition: dict[str, Any]) -> None:
        dependency(definition, "recipe-repo")["annotations"]["diffWithheld"] = "secret"

    retell(copied.output, withhold)
    statement = manifest.read(copied.output)
    byproducts = statement["predicate"]["runDetails"]["byproducts"]
    byproducts[:] = [entry for entry in byproducts if entry["name"] != "repository.diff"]
    (copied.output / "manifest.json").write_bytes(manifest.encode(statement))
    (copied.output / "repository.diff").unlink()
    (copied.project / "layers" / "gain.py").unlink()

    with pytest.raises(InputMismatch) as caught:
        rebuilt(copied, pool)

    record_property("exit", caught.value.exit_code)
    assert "what was changed since was not kept, so it must come from elsewhere" in str(caught.value)


@pytest.mark.fault(52)
def test_an_output_that_was_altered_is_not_built_again(copied: Published, record_property: Record) -> None:
    (copied.output / "model.tflite").write_bytes(b"altered")

    with pytest.raises(OutputAltered) as caught:
        read_output(copied.output)

    record_property("exit", caught.value.exit_code)
    assert "model.tflite: expected" in str(caught.value)


# --- other environments -------------------------------------------------------------------------------------------


def other_package(definition: dict[str, Any]) -> None:
    dependency(definition, "numpy")["uri"] = "pkg:pypi/numpy@1.0.0"


def other_recipekit(definition: dict[str, Any]) -> None:
    definition["internalParameters"]["recipekit"]["sourceDigest"] = "0" * 64


@pytest.mark.fault(52)
@pytest.mark.parametrize(
    ("change", "said"),
    [(other_package, "packages: numpy: 1.0.0 (RECORD "), (other_recipekit, "recipekit: sourceDigest: 000000000000")],
)
def test_with_other_software_metrics_are_compared_and_nothing_is_called_identical(
    copied: Published, pool: Pool, change: Callable[[dict[str, Any]], None], said: str, record_property: Record
) -> None:
    retell(copied.output, change)

    found = rebuilt(copied, pool)

    record_property("exit", found.exit_code)
    assert (found.status, found.level, found.exit_code) == ("within_bounds", 3, 6)
    assert found.now_key != found.recorded_key
    shown = page(found)
    assert said in shown
    assert "every bound is kept" in shown
    assert "identical" not in shown


def other_processor(definition: dict[str, Any]) -> None:
    definition["internalParameters"]["platform"]["cpuFeatures"] = ["neon"]


def test_on_another_machine_equal_bytes_are_identical(copied: Published, pool: Pool) -> None:
    retell(copied.output, other_processor)

    found = rebuilt(copied, pool)

    assert (found.status, found.level, found.exit_code) == ("identical", 2, 0)
    assert "platform: cpuFeatures: -neon +" in page(found)


@pytest.mark.fault(52)
def test_on_another_machine_other_bytes_come_with_what_may_be_why(
    copied: Published, pool: Pool, record_property: Record
) -> None:
    retell(copied.output, other_processor)
    model = bytearray((copied.output / "model.tflite").read_bytes())
    model[-1] ^= 1
    rewrite(copied.output, "model.tflite", bytes(model))

    found = rebuilt(copied, pool)

    record_property("exit", found.exit_code)
    assert (found.status, found.level, found.exit_code) == ("differs", 2, 6)
    assert "other instruction sets" in found.causes[0]


@pytest.mark.fault(52)
def test_flags_that_do_not_follow_from_the_configuration_are_a_difference(
    copied: Published, pool: Pool, record_property: Record
) -> None:
    def other_flag(definition: dict[str, Any]) -> None:
        definition["internalParameters"]["toolchain"]["flags"]["granularity"] = "per_tensor"

    retell(copied.output, other_flag)

    found = rebuilt(copied, pool)

    record_property("exit", found.exit_code)
    assert (found.status, found.exit_code) == ("differs", 6)
    assert "flags: flags.granularity: per_tensor recorded, per_channel now" in page(found)
    assert "identical" not in page(found)


# --- a difference -------------------------------------------------------------------------------------------------


def test_a_difference_is_named_by_byte_tensor_and_stage_and_kept_beside_the_recorded_output(
    copied: Published, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_one = partial(check_installed, ["msgspec"])  # the whole installation takes seconds, and a test of its own
    monkeypatch.setattr("recipekit.audit.reproduction.check_installed", lambda _: only_one())
    restage(copied.output, "quantize", "0" * 64)
    data = bytearray((copied.output / "model.tflite").read_bytes())
    at = len(data) // 2
    data[at] ^= 255
    rewrite(copied.output, "model.tflite", bytes(data))
    before = files_below(copied.output)

    found = rebuilt(copied, pool)

    assert (found.status, found.level, found.exit_code) == ("differs", 1, 6)
    (file,) = found.files
    assert (file.same, file.offset) == (False, at)
    assert file.part
    assert (
        "'quantize' is the first stage that left other files, while lower, calibrate left the same" in found.causes[0]
    )
    assert files_below(copied.output) == before
    kept = Path(found.kept)
    assert kept.parent == copied.output.with_name("output.reproduced")
    assert read_output(kept).build_key == found.recorded_key
    shown = page(found)
    assert f"model.tflite: differs from byte {at:,} on ({file.part})" in shown
    assert str(kept) in shown


def test_a_rebuild_that_fails_keeps_the_log_that_it_names(
    copied: Published, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def impossible(definition: dict[str, Any]) -> None:
        definition["externalParameters"]["resolvedConfig"]["converter"]["flags"] = {"no_such_flag": True}

    retell(copied.output, impossible)

    with pytest.raises(RecipekitError) as caught:
        rebuilt(copied, pool)

    assert "no_such_flag" in str(caught.value)


# --- the diff -----------------------------------------------------------------------------------------------------


def test_a_diff_with_a_secret_is_withheld_and_no_file_of_the_output_holds_it(
    published: Published, pool: Pool, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(published.project, tmp_path / "project", symlinks=True))
    with (project / "recipes" / "archived.yaml").open("a") as recipe:
        recipe.write("# password: correct4horse5battery\n")
    console = Console(file=io.StringIO(), width=200)

    outcome = run_here(project, pool, "recipe=archived", "acceptance.parity.sqnr_db.min=16", screen=Screen(console))

    output = Path(outcome.output)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "warning uncommitted changes hold what looks like a secret, so the output keeps no diff of them" in said
    assert not (output / "repository.diff").exists()
    repository = read_output(output).repository
    assert repository is not None
    assert (repository.dirty, repository.withheld) == (True, "secret")
    assert not [path for path in output.rglob("*") if path.is_file() and b"correct4horse5battery" in path.read_bytes()]


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_prints_json_and_finds_the_project_that_it_is_told(
    copied: Published, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # not recorded, so not the workers'

    code = main(["reproduce", str(copied.output), "--project", str(copied.project), "--format", "json"])

    told = capsys.readouterr()
    found = json.loads(told.out)
    assert code == 0, told.err
    assert (found["status"], found["level"]) == ("identical", 1)
    assert {component["name"] for component in found["components"]} >= {"packages", "platform", "variables"}
