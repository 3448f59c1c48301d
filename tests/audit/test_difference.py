"""Recipes, outputs and files are compared as far as both sides tell; what has nothing in common is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from recipekit import manifest
from recipekit.audit.difference import Difference, compare
from recipekit.audit.sides import side_of
from recipekit.contracts import PairedCounts, TaskScore
from recipekit.errors import OutputAltered, UsageError
from recipekit.pool import Pool
from recipekit.project import Project
from tests.published_outputs import CHECKS, PARITY, Output, publish
from tests.recipe_projects import recipe, write_project

Compare = Callable[[str, str], Difference]

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    files: dict[str, str | bytes] = {
        "digits.yaml": recipe("/converter: none"),
        "other.yaml": recipe("/converter: float16", body="seed: 7\n"),
        "models/m.keras": b"PK",
    }
    return write_project(tmp_path, files)


@pytest.fixture
def compared(project: Project, pool: Pool) -> Compare:
    return lambda a, b: compare(side_of(a, project, pool), side_of(b, project, pool))


def test_two_recipes_are_compared_key_by_key_with_their_lines(compared: Compare) -> None:
    difference = compared("digits", "recipes/other.yaml")
    assert (difference.model, difference.results) == (None, None)
    changes = {change.name: change for change in difference.inputs or ()}
    assert (changes["seed"].a, changes["seed"].b) == (0, 7)
    assert (changes["seed"].a_origin, changes["seed"].b_origin) == ("default", "recipes/other.yaml:9")
    assert changes["converter.quantization"].b_origin == "packaged converter/float16.yaml:1"
    assert not compared("digits", "digits").found


def test_two_outputs_are_compared_in_all_three_classes(project: Project, compared: Compare) -> None:
    score = TaskScore(
        float_value=0.97,
        converted_value=0.90,
        higher_is_better=True,
        paired=PairedCounts(both=90, only_float=7, only_converted=0, neither=3),
    )
    failed = msgspec.structs.replace(CHECKS[1], value=0.07, verdict="fail")
    worse = replace(
        Output().with_config(seed=8), verdict="rejected", score=score, checks=(CHECKS[0], failed, CHECKS[2])
    )
    a, b = publish(project.outputs), publish(project.outputs, worse)
    difference = compared(str(a), f"digits/1.0.0/{b.name}")
    assert [(it.group, it.name, it.a, it.b) for it in difference.inputs or ()] == [("configuration", "seed", 7, 8)]
    assert difference.model == ()
    results = {(it.group, it.name): it for it in difference.results or ()}
    assert next(iter(results)) == ("verdict", "verdict")
    assert results["checks", "task.top1_accuracy.max_drop"].b["verdict"] == "fail"
    drop = results["task", "top1_accuracy drop"]
    assert (drop.a["value"], drop.b["value"]) == (0.01, 0.07)
    assert drop.b["interval"][0] < 0.07 < drop.b["interval"][1]
    assert difference.a.build_key == manifest.results(manifest.read(a))["buildKey"]


def test_parity_is_compared_output_by_output(project: Project, compared: Compare) -> None:
    better = replace(Output().with_config(seed=8), parity=msgspec.structs.replace(PARITY, sqnr_db=63.0))
    a, b = publish(project.outputs), publish(project.outputs, better)
    ((group, name, weight),) = [
        (it.group, it.name, it.weight) for it in compared(str(a), str(b)).results or () if it.group == "parity"
    ]
    assert (group, name, weight) == ("parity", "scores sqnr_db", 0.5)


def test_a_model_that_was_not_run_lacks_what_the_other_one_has(project: Project, compared: Compare) -> None:
    unrun = replace(Output().with_config(seed=8), measured=False, verdict="not-judged")
    a, b = publish(project.outputs), publish(project.outputs, unrun)
    gone = {it.name for it in compared(str(a), str(b)).results or () if it.b is None}
    assert {"top1_accuracy", "scores sqnr_db", "p50_ms"} <= gone


def test_an_output_and_its_own_file_are_the_same_model(project: Project, compared: Compare) -> None:
    folder = publish(project.outputs)
    difference = compared(str(folder), str(folder / "model.tflite"))
    assert (difference.inputs, difference.model, difference.results) == (None, (), None)
    assert difference.a.sha256 == difference.b.sha256


def test_an_output_and_a_recipe_are_compared_by_their_configuration(project: Project, compared: Compare) -> None:
    folder = publish(project.outputs)
    difference = compared(str(folder), "digits")
    assert (difference.model, difference.results) == (None, None)
    seed = next(change for change in difference.inputs or () if change.name == "seed")
    assert (seed.a, seed.a_origin, seed.b_origin) == (7, "command line: seed=7", "default")


def test_a_recipe_and_a_file_are_refused_with_what_to_do_instead(project: Project, compared: Compare) -> None:
    model = publish(project.outputs) / "model.tflite"
    with pytest.raises(UsageError, match="nothing in common") as caught:
        compared("digits", str(model))
    assert "recipekit run recipe=digits" in caught.value.fix


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("digitz", "there is no 'digitz'; did you mean 'digits'"),
        ("recipes", "is a folder without manifest.json"),
        ("elsewhere.yaml", "is no recipe of this project"),
    ],
)
def test_what_cannot_be_compared_is_refused(project: Project, compared: Compare, named: str, said: str) -> None:
    (project.root / "elsewhere.yaml").write_text("seed: 1\n")
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        compared(named, "digits")


def test_an_altered_output_is_not_compared(project: Project, compared: Compare) -> None:
    folder = publish(project.outputs)
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps({**results, "verdict": "rejected"}))
    with pytest.raises(OutputAltered, match="differs from its manifest"):
        compared(str(folder), "digits")
