"""What a schema finds wrong is said as a person would: the key, what was expected, what was found, the nearest name."""

from __future__ import annotations

import copy
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.faults import Fault, dotted, find_faults, validator
from recipekit.schema import schema
from recipekit.schemas import is_faultless, with_defaults

RECIPE: dict[str, Any] = {
    "name": "digits",
    "version": "1.0.0",
    "source": {"kind": "keras", "path": "m.keras"},
    "converter": {"quantization": "float16"},
    "evaluation": {"dataset": {"plugin": "digits"}},
}

DOCUMENTS: dict[str, Any] = {
    "recipe": with_defaults(RECIPE, "recipe"),
    "manifest": json.loads((File(__file__).parent / "golden" / "manifest.json").read_bytes()),
}

Path = tuple[str | int, ...]


def edited(path: Path, value: Any) -> dict[str, Any]:
    """The good recipe with one value set, sections made on the way."""
    changed = copy.deepcopy(RECIPE)
    section: Any = changed
    for key in path[:-1]:
        section = section.setdefault(key, {})
    section[path[-1]] = value
    return changed


def faults_of(path: Path, value: Any) -> list[Fault]:
    return find_faults(edited(path, value), "recipe")


def test_a_good_recipe_has_no_fault() -> None:
    assert find_faults(RECIPE, "recipe") == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("acceptence",), {}, "unknown key 'acceptence'; did you mean 'acceptance'?"),
        (("converter", "quantization"), "flot16", "did you mean 'float16'?"),
        (("converter", "quantization"), None, "must be one of none, float16"),
        (("converter", "weight_bits"), 4, "has no meaning with quantization: float16"),
        (("converter", "input_type"), "int8", "must be one of float32 with quantization: float16"),
        (("converter", "supported_ops"), [], "must not be empty"),
        (("converter", "rules"), {}, "must be a list, got a mapping"),
        (("seed",), -1, "must be at least 0, got -1"),
        (("seed",), 2**32, "must be at most 4294967295"),
        (("seed",), 1.0, "must be an integer, got a number (1.0)"),
        (("seed",), True, "must be an integer, got a boolean (true)"),
        (("version",), 1.1, "must be a string, got a number (1.1): put it in quotes"),
        (("version",), "1.0", 'a semantic version such as "1.0.0"'),
        (("version",), "1.0.0\n", 'a semantic version such as "1.0.0"'),
        (("name",), "a/../../b", "must be a slug"),
        (("name",), "a..b", "must be a slug"),
        (("name",), "x" * 65, "must be a slug"),
        (("name",), "x\n", "must be a slug"),
        (("name",), ".", "must be a slug"),
        (("source",), None, "must be a mapping, got null"),
        (("source",), [], "must be a mapping, got a list"),
        (("source", "signature"), "x", "unknown key 'source.signature'; known here: kind, path"),
        (("source", "sha256"), "AB", "64 lower-case hexadecimal digits"),
        (("source", "input_shapes"), "x", 'must be a mapping, got a string ("x")'),
        (("evaluation", "dataset", "samples"), 10.0, "must be an integer or null, got a number (10.0)"),
        (("evaluation", "dataset", "split"), "tets", "did you mean 'test'?"),
        (("acceptance", "confidence"), 1, "must be less than 1, got 1"),
        (("acceptance", "confidence"), 0, "must be greater than 0, got 0"),
        (("acceptance", "parity", "sqnr_db"), {}, "must not be empty"),
        (("custom_layers", "modules"), ["a", "a"], "must not name anything twice"),
    ],
)
def test_a_fault_is_worded_at_its_key(path: Path, value: Any, message: str) -> None:
    (fault,) = faults_of(path, value)
    assert fault.path == path
    assert message in fault.message


@pytest.mark.parametrize(
    ("path", "value", "at"),
    [
        (("source", "input_shapes", "image"), [0], ("source", "input_shapes", "image", 0)),
        (("source", "input_shapes", "image"), "x", ("source", "input_shapes", "image")),
        (("evaluation", "dataset", "preprocess"), [{}], ("evaluation", "dataset", "preprocess", 0)),
        (("converter", "rules"), [{"match": {}, "quantization": "none"}], ("converter", "rules", 0, "match")),
        (("custom_layers", "objects", "A"), "b", ("custom_layers", "objects", "A")),
        (
            ("optimize", "prune"),
            {"sparsity": 0.5, "finetune": {"dataset": {"plugin": "csv", "path": "a", "inputs": {"x": [1]}}}},
            ("optimize", "prune", "finetune", "dataset", "inputs", "x", 0),
        ),
    ],
)
def test_a_fault_deep_below_a_branch_of_the_schema_has_its_place(path: Path, value: Any, at: Path) -> None:
    (fault,) = faults_of(path, value)
    assert fault.path == at
    assert dotted(at) in fault.message


@pytest.mark.parametrize("key", ["name", "version", "source", "converter"])
def test_a_missing_key_is_a_fault_of_that_key_and_says_what_it_is_for(key: str) -> None:
    found = find_faults({other: value for other, value in RECIPE.items() if other != key}, "recipe")
    assert [fault.path for fault in found] == [(key,)]
    assert found[0].message.startswith(f"'{key}' is missing (")


def test_every_fault_is_found_at_once_and_each_one_once() -> None:
    recipe = edited(("seed",), -1)
    recipe["acceptance"] = {"parity": {"sqnr": {"min": 1}}, "size": {"bytes": {"maximum": 3}}}
    recipe["converter"] = {"quantization": "float16", "weight_bits": 4, "allow_float": True}
    found = find_faults(recipe, "recipe")
    assert [fault.path for fault in found] == [
        ("acceptance", "parity", "sqnr"),
        ("acceptance", "size", "bytes", "maximum"),
        ("converter", "allow_float"),
        ("converter", "weight_bits"),
        ("seed",),
    ]


@pytest.mark.slow
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), lambda s: st.lists(s, max_size=2)))
def test_no_value_in_any_section_breaks_the_wording(value: Any) -> None:
    for path in (("source",), ("converter", "rules"), ("evaluation", "dataset"), ("source", "kind"), ("acceptance",)):
        for fault in faults_of(path, value):
            assert fault.message


def test_defaults_fill_what_is_left_out_and_keep_what_is_there() -> None:
    filled = with_defaults(edited(("evaluation", "benchmark"), {"runs": 7}), "recipe")
    assert filled["evaluation"]["benchmark"] == {"runs": 7, "warmup": 5, "threads": 1}
    assert filled["evaluation"]["dataset"]["split"] == "test"
    assert filled["converter"]["input_type"] == "float32"
    assert filled["acceptance"]["parity"] == {}
    assert (filled["seed"], filled["description"]) == (0, "")
    assert with_defaults(filled, "recipe") == filled


@pytest.mark.parametrize(("quantization", "there"), [("float16", False), ("int8", True), ("int16x8", True)])
def test_a_default_of_a_branch_is_filled_in_where_the_branch_holds(quantization: str, there: bool) -> None:
    filled = with_defaults(edited(("converter", "quantization"), quantization), "recipe")
    assert ("allow_float" in filled["converter"]) is there


def test_filling_defaults_leaves_the_document_and_the_schema_alone() -> None:
    document, before = copy.deepcopy(RECIPE), copy.deepcopy(schema("recipe"))
    filled = with_defaults(document, "recipe")
    filled["converter"]["supported_ops"].append("SELECT_TF_OPS")
    filled["acceptance"]["parity"]["sqnr_db"] = {}
    assert document == RECIPE
    assert schema("recipe") == before


def test_a_key_path_is_written_with_dots_and_brackets() -> None:
    assert dotted(("converter", "rules", 0, "match")) == "converter.rules[0].match"
    assert dotted(()) == ""


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["a\n", "a\r/..", "a\u2028/..", "1.0.0\n", "\u0661.0.0", "a" * 64, "0" * 64, 2**53, 2**64, 1.0, 1e400]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything that a document holds."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(item, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recipe", "manifest"])
@given(st.data())
def test_the_compiled_schema_finds_a_fault_where_the_other_does(name: str, data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    *above, key = data.draw(st.sampled_from(list(places(document))))
    section: Any = document
    for step in above:
        section = section[step]
    section[key] = data.draw(JSON | st.just(section[key]))
    if isinstance(section, dict) and data.draw(st.booleans()):
        section[data.draw(st.text(max_size=3) | st.just(key))] = data.draw(JSON)

    assert is_faultless(document, name) is not any(True for _ in validator(name).iter_errors(document))


@pytest.mark.parametrize("value", [{1: 2}, dt.date(2020, 1, 1), {"a"}, b"a"])
def test_what_is_not_json_is_not_faultless(value: Any) -> None:
    assert not is_faultless(edited(("description",), value), "recipe")


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "imported"), [(RECIPE, False), ({}, True)])
def test_the_library_that_words_faults_is_imported_where_there_is_one(recipe: Any, imported: bool) -> None:
    script = """
import json, sys
from recipekit.faults import find_faults
find_faults(json.loads(sys.argv[1]), "recipe")
print("jsonschema" in sys.modules)
"""
    command = [sys.executable, "-c", script, json.dumps(recipe)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{imported}\n"
