"""The ML-BOM is valid by its published schema, complete, and the same for the same output."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from recipekit import digests
from recipekit.audit.recorded import read_recorded
from recipekit.exports import Published, ml_bom
from recipekit.manifest import Dependency
from tests.published_outputs import Output, publish
from tests.small_builds import DEPENDENCIES, INPUTS

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "bom.json"

EVERYTHING = replace(
    INPUTS,
    dependencies=(
        *DEPENDENCIES,
        Dependency("custom-layer", "layers.py", {"sha256": "8" * 64}, "file:layers.py"),
        Dependency("plugin", "tools:read", {"dirHash1": "9" * 64}),
        Dependency("dataset", "labels of 'dogs' & cats.txt", {"sha256": "a" * 64}),
        Dependency.of_samples("evaluation-samples", "evaluation", "e" * 64, 100),
        Dependency("recipe-repo", "recipe-repo", {"gitCommit": "b" * 40}, "git+https://example.invalid/r.git"),
    ),
)


USUAL = Output()


def bom(root: Path, output: Output = USUAL) -> dict[str, Any]:
    return ml_bom(Published(*read_recorded(publish(root, output))))


def published_schema(name: str) -> dict[str, Any]:
    """A schema of CycloneDX's, as its Python library brings it."""
    path = files("cyclonedx.schema") / "_res" / name.removeprefix("http://cyclonedx.org/schema/")
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


def faults(document: dict[str, Any]) -> list[str]:
    """What is wrong with a document by version 1.6 of the schema."""
    schema = published_schema("bom-1.6.SNAPSHOT.schema.json")
    validator = jsonschema_rs.Draft7Validator(schema, retriever=published_schema, validate_formats=True)
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize(
    "output",
    [Output(), replace(Output(), measured=False, checks=()), replace(Output(), inputs=EVERYTHING)],
    ids=["usual", "not run", "everything"],
)
def test_a_document_is_valid_by_the_published_schema(tmp_path: Path, output: Output) -> None:
    document = bom(tmp_path, output)
    assert faults(document) == []
    misspelt = {**document, "externalReferences": [{"type": "vcs", "url": "https://a host/"}]}
    assert "https://a host/" in faults(misspelt)[0], "addresses are looked at, too"


def test_every_reference_leads_to_a_component(tmp_path: Path) -> None:
    document = bom(tmp_path, replace(Output(), inputs=EVERYTHING))
    references = [component["bom-ref"] for component in document["components"]]
    assert len(set(references)) == len(references)
    (card,) = (document["metadata"]["component"]["modelCard"],)
    used = {entry["ref"] for entry in card["modelParameters"]["datasets"]}
    used |= {entry["ref"] for entry in document["dependencies"]} - {"model"}
    (workflow,) = document["formulation"][0]["workflows"]
    used |= {entry["resource"]["ref"] for entry in workflow["inputs"]}
    assert used == set(references)


def test_packages_have_purls_and_samples_are_data(tmp_path: Path) -> None:
    parts = {part["bom-ref"]: part for part in bom(tmp_path)["components"]}
    tensorflow = parts["package:tensorflow"]
    assert tensorflow["purl"].startswith("pkg:pypi/tensorflow@2.21.0")
    assert tensorflow["hashes"] == [{"alg": "SHA-256", "content": "2" * 64}]
    assert {"name": "recipekit:hashOf", "value": "RECORD"} in tensorflow["properties"]
    assert parts["calibration-samples:digits"]["type"] == "data"
    assert parts["model-source:model"]["type"] == "machine-learning-model"


def test_the_model_has_the_digest_of_its_file_and_its_metrics_with_intervals(tmp_path: Path) -> None:
    model = bom(tmp_path)["metadata"]["component"]
    (file,) = tmp_path.glob("*/*/*/model.tflite")
    assert model["hashes"] == [{"alg": "SHA-256", "content": digests.of_file(file)}]
    metrics = {it["type"]: it for it in model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]}
    assert metrics["top1_accuracy"]["value"] == "0.96"
    low, high = metrics["top1_accuracy"]["confidenceInterval"].values()
    assert float(low) < 0.96 < float(high)
    limits = model["modelCard"]["considerations"]["technicalLimitations"]
    assert limits == ["check task.top1_accuracy.max_drop: inconclusive"]


def test_a_document_is_that_of_the_golden_file(tmp_path: Path, update_goldens: bool) -> None:
    text = digests.pretty_json(bom(tmp_path))
    if update_goldens:
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
