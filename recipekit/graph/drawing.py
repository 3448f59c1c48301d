"""The stages behind the figures of a report: where a candidate's bytes and errors are, and the drawings."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from recipekit.contracts import (
    ILLUSTRATE,
    PROBE,
    Flatbuffer,
    IllustrateRequest,
    Measurement,
    ProbeRequest,
    SampleSet,
    Signature,
)
from recipekit.graph.datasets import dataset_section
from recipekit.graph.node import Node, Records
from recipekit.graph.optimization import converted_model
from recipekit.recipe import Recipe
from recipekit.surroundings import Surroundings

_PROBED = 16
"""Samples of each signature that both conversions are run on with all of their tensors kept."""

_LIBRARY = "lets-plot"


class Drawing(NamedTuple):
    """What the figures of one build are drawn from.

    Attributes:
        recipe: what is built.
        surroundings: of the build.
        converted: the float model that the candidate is made of.
        candidate: the converted model.
        float32: the float32 conversion.
        signatures: the float model's, by key.
    """

    recipe: Recipe
    surroundings: Surroundings
    converted: Node
    candidate: Flatbuffer
    float32: Flatbuffer
    signatures: dict[str, Signature]

    def probe(self, samples: SampleSet | None) -> Node:
        """The candidate, operator by operator; the same for candidates of the same bytes.

        Args:
            samples: of the evaluation; None where nothing is run.
        """
        dataset = self.recipe.evaluation.dataset if samples is not None else None

        def request(records: Records) -> ProbeRequest:
            return ProbeRequest(
                candidate=self.candidate.path,
                float32=self.float32.path,
                signatures=self.signatures,
                layers=converted_model(records[self.converted.label]).layers,
                dataset=dataset,
                samples=_PROBED,
            )

        return Node(
            stage=PROBE,
            surroundings=self.surroundings,
            inputs={
                "candidate": self.candidate.sha256,
                "float32": self.float32.sha256,
                "samples": samples.sha256 if samples is not None else None,
                "most": _PROBED,
            },
            needs=(self.converted,),
            request=request,
            note=lambda probe: (
                f"{len(probe.operators)} operators{f' on {probe.samples} samples' if probe.samples else ''}"
            ),
            reads=self.converted.reads,
            dataset=dataset_section(self.recipe, "evaluation"),
        )

    def illustrate(self, measure: Node, benchmark: Node | None, probe: Node | None) -> Node:
        """The drawings.

        Args:
            measure: the stage that measured the candidate.
            benchmark: the one that timed it; None where there is none.
            probe: from `probe`; None where it failed.
        """

        def request(records: Records) -> IllustrateRequest:
            measured: Measurement = records[measure.label]
            return IllustrateRequest(
                evaluation=measured.figures if measured.figures is not msgspec.UNSET else "",
                runs=records[benchmark.label].runs if benchmark is not None else None,
                probe=records[probe.label] if probe is not None else None,
            )

        return Node(
            stage=ILLUSTRATE,
            surroundings=self.surroundings,
            inputs={"library": self.surroundings.package(_LIBRARY)},
            needs=tuple(node for node in (measure, benchmark, probe) if node is not None),
            request=request,
            note=lambda drawn: f"{drawn.count} figures",
        )
