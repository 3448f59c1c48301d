from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2

import recipekit
from recipekit import digests, inputs
from recipekit import manifest as manifests
from recipekit.environment import Environment
from recipekit.errors import InternalError, InvalidRecipe, OutputAltered, OutputFault
from recipekit.manifest import Artifact, BuildInputs, Dependency, Sweep
from recipekit.repository import Repository
from tests.properties import at_most
from tests.small_builds import DEPENDENCIES, ENVIRONMENT, INPUTS, run_details

GOLDEN = Path(__file__).parent / "golden" / "manifest.json"
RESULTS = Artifact("results.json", "8" * 64, 99)
MODEL = Artifact("model.tflite", "9" * 64, 3456)
LOG = Artifact("logs/run.log", "0" * 64, 12)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcß", max_size=3), inner, max_size=3),
    max_leaves=8,
)
CONFIGS = st.dictionaries(st.text("abc", min_size=1, max_size=3), JSON, max_size=4)


def small_manifest(build: BuildInputs = INPUTS, **run: Any) -> dict[str, Any]:
    details = run_details(RESULTS, **{"byproducts": [LOG], "sweep": Sweep("s1", 3), **run})
    return manifests.statement(manifests.build_definition(build), [MODEL], details)


def key_of(build: BuildInputs) -> str:
    return manifests.build_key(manifests.build_definition(build))


# --- the standards ------------------------------------------------------------------------------------------------


def test_the_schema_is_a_schema_and_closed_wherever_it_names_keys() -> None:
    text = (Path(recipekit.__file__).parent / "schema" / "manifest.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    open_places = [part for part in objects_of(schema) if len(part["properties"]) > 1 and not is_closed(part)]

    assert [sorted(part["properties"]) for part in open_places] == [["name", "passed"]], "a check may carry more"


def objects_of(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            yield part
        for value in part.values():
            yield from objects_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from objects_of(value)


def is_closed(part: dict[str, Any]) -> bool:
    return part.get("additionalProperties") is False


def test_a_manifest_parses_strictly_with_the_classes_of_in_toto() -> None:
    statement = json_format.Parse(manifests.encode(small_manifest()), statement_pb2.Statement())
    predicate = json_format.MessageToDict(statement.predicate)
    provenance = json_format.ParseDict(predicate, provenance_pb2.Provenance())

    assert statement.subject[0].name == "model.tflite"
    assert provenance.build_definition.build_type.endswith("/build/v1")
    assert provenance.run_details.byproducts[0].name == "results.json"
    assert provenance.run_details.metadata.started_on.ToJsonString() == "2026-01-02T01:04:05.678Z"


def test_the_standard_would_notice_a_field_of_our_own() -> None:
    manifest = small_manifest()
    manifest["ours"] = 1

    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(manifest, statement_pb2.Statement())


def test_the_manifest_is_the_golden_one(update_goldens: bool) -> None:
    text = manifests.encode(small_manifest())
    if update_goldens:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_bytes(text)

    assert text == GOLDEN.read_bytes()


# --- the build key ------------------------------------------------------------------------------------------------


def renamed_recipe_file(build: BuildInputs) -> BuildInputs:
    return replace(build, recipe=build.recipe._replace(path="recipes/other.yaml"))


def commented_recipe_file(build: BuildInputs) -> BuildInputs:
    return replace(build, recipe=build.recipe._replace(sha256="f" * 64))


def other_overrides(build: BuildInputs) -> BuildInputs:
    return replace(build, overrides=("seed=7", "converter=int8"))


def other_commit(build: BuildInputs) -> BuildInputs:
    state = Repository("b" * 40, dirty=False, diff=b"", uri="git+https://example.invalid/r.git")
    return replace(build, dependencies=(Dependency.of_repository(state), *DEPENDENCIES[1:]))


def no_repository(build: BuildInputs) -> BuildInputs:
    return replace(build, dependencies=DEPENDENCIES[1:])


def commented_group_file(build: BuildInputs) -> BuildInputs:
    changed = DEPENDENCIES[1]._replace(digest={"sha256": "f" * 64})
    return replace(build, dependencies=(DEPENDENCIES[0], changed, *DEPENDENCIES[2:]))


@pytest.mark.parametrize(
    "change",
    [renamed_recipe_file, commented_recipe_file, other_overrides, other_commit, no_repository, commented_group_file],
)
def test_what_cannot_change_a_byte_is_not_in_the_key(change: Callable[[BuildInputs], BuildInputs]) -> None:
    assert key_of(change(INPUTS)) == key_of(INPUTS)
    assert manifests.build_definition(change(INPUTS)) != manifests.build_definition(INPUTS), "it is recorded, though"


def test_the_list_of_dropped_parts_is_the_one_that_is_tested() -> None:
    assert manifests.UNKEYED_PARAMETERS == (("overrides",), ("recipe", "path"), ("recipe", "sha256"))
    assert {"recipe-repo", "recipe-file"} == manifests.UNKEYED_ROLES


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of every leaf and every empty container of a JSON value."""
    children = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    if not children:
        yield path
    for key, child in children:
        yield from places(child, (*path, key))


def is_keyed(definition: dict[str, Any], path: tuple[str | int, ...]) -> bool:
    if path[:1] == ("externalParameters",) and any(
        path[1 : 1 + len(drop)] == drop for drop in manifests.UNKEYED_PARAMETERS
    ):
        return False
    if path[0] == "resolvedDependencies":
        role = definition["resolvedDependencies"][path[1]]["annotations"]["role"]
        return role not in manifests.UNKEYED_ROLES
    return True


def test_every_other_leaf_of_the_definition_is_in_the_key() -> None:
    definition = manifests.build_definition(INPUTS)
    key = manifests.build_key(definition)

    for path in places(definition):
        changed = copy.deepcopy(definition)
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        if path[-1] == "role":
            holder["role"] = "recipe-file" if is_keyed(definition, path) else "plugin"
            assert manifests.build_key(changed) != key, path
            continue
        holder[path[-1]] = "changed"
        assert (manifests.build_key(changed) != key) == is_keyed(definition, path), path


@given(st.permutations(DEPENDENCIES), st.permutations(ENVIRONMENT.packages))
def test_the_order_in_which_dependencies_were_found_means_nothing(dependencies: Any, packages: Any) -> None:
    build = replace(INPUTS, dependencies=dependencies, environment=replace(ENVIRONMENT, packages=tuple(packages)))

    assert manifests.build_definition(build) == manifests.build_definition(INPUTS)


@pytest.mark.slow
@given(CONFIGS, CONFIGS)
def test_two_configurations_share_a_key_exactly_if_they_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = digests.canonical_json(one) == digests.canonical_json(other)

    keys = [key_of(replace(INPUTS, resolved_config=config)) for config in (one, other)]

    assert (keys[0] == keys[1]) == same


@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_two_seeds_share_a_key_exactly_if_they_are_equal(one: int, other: int) -> None:
    keys = [key_of(replace(INPUTS, seeds={"recipe": seed})) for seed in (one, other)]

    assert (keys[0] == keys[1]) == (one == other)


@pytest.mark.parametrize("name", [field.name for field in fields(Environment)])
def test_every_fact_of_the_environment_is_in_the_key(name: str) -> None:
    nothing: Any = () if name == "packages" else {}

    assert key_of(replace(INPUTS, environment=replace(ENVIRONMENT, **{name: nothing}))) != key_of(INPUTS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53])
def test_a_number_that_json_cannot_carry_is_a_fault_of_the_recipe(value: float) -> None:
    with pytest.raises(InvalidRecipe, match="can't be recorded"):
        manifests.build_definition(replace(INPUTS, resolved_config={"x": value}))


# --- dependencies -------------------------------------------------------------------------------------------------


def test_a_pinned_input_becomes_a_dependency(tmp_path: Path) -> None:
    (tmp_path / "my model").mkdir()
    (tmp_path / "my model" / "x").write_text("12345")

    dependency = Dependency.of_input(inputs.pin("model-source", "model", "my model", tmp_path))

    assert dependency.uri == "file:my%20model"
    assert dependency.digest == {"dirHash1": digests.of_tree(tmp_path / "my model")}
    assert dependency.annotations == {"files": 1, "bytes": 5}


def test_a_path_of_this_machine_is_not_recorded(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")

    assert Dependency.of_input(inputs.pin("dataset", "x", str(tmp_path / "x"), tmp_path)).uri == ""


# --- writing and reading ------------------------------------------------------------------------------------------


@settings(max_examples=at_most(25))
@given(CONFIGS, st.integers(0, 2**64), st.dictionaries(st.text("ab", max_size=3), st.floats(0, 1e9), max_size=3))
def test_a_manifest_comes_back_as_it_was_written(config: dict[str, Any], seed: int, timings: dict[str, float]) -> None:
    manifest = small_manifest(replace(INPUTS, resolved_config=config, seeds={"recipe": seed}), timings_seconds=timings)

    assert manifests.parse(manifests.encode(manifest).decode()) == manifest


def test_files_and_results_are_read_off() -> None:
    manifest = small_manifest()

    assert manifests.recorded_files(manifest) == {name: (sha256, size) for name, sha256, size in (MODEL, RESULTS, LOG)}
    assert manifests.results(manifest)["verdict"] == "accepted"
    assert manifests.results(manifest)["buildKey"] == key_of(INPUTS)
    assert manifests.results(manifest)["sweep"] == {"id": "s1", "index": 3}


@pytest.mark.parametrize(
    "run",
    [
        {"verdict": "maybe"},
        {"metrics": {"x": float("nan")}},
        {"checks": [{"name": "x"}]},
        {"byproducts": [RESULTS]},
        {"byproducts": [MODEL]},
        {"byproducts": [Artifact("../x", "0" * 64, 1)]},
        {"byproducts": [Artifact("/etc/x", "0" * 64, 1)]},
        {"byproducts": [Artifact("manifest.json", "0" * 64, 1)]},
    ],
)
def test_a_manifest_that_breaks_its_own_rules_is_not_written(run: dict[str, Any]) -> None:
    with pytest.raises(InternalError, match="a manifest would be unreadable"):
        manifests.encode(small_manifest(**run))


def text_with(old: str, new: str) -> str:
    text = manifests.encode(small_manifest()).decode()
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"_type":', '"_type": 1, "_type":', "'_type' stands there twice"),
        ('"size": 3456', '"size": NaN', "NaN is not JSON"),
        ('"convert": 41.2', '"convert": 1e999', "1e999 is too large"),
        ("/build/v1", "/build/v2", "of version 2 and this recipekit reads version 1"),
        ('"name": "model.tflite"', '"name": "/abs/model.tflite"', "model.tflite"),
        ('"name": "model.tflite"', '"name": "a/../../model.tflite"', "model.tflite"),
        ('"name": "model.tflite"', '"name": "results.json"', "records 'results.json' twice"),
        ('"name": "logs/run.log"', '"name": "results.json"', "byproducts"),
        ('"verdict": "accepted"', '"verdict": "fine"', "fine"),
        ('"quantization": "int8"', '"quantization": "int16"', "configDigest is not that of resolvedConfig"),
        ('"version": "3.11.7"', '"version": "3.11.8"', "buildKey is not that of buildDefinition"),
        ('"TF_ENABLE_ONEDNN_OPTS"', '"AWS_SECRET_ACCESS_KEY"', "AWS_SECRET_ACCESS_KEY"),
        ('"file:models/m"', '"https://me:pw@example.invalid/m"', "uri"),
        ('"subject": [', '"subject": [], "extra": [', "extra"),
        ("{", "[", "not a valid manifest"),
        ("{", '{"extra": ' + "[" * 100_000, "not a valid manifest"),
        ("{", "\ufeff{", "BOM"),
        ('"seed": 7', '"seed": 9007199254740993', "not a valid manifest"),
    ],
)
def test_a_manifest_that_was_tampered_with_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(OutputAltered, match="is not a valid manifest") as caught:
        manifests.parse(text_with(old, new))

    assert message in caught.value.what
    assert caught.value.exit_code == 6


@given(JSON)
def test_strict_json_reads_what_was_written(value: Any) -> None:
    assert manifests.strict_json(json.dumps(value)) == value


@given(CONFIGS.filter(bool), st.data())
def test_strict_json_refuses_a_key_that_stands_there_twice_at_any_depth(
    config: dict[str, Any], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(config)))
    entries = [*((name, value) for name, value in config.items()), (key, data.draw(JSON))]
    text = "{" + ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in entries) + "}"
    for _ in range(data.draw(st.integers(0, 3))):
        text = data.draw(st.sampled_from([f"[{text}]", f'{{"x": {text}}}']))
    with pytest.raises(ValueError, match="stands there twice"):
        manifests.strict_json(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "[-1e999]"])
def test_strict_json_refuses_what_is_no_number_of_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not JSON|is too large a number"):
        manifests.strict_json(text)


@pytest.mark.parametrize("text", ["", "null", "[]", "1", '"x"', "{}", "{"])
def test_what_is_no_manifest_at_all_is_refused(text: str) -> None:
    with pytest.raises(OutputAltered):
        manifests.parse(text)


def test_a_folder_without_a_manifest_or_with_junk_is_altered(tmp_path: Path) -> None:
    with pytest.raises(OutputAltered, match=r"has no manifest\.json"):
        manifests.read(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe")
    with pytest.raises(OutputAltered, match="is not UTF-8"):
        manifests.read(tmp_path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_a_manifest_that_is_no_regular_file_is_altered_and_not_opened(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "manifest.json")

    with pytest.raises(OutputAltered, match="is not a regular file"):
        manifests.read(tmp_path)


def test_a_manifest_that_cannot_be_read_is_a_fault_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")

    with pytest.raises(OutputFault) as caught:
        manifests.read(tmp_path / "output")

    assert caught.value.where == str(tmp_path / "output" / "manifest.json")
