"""Every component of a build definition that differs is named once, the author's own choices first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recipekit import manifest
from recipekit.audit.difference_inputs import GROUPS, compare_configurations, compare_definitions, leaves
from recipekit.environment import Package
from recipekit.manifest import BuildInputs, Dependency, Toolchain
from tests.small_builds import DEPENDENCIES, ENVIRONMENT, INPUTS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
CONFIGS = st.dictionaries(st.sampled_from(["seed", "source", "converter", "acceptance"]), VALUES, max_size=4)


def compared(other: BuildInputs) -> list[tuple[str, str]]:
    """Group and name of every difference from the small build's inputs."""
    a, b = manifest.build_definition(INPUTS), manifest.build_definition(other)
    return [(change.group, change.name) for change in compare_definitions(a, b, {}, {})]


def with_packages(*packages: Package) -> BuildInputs:
    return replace(INPUTS, environment=replace(ENVIRONMENT, packages=packages))


def test_equal_definitions_have_no_difference() -> None:
    assert compared(INPUTS) == []


def test_each_component_has_its_group() -> None:
    assert compared(replace(INPUTS, dependencies=DEPENDENCIES[:2])) == [("source", "model"), ("samples", "digits")]
    facts = {"python": "3.12.1", "platform": "arm64", "variable": "1"}
    environment = replace(
        ENVIRONMENT,
        python={**ENVIRONMENT.python, "version": facts["python"]},
        platform={**ENVIRONMENT.platform, "machine": facts["platform"]},
        variables={"TF_ENABLE_ONEDNN_OPTS": facts["variable"]},
        recipekit={"version": "0.1.0", "sourceDigest": "8" * 64},
    )
    assert compared(replace(INPUTS, environment=environment)) == [
        ("recipekit", "sourceDigest"),
        ("python", "version"),
        ("platform", "machine"),
        ("variable", "TF_ENABLE_ONEDNN_OPTS"),
    ]
    assert compared(replace(INPUTS, overrides=())) == [("unkeyed", "overrides")]


def test_code_of_the_project_counts_by_its_digest() -> None:
    layer = Dependency("custom-layer", "layers.py", {"sha256": "8" * 64})
    plugin = Dependency("plugin", "layers.py", {"sha256": "8" * 64})
    assert compared(replace(INPUTS, dependencies=(*DEPENDENCIES, layer, plugin))) == [("code", "layers.py")] * 2


def test_packages_are_ordered_by_how_far_their_versions_are_apart() -> None:
    tensorflow, numpy = ENVIRONMENT.packages
    other = with_packages(
        replace_version(tensorflow, "2.22.0"),
        replace_version(numpy, "3.0.0"),
        Package("rich", "1.0", "4" * 64, "RECORD"),
    )
    assert compared(other) == [("package", "numpy"), ("package", "rich"), ("package", "tensorflow")]
    assert compared(with_packages(tensorflow, replace(numpy, digest="8" * 64))) == [("package", "numpy")]


def replace_version(package: Package, version: str) -> Package:
    return replace(package, version=version)


def test_what_judges_comes_behind_what_converts() -> None:
    a = {"converter": {"quantization": "int8"}, "acceptance": {"size": {"bytes": {"max": 1}}}, "name": "x"}
    b = {"converter": {"quantization": "none"}, "acceptance": {"size": {"bytes": {"max": 2}}}, "name": "y"}
    changes = compare_configurations(a, b, {("converter", "quantization"): "recipes/x.yaml:3"}, {})
    assert [(change.group, change.name) for change in changes] == [
        ("configuration", "converter.quantization"),
        ("judgement", "name"),
        ("judgement", "acceptance.size.bytes.max"),
    ]
    assert (changes[0].a_origin, changes[0].b_origin) == ("recipes/x.yaml:3", "")


def test_flags_that_repeat_the_configuration_are_not_said_again() -> None:
    def build(quantization: str, flag: str) -> dict[str, Any]:
        toolchain = Toolchain("tf.lite.TFLiteConverter", {"quantization": quantization, "flag": flag}, {}, {})
        config = {"converter": {"quantization": quantization}}
        return manifest.build_definition(replace(INPUTS, resolved_config=config, toolchain=toolchain))

    changes = compare_definitions(build("int8", "x"), build("none", "y"), {}, {})
    assert [(change.group, change.name) for change in changes] == [
        ("configuration", "converter.quantization"),
        ("toolchain", "flags.flag"),
    ]


@given(CONFIGS, CONFIGS)
def test_the_changes_are_exactly_the_keys_that_are_not_equal(a: dict[str, Any], b: dict[str, Any]) -> None:
    changes = compare_configurations(a, b, {}, {})
    first, second = dict(leaves(a)), dict(leaves(b))
    equal = {path for path in first.keys() & second.keys() if first[path] == second[path]}
    assert sorted(change.name for change in changes) == sorted(
        ".".join(path) for path in (first.keys() | second.keys()) - equal
    )
    ranks = [(GROUPS.index(change.group), -change.weight) for change in changes]
    assert ranks == sorted(ranks)


@given(CONFIGS, CONFIGS)
def test_the_other_way_round_gives_the_same_changes_turned_round(a: dict[str, Any], b: dict[str, Any]) -> None:
    there, back = compare_configurations(a, b, {}, {}), compare_configurations(b, a, {}, {})
    assert [(it.group, it.name, it.a, it.b, it.weight) for it in there] == [
        (it.group, it.name, it.b, it.a, it.weight) for it in back
    ]
