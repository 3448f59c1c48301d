"""What MLflow is told of an output: everything measured and declared, by keys and values that MLflow takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.tracking.entries import _key, _text, _unique, entries_of
from tests.whole_outputs import RECIPE, forge, publish

TAKEN = re.compile(r"[/\w.\- ]+")


def test_an_output_gives_its_recipe_what_was_measured_and_what_it_was_made_with(tmp_path: Path) -> None:
    entries = entries_of(publish(tmp_path, seed=7, sqnr_db=10.0))
    key = entries.tags["recipekit.build_key"]
    assert entries.name == f"digits 1.0.0 {key[:12]}"
    assert entries.parameters["seed"] == "7"
    assert entries.parameters["converter.quantization"] == "int8"
    assert entries.parameters["acceptance.parity.sqnr_db.min"] == str(RECIPE["acceptance"]["parity"]["sqnr_db"]["min"])
    assert entries.parameters["representative_dataset.preprocess"] == "[]"
    measured = {
        "size.bytes": 2048.0,
        "size.ratio": 2048 / 8000,
        "parity.logits.sqnr_db": 10.0,
        "task.top1_accuracy": 0.95,
        "task.top1_accuracy_float": 0.97,
        "latency.p50_ms": 6.0,
        "latency_float32.p50_ms": 5.0,
        "check.parity.sqnr_db.min.margin": -5.0,
    }
    assert {name: entries.metrics[name] for name in measured} == pytest.approx(measured)
    assert entries.metrics["task.top1_accuracy_drop"] == pytest.approx(0.02)
    assert entries.tags["recipekit.verdict"] == "rejected"
    assert entries.tags["version.tensorflow"] == "2.21.0+cpu"
    assert entries.tags["recipekit.version"] == "0.1.0"


def test_the_commit_of_the_recipes_is_the_run_s(tmp_path: Path) -> None:
    folder = publish(tmp_path)

    def commit(manifest: dict[str, Any], _results: dict[str, Any]) -> None:
        entry = {
            "name": "recipe-repo",
            "digest": {"gitCommit": "a" * 40},
            "annotations": {"role": "recipe-repo", "dirty": True},
        }
        manifest["predicate"]["buildDefinition"]["resolvedDependencies"].append(entry)

    forge(folder, commit)
    tags = entries_of(folder).tags
    assert (tags["mlflow.source.git.commit"], tags["recipekit.git_dirty"]) == ("a" * 40, "true")


@given(st.text(min_size=1))
def test_any_key_path_becomes_a_key_that_is_no_way_through_folders(path: str) -> None:
    key = _key(path)
    assert len(key) <= 250
    assert TAKEN.fullmatch(key)
    assert not {"", ".", ".."} & set(key.split("/"))


@given(st.lists(st.text(min_size=1), unique=True))
def test_no_entry_is_lost_to_another_of_the_same_key(paths: list[str]) -> None:
    assert len(_unique((path, path) for path in paths)) == len(paths)


def test_a_long_value_is_cut_where_mlflow_would_refuse_it() -> None:
    assert len(_text("x" * 9000)) == 6000
    assert _text({"a": [1, None, True]}) == '{"a":[1,null,true]}'
