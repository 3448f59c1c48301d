"""The stages that make extra files of the candidate: they need it and nothing of what is measured or judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from recipekit import extras
from recipekit.artifacts import Artifacts, read_labels
from recipekit.build import Job
from recipekit.contracts import (
    GOLDEN_VECTORS,
    VELA,
    Compilation,
    DatasetSpec,
    Flatbuffer,
    GoldenVectors,
    GoldenVectorsRequest,
    Record,
    SampleSet,
    Signature,
    TargetReport,
    VelaRequest,
    VelaSpec,
)
from recipekit.errors import DatasetError
from recipekit.graph.datasets import dataset_section
from recipekit.graph.node import Node
from recipekit.inputs import Input
from recipekit.surroundings import Surroundings


class ArtifactStages:
    """The stages that a recipe's `artifacts` asks for."""

    def __init__(
        self,
        job: Job,
        pinned: tuple[Input, ...],
        surroundings: Surroundings,
        load: Node,
        samples: Mapping[str, SampleSet],
    ) -> None:
        """Lays out nothing yet.

        Args:
            job: what is built.
            pinned: its inputs, from `build.pin_inputs`.
            surroundings: of the build.
            load: the float model, whose inputs the dataset's code is among.
            samples: the surveys' records by role.
        """
        self._recipe = job.recipe
        self._root = job.project.root
        self._read = {entry.name: entry for entry in pinned if entry.role == "dataset"}
        self._surroundings = surroundings
        self._load = load
        self._samples = samples
        self._labels: bytes | None = None

    def read_labels(self, signatures: Mapping[str, Signature]) -> None:
        """Reads the labels file, which needs no candidate to be found wrong.

        Args:
            signatures: the float model's, by key.

        Raises:
            DatasetError: it doesn't fit the model's outputs.
        """
        self._labels = read_labels(self._recipe.artifacts.labels, self._root, signatures)

    def of(self, signatures: Mapping[str, Signature], candidate: Flatbuffer) -> Iterator[Node]:
        """The stages; the same for candidates of the same bytes.

        Args:
            signatures: the float model's, by key.
            candidate: the converted model.

        Raises:
            DatasetError: there are fewer samples than golden vectors.
        """
        artifacts, dataset = self._recipe.artifacts, self._recipe.evaluation.dataset
        if artifacts.golden_vectors and dataset is not None:
            yield self._golden_vectors(dict(signatures), candidate, dataset)
        if artifacts.vela is not None:
            yield self._vela(artifacts.vela, candidate)

    def made(self, records: Iterable[Record]) -> Artifacts:
        """All that there is to write beside the candidate.

        Args:
            records: of the stages.
        """
        by_kind: dict[type[Record], Any] = {type(record): record for record in records}
        return Artifacts(
            c_array=self._recipe.artifacts.c_array,
            labels=self._labels,
            golden_vectors=by_kind.get(GoldenVectors),
            compilation=by_kind.get(Compilation),
        )

    def _golden_vectors(self, signatures: dict[str, Signature], candidate: Flatbuffer, dataset: DatasetSpec) -> Node:
        count, samples = self._recipe.artifacts.golden_vectors, self._samples["evaluation-samples"]
        for key in signatures:
            if samples.of(key).count < count:
                raise DatasetError(
                    f"has {samples.of(key).count} samples, and {count} golden vectors are asked for",
                    where=dataset_section(self._recipe, "evaluation"),
                    fix="add samples, or lower artifacts.golden_vectors",
                )
        request = GoldenVectorsRequest(
            candidate=candidate.path, signatures=signatures, dataset=dataset, samples=samples, count=count
        )
        return Node(
            stage=GOLDEN_VECTORS,
            surroundings=self._surroundings,
            inputs={"candidate": candidate.sha256, "samples": samples.sha256, "count": count},
            request=lambda _: request,
            note=lambda made: f"{made.report.vectors} vectors by the reference kernels",
            reads=self._load.reads,
            dataset=dataset_section(self._recipe, "evaluation"),
        )

    def _vela(self, vela: VelaSpec, candidate: Flatbuffer) -> Node:
        config = self._read[vela.config] if vela.config else None
        options = {**msgspec.to_builtins(vela), "config": config.digest if config else None}
        request = VelaRequest(
            candidate=candidate.path, vela=vela, config=str(Path(self._root, vela.config)) if vela.config else ""
        )
        packages = self._surroundings.packages_of(extras.of_artifacts(self._recipe.artifacts))
        return Node(
            stage=VELA,
            surroundings=self._surroundings,
            inputs={"candidate": candidate.sha256, "options": options, "packages": packages},
            request=lambda _: request,
            note=lambda made: _summary(made.report),
            reads=(config,) if config else (),
        )


def _summary(report: TargetReport) -> str:
    return (
        f"{report.accelerator}: {report.sram_kib:.4g} KiB SRAM, {report.flash_kib:.4g} KiB flash,"
        f" {report.cpu_operators} operators on the CPU"
    )
