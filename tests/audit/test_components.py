from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from recipekit import manifest
from recipekit.audit.components import compared, environment_of, facts_of, level, parts_of
from tests.small_builds import ENVIRONMENT, INPUTS
from tests.test_manifest import is_keyed, places

DEFINITION = manifest.build_definition(INPUTS)


def different(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The changes of each part that differs."""
    return {part.name: part.changes for part in compared(parts_of(one), parts_of(other)) if not part.same}


def test_a_definition_is_its_own_equal_and_promises_equal_bytes() -> None:
    assert different(DEFINITION, copy.deepcopy(DEFINITION)) == {}
    assert level(compared(parts_of(DEFINITION), parts_of(DEFINITION))) == 1


def test_every_leaf_of_the_build_key_is_in_a_component_that_says_what_changed() -> None:
    for path in places(DEFINITION):
        if not is_keyed(DEFINITION, path) or path == ("buildType",) or path[-1] in {"role", "configDigest"}:
            continue  # a role decides which part it is; the digest follows from the configuration
        changed = copy.deepcopy(DEFINITION)
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        if holder[path[-1]] == 200:
            continue  # how many samples there are stands in their digest
        holder[path[-1]] = ["changed"] if holder[path[-1]] == [] else "changed"
        assert any(different(DEFINITION, changed).values()), path


def test_the_environment_of_a_definition_is_that_of_its_facts() -> None:
    assert environment_of(DEFINITION) == facts_of(ENVIRONMENT)


@pytest.mark.parametrize(
    ("change", "promised", "said"),
    [
        ({"platform": {**ENVIRONMENT.platform, "cpuFeatures": ["avx2"]}}, 2, "cpuFeatures: -fma"),
        ({"platform": {**ENVIRONMENT.platform, "machine": "aarch64"}}, 2, "machine: x86_64 recorded, aarch64 now"),
        ({"python": {**ENVIRONMENT.python, "version": "3.12.1"}}, 3, "version: 3.11.7 recorded, 3.12.1 now"),
        ({"recipekit": {**ENVIRONMENT.recipekit, "sourceDigest": "e" * 64}}, 3, "sourceDigest: 1"),
        ({"packages": ENVIRONMENT.packages[:1]}, 3, "numpy: 2.4.6 (METADATA 333333333333) recorded, nothing now"),
        ({"variables": {}}, 1, "TF_ENABLE_ONEDNN_OPTS: 0 recorded, nothing now"),
    ],
)
def test_what_is_promised_depends_on_what_is_different(change: dict[str, Any], promised: int, said: str) -> None:
    parts = compared(environment_of(DEFINITION), facts_of(replace(ENVIRONMENT, **change)))

    assert level(parts) == promised
    (found,) = [part for part in parts if not part.same]
    assert found.changes[0].startswith(said)
