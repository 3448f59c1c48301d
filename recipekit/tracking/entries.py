"""What MLflow gets to know of an output: parameters, metrics and tags, within MLflow's limits.

It reads an output's own files and knows no MLflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from recipekit import manifest as manifests
from recipekit.explanation import leaves
from recipekit.exports.published import Published

BUILD_KEY = "recipekit.build_key"
"""The tag by which a run is found again."""

FILES = (manifests.MODEL, manifests.REPORT, manifests.RESULTS, manifests.FILE, manifests.RECIPE)
"""The artifacts."""

_KEY_LENGTH = 250
_VALUE_LENGTH = 6000
_NOT_IN_KEYS = re.compile(r"[^/\w.\- ]")
_PACKAGES = ("tensorflow", "keras", "tf-keras", "ai-edge-litert", "ai-edge-quantizer", "numpy")


class Entries(NamedTuple):
    """One output's parameters, metrics and tags, keys and values as MLflow takes them."""

    name: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def entries_of(folder: Path) -> Entries:
    """Reads an output.

    Raises:
        OutputAltered: its manifest isn't whole.
        OSError: a file can't be read.
    """
    results = msgspec.json.decode((folder / manifests.RESULTS).read_bytes())
    output = Published(manifests.read(folder), results)
    return Entries(
        name=f"{output.name} {output.version} {output.build_key[:12]}",
        parameters=_unique((path, _text(value)) for path, value in leaves(output.config)),
        metrics=_unique(_metrics(output)),
        tags=_unique(_tags(output)),
    )


def _metrics(output: Published) -> Iterator[tuple[str, float]]:
    measured = output.measurement
    yield "size.bytes", float(measured.size)
    yield "size.ratio", measured.size_ratio
    for score in output.scores():
        section = "task" if score.of == "task" else f"parity.{score.of}"
        yield f"{section}.{score.name}", score.estimate.value
        if score.float_value is not None:
            yield f"{section}.{score.name}_float", score.float_value
    for prefix, latency in (("latency", measured.latency), ("latency_float32", measured.float32_latency)):
        if latency is not None:
            yield from ((f"{prefix}.{name}", getattr(latency, name)) for name in latency.__struct_fields__)
    yield from ((f"check.{check.name}.margin", check.margin) for check in output.checks if check.margin is not None)


def _tags(output: Published) -> Iterator[tuple[str, str]]:
    yield BUILD_KEY, output.build_key
    yield "recipekit.verdict", output.verdict
    yield "recipekit.recipe", output.name
    yield "recipekit.recipe_version", output.version
    yield "recipekit.quantization", output.quantization
    yield "recipekit.model_sha256", output.model[1]
    if output.description:
        yield "mlflow.note.content", output.description
    for entry in output.dependencies("recipe-repo"):
        yield "mlflow.source.git.commit", entry["digest"]["gitCommit"]
        yield "recipekit.git_dirty", str(bool(entry["annotations"].get("dirty"))).lower()
    yield "recipekit.version", output.definition["internalParameters"]["recipekit"]["version"]
    for entry in output.dependencies("package"):
        if entry["name"] in _PACKAGES:
            yield f"version.{entry['name']}", unquote(entry["uri"].rpartition("@")[2])


def _unique(entries: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    """Entries by keys that MLflow takes; of two that become the same, the later one gets a number."""
    found: dict[str, Any] = {}
    for path, value in entries:
        key = _key(path)
        number = 1
        while key in found:
            number += 1
            key = f"{_key(path)[: _KEY_LENGTH - 8]}_{number}"
        found[key] = value
    return found


def _key(path: str) -> str:
    """A key path with nothing in it that MLflow refuses, nor that reads as a way through folders."""
    words = [_NOT_IN_KEYS.sub("_", word) for word in path.split("/")]
    plain = [word if word.strip(".") else "_" for word in words]
    key = "/".join(plain)
    return key if len(key) <= _KEY_LENGTH else f"{key[: _KEY_LENGTH - 1]}_"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"
