"""When the first reading of a dataset may be found instead of done again."""

from __future__ import annotations

import pytest

from recipekit import inputs
from recipekit.environment import Package
from recipekit.graph import Node, survey
from tests.graph.conftest import SmallProject


def reading(small: SmallProject) -> Node:
    dataset = small.job().recipe.evaluation.dataset
    assert dataset is not None
    return survey("evaluation", dataset, "evaluation.dataset", small.surroundings)


def test_a_dataset_is_found_again_while_its_files_stay(small: SmallProject) -> None:
    assert reading(small).key
    assert reading(small).key == reading(small).key


def test_datasets_of_several_signatures_are_found_again_while_the_files_of_all_stay(small: SmallProject) -> None:
    small.recipe["source"] = {"kind": "saved_model", "path": "model.keras", "signature": ["encode", "decode"]}
    parts = {"encode": {"plugin": "npz", "path": "test.npz"}, "decode": {"plugin": "npz", "path": "calibration.npz"}}
    small.recipe["evaluation"] = {"dataset": {"signatures": parts}}
    before = reading(small).key
    assert before
    assert reading(small).key == before
    small.write("calibration.npz", b"2")
    assert reading(small).key not in {"", before}
    parts["decode"] = {"plugin": "python", "factory": "layers.py:samples"}
    assert reading(small).key == ""


def test_what_decides_the_samples_of_one_signature_says_nothing_of_several(small: SmallProject) -> None:
    node = reading(small)
    assert node.inputs is not None
    assert node.inputs["dataset"] == {
        "plugin": "npz",
        "params": {"label_key": "labels"},
        "samples": None,
        "shuffle": False,
        "seed": 0,
        "preprocess": (),
        "modules": (),
    }


def test_a_changed_file_is_read_again(small: SmallProject) -> None:
    before = reading(small).key
    small.write("test.npz", b"2")
    assert reading(small).key != before


def test_a_file_that_changes_while_it_is_read_is_noticed(small: SmallProject) -> None:
    node = reading(small)
    assert node.fresh()
    small.write("test.npz", b"2")
    assert not node.fresh()


def test_a_file_that_was_written_just_now_is_always_read(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_SETTLED_NS", 2_000_000_000)
    small.write("test.npz", b"2")
    assert reading(small).key == ""


def test_a_file_that_is_not_there_is_left_to_the_reader(small: SmallProject) -> None:
    small.recipe["evaluation"]["dataset"]["path"] = "absent.npz"
    assert reading(small).key == ""


@pytest.mark.parametrize(
    "dataset",
    [
        {"plugin": "python", "factory": "layers.py:samples"},
        {"plugin": "npz", "path": "test.npz", "modules": ["layers.py"]},
        {"plugin": "npz", "path": "test.npz", "preprocess": [{"python": "layers.py:halve"}]},
    ],
    ids=["factory", "modules", "preprocess"],
)
def test_code_of_the_project_may_read_anything_so_it_always_runs(
    small: SmallProject, dataset: dict[str, object]
) -> None:
    small.recipe["evaluation"]["dataset"] = dataset
    assert reading(small).key == ""


def test_a_pattern_is_looked_at_with_the_whole_folder_that_it_chooses_from(small: SmallProject) -> None:
    dataset = {"plugin": "tfrecord", "path": "records/*.tfrecord", "features": {"x": {"dtype": "float32"}}}
    small.recipe["evaluation"]["dataset"] = dataset
    assert reading(small).key == ""
    (small.root / "records").mkdir()
    small.write("records/a.tfrecord", b"1")
    before = reading(small).key
    assert before == reading(small).key != ""
    small.write("records/b.tfrecord", b"1")
    assert reading(small).key != before
    dataset["path"] = "records/a*.tfrecord"
    assert reading(small).key != before


@pytest.mark.slow
def test_a_hosted_dataset_is_found_again_where_it_lies_in_a_folder_that_the_recipe_names(small: SmallProject) -> None:
    small.write("data", b"1")
    for dataset in ({"plugin": "tfds", "name": "tiny"}, {"plugin": "huggingface", "dataset": "tiny"}):
        small.recipe["evaluation"]["dataset"] = dataset
        assert reading(small).key == ""
    for dataset in ({"plugin": "tfds", "name": "tiny", "data_dir": "data"}, {"plugin": "huggingface", "path": "data"}):
        small.recipe["evaluation"]["dataset"] = dataset
        assert reading(small).key


def test_the_packages_of_an_extra_count_where_the_dataset_uses_it(small: SmallProject) -> None:
    def key(version: str) -> str:
        small.surroundings._extras[frozenset({"audio"})] = (Package("librosa", version, "7" * 64, "RECORD"),)
        return reading(small).key

    assert key("0.11.0") == key("0.12.0")
    small.recipe["evaluation"]["dataset"]["preprocess"] = [{"mfcc": {"sr": 16000}}]
    assert key("0.11.0") != key("0.12.0")


def test_other_samples_of_the_same_files_are_another_reading(small: SmallProject) -> None:
    before = reading(small).key
    small.recipe["evaluation"]["dataset"]["samples"] = 3
    assert reading(small).key != before


def test_bundled_data_is_found_again(small: SmallProject) -> None:
    small.recipe["evaluation"]["dataset"] = {"plugin": "digits"}
    assert reading(small).key
