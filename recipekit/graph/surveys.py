"""The first reading of a dataset, which is found again only where nothing but known files decides what it gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from recipekit import extras
from recipekit.build import dataset_code
from recipekit.contracts import SURVEY, DatasetSpec, SurveyRequest
from recipekit.graph.node import Node
from recipekit.inputs import status_digest
from recipekit.surroundings import Surroundings

_DECLARED_FILES: dict[str, tuple[str, ...]] = {
    "npz": ("path",),
    "image_folder": ("path", "labels"),
    "csv": ("path",),
    "digits": (),
    "random": (),
    "numpy_folder": ("path", "labels"),
    "wav_folder": ("path", "labels"),
    "tfrecord": ("path",),
    "tfds": ("data_dir",),
    "huggingface": ("path",),
}
"""Datasets that read nothing but what these parameters name, and what installed packages bring."""

_HOSTED = frozenset({"tfds", "huggingface"})
"""Datasets that may lie in a folder of their library instead."""

_WILDCARDS = frozenset("*?[")


def file_parameters(plugin: str) -> tuple[str, ...]:
    """The parameters of a dataset that name files; of a plugin that isn't recipekit's own, `path`."""
    return _DECLARED_FILES.get(plugin, ("path",))


def survey(label: str, dataset: DatasetSpec, section: str, surroundings: Surroundings) -> Node:
    """The stage that reads a dataset.

    Args:
        label: `calibration` or `evaluation`.
        dataset: what is read.
        section: the recipe's key of it.
        surroundings: of the build.
    """
    inputs = _inputs(dataset, surroundings)
    return Node(
        alias=f"survey-{label}",
        stage=SURVEY,
        inputs=inputs,
        surroundings=surroundings,
        request=lambda _: SurveyRequest(dataset=dataset),
        note=lambda read: f"{read.count} {label} samples of {dataset.plugin}",
        dataset=section,
        fresh=lambda: _inputs(dataset, surroundings) == inputs,
    )


def _inputs(dataset: DatasetSpec, surroundings: Surroundings) -> dict[str, Any] | None:
    """What decides which samples a dataset gives; None where its code, or a file of it, may do as it likes."""
    if dataset.signatures is not UNSET:
        parts = {key: _inputs(part, surroundings) for key, part in dataset.signatures.items()}
        return None if None in parts.values() else {"signatures": [[key, part] for key, part in parts.items()]}
    if dataset.plugin not in _DECLARED_FILES or list(dataset_code(dataset)):
        return None
    if dataset.plugin in _HOSTED and dataset.params.get(_DECLARED_FILES[dataset.plugin][0]) is None:
        return None
    declared = msgspec.to_builtins(dataset)
    del declared["project_root"]
    files = {}
    for name in _DECLARED_FILES[dataset.plugin]:
        if dataset.params.get(name) is not None:
            place = Path(dataset.project_root, dataset.params[name])
            files[name] = {"place": str(place), "status": status_digest(_watched(place))}
            if files[name]["status"] is None:
                return None
            declared["params"] = {key: value for key, value in declared["params"].items() if key != name}
    packages = surroundings.packages_of(extras.of_dataset(dataset))
    return {"dataset": declared, "files": files, **({"packages": packages} if packages else {})}


def _watched(place: Path) -> Path:
    """What is looked at: the file or folder, or the folder that a pattern chooses files of."""
    return place.parent if _WILDCARDS & {*place.name} else place
