"""The project that docs/artifacts.md speaks of: a float `.tflite` that is quantized without TensorFlow."""

from __future__ import annotations

import importlib.util
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.models.built_flatbuffers import classifier

HAS_VELA = "vela" in metadata("recipekit").get_all("Provides-Extra", ()) and importlib.util.find_spec("ethosu")

needs_vela = pytest.mark.skipif(not HAS_VELA, reason="recipekit isn't installed here with its extra 'vela'")


def write_project(root: Path, **sections: Any) -> None:
    """Writes model, samples, labels and the recipe `keyword`, with some of its sections replaced."""
    for folder in ("models", "data", "recipes"):
        (root / folder).mkdir(parents=True)
    (root / "models" / "keyword.tflite").write_bytes(classifier())
    draw = np.random.default_rng(1)
    np.savez(root / "data" / "samples.npz", x=draw.normal(size=(120, 64)).astype(np.float32))
    (root / "data" / "labels.txt").write_text("".join(f"word{number}\n" for number in range(8)))
    dataset = {"plugin": "npz", "path": "data/samples.npz"}
    recipe = {
        "name": "keyword",
        "version": "1.0.0",
        "source": {"kind": "tflite", "path": "models/keyword.tflite"},
        "representative_dataset": dataset,
        "converter": {
            "engine": "ai_edge_quantizer",
            "quantization": "int8",
            "input_type": "int8",
            "output_type": "int8",
        },
        "evaluation": {"dataset": dataset, "benchmark": None},
        "acceptance": {"parity": {"sqnr_db": {"min": 10}}},
        **sections,
    }
    (root / "recipes" / "keyword.yaml").write_text(f"# @package _global_\n{yaml.safe_dump(recipe)}")
