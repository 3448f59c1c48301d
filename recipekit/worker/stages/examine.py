"""The stage `examine`: what a candidate says about itself, for files that no runtime here can run."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import ExamineRequest, Measurement
from recipekit.worker import census
from recipekit.worker.build_key_place import published_size


def run(request: ExamineRequest, folder: Path) -> Measurement:
    """Takes the sizes and the census; nothing is run.

    Raises:
        EvaluationError: the candidate is not a readable flatbuffer.
    """
    del folder
    return unrun(request.candidate, request.float32, "evaluation.runtime is none")


def unrun(candidate: str, float32: str, why: str) -> Measurement:
    """What is known of a candidate that was not run.

    Args:
        candidate: path of the converted model.
        float32: path of the float32 conversion.
        why: why it was not run.

    Raises:
        EvaluationError: the candidate is not a readable flatbuffer.
    """
    return Measurement(
        samples=None,
        not_run=why,
        parity={},
        task={},
        size=Path(candidate).stat().st_size,
        float32_size=published_size(Path(float32)),
        census=census.take(Path(candidate)),
    )
