"""docs/sources.md keeps its word: a whole run for every stanza, in the project that the page speaks of."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from recipekit import registry
from recipekit.digests import of_file
from recipekit.errors import SourceError
from recipekit.pool import Pool
from tests.built_models import built_once
from tests.e2e.conftest import run_here
from tests.pages import blocks, page

pytestmark = pytest.mark.tensorflow

BLOCKS = [*map(yaml.safe_load, blocks(page("sources.md"), "yaml"))]
STANZAS: dict[str, dict[str, Any]] = {block["kind"]: block for block in BLOCKS if "kind" in block}
SECTIONS: list[dict[str, Any]] = [block for block in BLOCKS if "source" in block]
INPUTS = {"frozen_graph": {"feed/x": [8]}, "keras_application": {"input_layer": [32, 32, 3]}}
WEIGHTS = "models/mobilenet.weights.h5"


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built_once("documented_sources", tmp_path_factory), tmp_path / "project"))


def write_recipe(project: Path, source: dict[str, Any]) -> None:
    engine = "ai_edge_quantizer" if source["kind"] == "tflite" else "tflite_converter"
    inputs = INPUTS.get(source["kind"], {"x": [8]})
    recipe = {
        "name": "documented",
        "version": "1.0.0",
        "source": source,
        "converter": {"engine": engine, "quantization": "none"},
        "evaluation": {
            "dataset": {"plugin": "random", "allow_random": True, "inputs": inputs, "samples": 4},
            "benchmark": None,
        },
        "acceptance": {"parity": {"sqnr_db": {"min": 90}}},
    }
    write(project, recipe)


def write(project: Path, recipe: dict[str, Any]) -> None:
    (project / "recipes").mkdir(exist_ok=True)
    (project / "recipes" / "documented.yaml").write_text(f"# @package _global_\n{yaml.safe_dump(recipe)}")


def test_every_kind_has_its_stanza() -> None:
    assert tuple(sorted(STANZAS)) == registry.names("sources")


@pytest.mark.parametrize("kind", STANZAS)
def test_a_stanza_is_a_model_that_converts(project: Path, pool: Pool, kind: str) -> None:
    write_recipe(project, STANZAS[kind])
    outcome = run_here(project, pool, "recipe=documented")
    assert (outcome.status, outcome.exit_code) == ("accepted", 0)
    assert outcome.measurement is not None
    assert min(parity.sqnr_db for parity in outcome.measurement.parity.values()) > 90


def test_the_sections_for_several_signatures_are_a_recipe_that_is_accepted(project: Path, pool: Pool) -> None:
    (sections,) = SECTIONS
    write(project, {"name": "documented", "version": "1.0.0", **sections})
    outcome = run_here(project, pool, "recipe=documented")
    assert [check.name for check in outcome.checks if check.verdict != "pass"] == []
    assert (outcome.status, outcome.exit_code) == ("accepted", 0)
    assert outcome.measurement is not None
    assert outcome.measurement.parity.keys() == {"encode/embedding", "decode/y"}
    assert outcome.measurement.task.keys() == {"decode/mae"}


def test_a_weights_file_is_an_input_that_can_be_pinned(project: Path, pool: Pool) -> None:
    stanza = STANZAS["keras_application"]
    write_recipe(project, {**stanza, "sha256": "0" * 64})
    with pytest.raises(SourceError, match="is not the source that the recipe pins"):
        run_here(project, pool, "recipe=documented")
    write_recipe(project, {**stanza, "sha256": of_file(project / WEIGHTS)})
    output = Path(run_here(project, pool, "recipe=documented").output)
    manifest = (output / "manifest.json").read_text()
    assert of_file(project / WEIGHTS) in manifest
    assert f"file:{WEIGHTS}" in manifest
