"""One job in a small project on disk, and how to make it again with something changed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recipekit import environment, inputs
from recipekit.build import Job, pin_inputs
from recipekit.contracts import Flatbuffer, SampleSet, Signature
from recipekit.graph import Graph, Node, load_stage
from recipekit.recipe import parse
from recipekit.surroundings import Surroundings
from tests.recipe_projects import write_project
from tests.small_builds import ENVIRONMENT

RECIPE: dict[str, Any] = {
    "name": "small",
    "version": "1.0.0",
    "source": {"kind": "keras", "path": "model.keras"},
    "custom_layers": {"modules": ["layers.py"]},
    "representative_dataset": {"plugin": "npz", "path": "calibration.npz"},
    "converter": {"quantization": "int8"},
    "evaluation": {"dataset": {"plugin": "npz", "path": "test.npz"}, "metrics": {"top1_accuracy": {}}},
}

INSTALLED = {
    name: cache(getattr(environment, name))
    for name in ("required_by", "plugin_distributions", "source_digest", "packages_of")
}
"""What is asked of the installation, which stays as it is: looked for once, not once a look at the stages."""


class SmallProject:
    """A project whose files may be changed between two looks at its stages."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recipe = deepcopy(RECIPE)
        self.converted: Flatbuffer | None = None
        self.loops: tuple[str, ...] = ()
        self.samples = {"calibration-samples": "c" * 64, "evaluation-samples": "e" * 64}
        self.surroundings = Surroundings(root)
        self.surroundings.__dict__["environment"] = ENVIRONMENT
        self.project = write_project(root, {"small.yaml": "name: small"})
        for name in ("model.keras", "layers.py", "calibration.npz", "test.npz"):
            self.write(name, b"1")

    def write(self, name: str, content: bytes) -> None:
        (self.root / name).write_bytes(content)

    def job(self) -> Job:
        recipe = parse(self.recipe, self.root, lambda _: "")
        file = self.project.recipes / "small.yaml"
        return Job(self.project, recipe, "small", (), file, (file,))

    def stages(self) -> dict[str, Node]:
        """Every stage behind the measured candidate, by label."""
        job, graph, _ = self._graph()
        # No stage runs here: a key stands for the digest of what its stage would give.
        candidate, float32 = (
            self.converted or Flatbuffer(path="", sha256=node.key, size=1) for node in (graph.candidate, graph.float32)
        )
        signatures = {"serving_default": Signature(inputs=(), outputs=())}
        measure = graph.measure(signatures, candidate, float32)
        spec = job.recipe.evaluation.benchmark
        benchmark = None
        if spec is not None and graph.evaluation is not None:
            benchmark = graph.evaluation.benchmark(signatures, candidate, float32, spec)
        found: dict[str, Node] = {}

        def walk(node: Node) -> None:
            found[node.label] = node
            for need in node.needs:
                walk(need)

        for node in filter(None, (graph.candidate, graph.float32, measure, benchmark)):
            walk(node)
        return found

    def figures(self) -> dict[str, str]:
        """Keys of the stages behind the figures of the report, by label."""
        _, graph, samples = self._graph()
        stages = self.stages()
        candidate = Flatbuffer(path="", sha256=stages["quantize"].key, size=1)
        float32 = Flatbuffer(path="", sha256=stages["lower"].key, size=1)
        drawing = graph.drawing({"serving_default": Signature(inputs=(), outputs=())}, candidate, float32)
        probe = drawing.probe(samples["evaluation-samples"])
        illustrate = drawing.illustrate(stages["measure"], stages.get("benchmark"), probe)
        return {"probe": probe.key, "illustrate": illustrate.key}

    def curve(self) -> Node:
        """The stage that shows how ranges settle."""
        job, graph, samples = self._graph()
        assert job.recipe.calibration is not None
        return graph.curve(samples["calibration-samples"], job.recipe.calibration)

    def _graph(self) -> tuple[Job, Graph, dict[str, SampleSet]]:
        job = self.job()
        pinned = pin_inputs(job, self.surroundings)
        samples = {
            role: SampleSet(path="", sha256=sha256, count=1, labelled=True) for role, sha256 in self.samples.items()
        }
        load = load_stage(job, pinned, self.surroundings)
        return job, Graph(job, pinned, self.surroundings, load, samples, self.loops), samples

    def keys(self) -> dict[str, str]:
        return {label: node.key for label, node in self.stages().items()}

    def changed_by(self, change: Callable[[SmallProject], object]) -> set[str]:
        """Labels of the stages whose keys a change changes."""
        before = self.keys()
        change(self)
        after = self.keys()
        return {label for label in before.keys() | after.keys() if before.get(label) != after.get(label)}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    monkeypatch.setattr(inputs, "_SETTLED_NS", 0)  # the times of inodes can't be set back
    for name, remembered in INSTALLED.items():
        monkeypatch.setattr(environment, name, remembered)
    return SmallProject(tmp_path)
