"""The last stage of a build whose candidate no runtime here can run: it is read, and nothing is compared."""

from __future__ import annotations

from recipekit.contracts import EXAMINE, ExamineRequest, Flatbuffer
from recipekit.graph.node import Node
from recipekit.surroundings import Surroundings


def examine(candidate: Flatbuffer, float32: Flatbuffer, surroundings: Surroundings) -> Node:
    """The stage that takes sizes and census; the same for candidates of the same bytes.

    Args:
        candidate: the converted model.
        float32: the float32 conversion.
        surroundings: of the build.
    """
    request = ExamineRequest(candidate=candidate.path, float32=float32.path)
    return Node(
        stage=EXAMINE,
        inputs={"candidate": candidate.sha256, "float32_size": float32.size},
        surroundings=surroundings,
        request=lambda _: request,
        note=lambda measured: f"not run, {measured.size:,} bytes",
    )
