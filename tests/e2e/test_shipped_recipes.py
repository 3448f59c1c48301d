"""The shipped recipes run as they stand, and each meets its own bounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2

from recipekit import manifest
from recipekit.outputs import differences
from tests.e2e.conftest import ROOT, recipekit

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("mobilenet_*.yaml") if path.stem != "mobilenet_schemes")


@pytest.fixture(scope="module")
def outputs(shipped: Path) -> Path:
    """All outputs of one sweep over the shipped recipes, those with a sweep of their own left out."""
    done = recipekit(shipped, ["run", "-m", "recipe=glob(mobilenet_*, exclude=mobilenet_schemes)"])
    assert done.returncode == 0, done.stdout + done.stderr
    return shipped / "outputs"


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_shipped_recipe_is_accepted_and_its_output_is_whole(recipe: str, outputs: Path) -> None:
    output = (outputs / recipe / "latest").resolve()
    recorded = manifest.read(output)
    assert manifest.results(recorded)["verdict"] == "accepted"
    assert differences(output, recorded) == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_manifest_parses_strictly_as_in_toto_statement_and_slsa_provenance(recipe: str, outputs: Path) -> None:
    text = (outputs / recipe / "latest" / "manifest.json").read_text()
    document = json.loads(text)
    json_format.Parse(text, statement_pb2.Statement(), ignore_unknown_fields=False)
    json_format.ParseDict(document["predicate"], provenance_pb2.Provenance(), ignore_unknown_fields=False)


def test_calibration_and_evaluation_share_no_sample(outputs: Path) -> None:
    folder = outputs / "mobilenet_int8" / "latest"

    def pixels(name: str) -> set[str]:
        lines = (folder / f"{name}.samples.jsonl").read_text().splitlines()
        return {json.loads(line)["tensors"]["image"]["sha256"] for line in lines}

    assert len(pixels("calibration")) == 200
    assert len(pixels("evaluation")) == 500
    assert not pixels("calibration") & pixels("evaluation")


def test_recipes_that_differ_only_in_name_and_types_of_io_share_their_float32_yardstick(outputs: Path) -> None:
    sizes = {
        json.loads((outputs / recipe / "latest" / "results.json").read_text())["measurement"]["float32_size"]
        for recipe in RECIPES
    }
    assert len(sizes) == 1
