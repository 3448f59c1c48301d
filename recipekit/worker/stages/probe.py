"""The stage `probe`: where in a candidate its bytes and its errors are, operator by operator.

It is for people who look for what to change; nothing of it is judged.
"""

from __future__ import annotations

import traceback
from itertools import islice
from pathlib import Path

from recipekit.contracts import Inspection, Probe, ProbeRequest
from recipekit.contracts.figures import ProbedOperator
from recipekit.errors import RecipekitError
from recipekit.worker.figures.inner_tensors import MOST_VALUES, InnerTensors, compare, values_held
from recipekit.worker.file_contents import contents_of
from recipekit.worker.layer_map import owners
from recipekit.worker.signature_samples import open_readings

_Key = tuple[int, str]


def run(request: ProbeRequest, folder: Path) -> Probe:
    """Reads the candidate, and compares its tensors with those of the float32 conversion on a few samples.

    A model that can't be run so is only read, and the record says why.

    Raises:
        SourceError: the candidate can't be read.
    """
    candidate, float32 = Path(request.candidate), Path(request.float32)
    contents, base = contents_of(candidate), contents_of(float32)
    distances: dict[_Key, float] = {}
    samples, why = 0, ""
    try:
        why = _obstacle(request, contents, base)
        if not why:
            distances, samples = _distances(request, contents, base, folder)
            why = "" if distances else "no tensor has the same name in both conversions"
    except (RecipekitError, ValueError, RuntimeError, MemoryError) as error:
        traceback.print_exc()
        why = error.what if isinstance(error, RecipekitError) else f"{type(error).__name__}: {error}"
    layers = owners(candidate.read_bytes(), request.layers) if request.layers else []
    bytes_before = {(operator.subgraph, operator.name): operator.bytes for operator in base.operators}
    return Probe(
        operators=tuple(
            ProbedOperator(
                op=operator.op,
                tensor=operator.name,
                layer=layers[at] if layers else "",
                bytes=operator.bytes,
                float32_bytes=bytes_before.get((operator.subgraph, operator.name)),
                sqnr_db=distances.get((operator.subgraph, operator.name)),
            )
            for at, operator in enumerate(contents.operators)
        ),
        size=contents.size,
        samples=samples,
        not_compared=why,
    )


def _obstacle(request: ProbeRequest, *files: Inspection) -> str:
    """Why the conversions can't be compared inside; empty where they can."""
    if request.dataset is None:
        return "nothing is run"
    lacking = sorted({operator.op for file in files for operator in file.operators if operator.kind != "builtin"})
    if lacking:
        return f"LiteRT lacks {', '.join(lacking)}"
    largest = max(map(values_held, files))
    return f"the tensors hold {largest:,} values, more than are held at once" if largest > MOST_VALUES else ""


def _distances(
    request: ProbeRequest, contents: Inspection, base: Inspection, folder: Path
) -> tuple[dict[_Key, float], int]:
    """SQNR by subgraph and tensor, and how many samples were run."""
    assert request.dataset is not None  # for type checkers: `_obstacle` has looked
    readings = open_readings(request.dataset, request.signatures, folder)
    subgraphs = {signature.key: signature.subgraph for signature in contents.signatures}
    found: dict[_Key, float] = {}
    samples = 0
    for key, reading in readings.parts.items():
        candidate = InnerTensors(Path(request.candidate), contents, key)
        float32 = InnerTensors(Path(request.float32), base, key)
        compared = compare(candidate, float32, islice(reading, request.samples))
        subgraph = subgraphs[key] if len(subgraphs) > 1 else next(iter(subgraphs.values()))
        found |= {(subgraph, name): ratio for name, ratio in compared.sqnr_db.items()}
        samples += compared.samples
    return found, samples
