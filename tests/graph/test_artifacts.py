from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recipekit import environment
from recipekit.build import pin_inputs
from recipekit.contracts import Flatbuffer, Signature
from recipekit.environment import Package
from recipekit.errors import DatasetError, EnvironmentFault, SourceError
from tests.graph.conftest import SmallProject

ALL: dict[str, Any] = {
    "c_array": True,
    "labels": "labels.txt",
    "golden_vectors": 1,
    "vela": {
        "accelerator": "ethos-u55-128",
        "config": "board.ini",
        "system_config": "Mine",
        "memory_mode": "Sram_Only",
    },
}


@pytest.fixture
def asked(small: SmallProject) -> SmallProject:
    small.write("labels.txt", b"a\nb\n")
    small.write("board.ini", b"[System_Config.Mine]\n")
    small.recipe["artifacts"] = ALL
    install(small, "5.2.0")
    return small


def install(small: SmallProject, version: str) -> None:
    package = Package("ethos-u-vela", version, "7" * 64, "RECORD")
    small.surroundings._extras[frozenset({"vela"})] = (package,)


def keys(small: SmallProject, candidate: str = "f" * 64) -> dict[str, str]:
    _, graph, _ = small._graph()
    signatures = {"serving_default": Signature(inputs=(), outputs=())}
    nodes = graph.artifacts.of(signatures, Flatbuffer(path="", sha256=candidate, size=1))
    return {node.label: node.key for node in nodes}


def changed_by(small: SmallProject, change: Callable[[], object], **now: str) -> set[str]:
    before = keys(small)
    change()
    after = keys(small, **now)
    assert before.keys() == after.keys()
    return {label for label, key in before.items() if after[label] != key}


def artifacts(small: SmallProject, **changes: Any) -> Callable[[], None]:
    return lambda: small.recipe.update(artifacts={**ALL, **changes})


def test_nothing_is_made_where_nothing_is_asked_for(small: SmallProject) -> None:
    assert keys(small) == {}
    small.recipe["artifacts"] = {"c_array": True}
    assert keys(small) == {}


def test_another_candidate_is_compiled_and_run_anew(asked: SmallProject) -> None:
    assert keys(asked).keys() == {"golden_vectors", "vela"}
    assert changed_by(asked, lambda: None, candidate="0" * 64) == {"golden_vectors", "vela"}


def test_each_stage_depends_on_its_own_options_alone(asked: SmallProject) -> None:
    others = {"evaluation-samples": "0" * 64}
    assert changed_by(asked, lambda: asked.samples.update(others)) == {"golden_vectors"}
    smaller = {**ALL["vela"], "optimise": "Size"}
    assert changed_by(asked, artifacts(asked, vela=smaller)) == {"vela"}
    assert changed_by(asked, artifacts(asked)) == {"vela"}
    assert changed_by(asked, artifacts(asked, c_array=False, labels=None)) == set()


def test_thresholds_decide_nothing(asked: SmallProject) -> None:
    bound = {"target": {"sram_kib": {"max": 1}}}
    assert changed_by(asked, lambda: asked.recipe.update(acceptance=bound)) == set()


def test_the_content_of_the_configuration_and_the_compiler_s_version_count(asked: SmallProject) -> None:
    assert changed_by(asked, lambda: asked.write("board.ini", b"[System_Config.Mine]\ncore_clock=1\n")) == {"vela"}
    assert changed_by(asked, lambda: install(asked, "5.3.0")) == {"vela"}


def test_files_of_artifacts_are_pinned(asked: SmallProject) -> None:
    pinned = {entry.name for entry in pin_inputs(asked.job(), asked.surroundings)}
    assert {"labels.txt", "board.ini"} <= pinned
    (asked.root / "labels.txt").unlink()
    with pytest.raises(SourceError, match=r"labels.txt .*: does not exist"):
        pin_inputs(asked.job(), asked.surroundings)


def test_more_vectors_than_samples_are_refused(asked: SmallProject) -> None:
    artifacts(asked, golden_vectors=2)()
    with pytest.raises(DatasetError, match="has 1 samples, and 2 golden vectors are asked for"):
        keys(asked)


def test_a_missing_compiler_is_told_before_anything_runs(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "packages_of", lambda _: ())
    small.recipe["artifacts"] = {"vela": {"accelerator": "ethos-u55-128"}}
    with pytest.raises(EnvironmentFault) as caught:
        pin_inputs(small.job(), small.surroundings)
    assert caught.value.fix == "pip install 'recipekit[vela]'"
