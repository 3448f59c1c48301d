"""The stage `golden_vectors`: the first samples through the reference kernels, written for Python and for C."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import GoldenVectors, GoldenVectorsRequest
from recipekit.worker.golden import archive, c_source
from recipekit.worker.golden.vectors import collect, report


def run(request: GoldenVectorsRequest, folder: Path) -> GoldenVectors:
    """Writes `golden_vectors.npz`, `test_golden_vectors.py`, `golden_vectors.h` and `golden_vectors_check.c`.

    Raises:
        EvaluationError: the candidate can't be run, takes or gives what is no number, or gives what isn't finite.
        DatasetError: the samples are not those of the survey.
        PluginError: code of the dataset failed.
    """
    samples = folder / "samples"
    samples.mkdir()
    collected = list(collect(request, samples))
    vectors = [vector for vector, _ in collected]
    files = [*archive.write(vectors, folder), *c_source.write(vectors, folder)]
    return GoldenVectors(files=tuple(map(str, files)), report=report(collected))
