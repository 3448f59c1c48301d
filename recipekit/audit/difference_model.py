"""What two `.tflite` files hold that is different: operators, dtypes, quantization, weights, sizes.

Operators and tensors of two files are the same one where they have the same name in the same subgraph; the converter
names an operator after the layer that it comes from, so names survive another quantization. Where models differ in
their own names, which every name begins with, those are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import log2
from typing import Any

from msgspec.structs import replace

from recipekit.audit.changes import Change, largest_first, weight_of
from recipekit.contracts import BUILD_KEY_ENTRY, FileOperator, FileTensor, Inspection

_Place = tuple[int, str]

GROUPS = ("size", "signature", "operators", "dtypes", "quantization", "weights", "layer sizes", "metadata")
"""Groups of changes of a file, from the whole to its parts."""


def compare_models(a: Inspection, b: Inspection) -> tuple[Change, ...]:
    """Every difference of two files; none for files that differ by their build key alone."""
    b = _aligned(b, a)
    changes = [
        *_numbers(
            "size", {"file": a.size, "constants": a.constant_bytes}, {"file": b.size, "constants": b.constant_bytes}
        ),
        *_values("signature", _signatures(a), _signatures(b)),
        *_numbers("operators", _counts(a), _counts(b)),
        *_operators(a, b),
        *_tensors(a, b),
        *_values("metadata", _metadata(a), _metadata(b)),
    ]
    return largest_first(changes, GROUPS)


def _aligned(file: Inspection, other: Inspection) -> Inspection:
    """A file with the other's names for what has another name there only by the scope of the whole model."""
    own, others = _names(file), _names(other)
    theirs = _by_layer(others - own)
    names = {
        places[0]: theirs[key][0][1]
        for key, places in _by_layer(own - others).items()
        if len(places) == len(theirs.get(key, ())) == 1
    }
    if not names:
        return file
    operators = (replace(it, name=names.get((it.subgraph, it.name), it.name)) for it in file.operators)
    tensors = (replace(it, name=names.get((it.subgraph, it.name), it.name)) for it in file.tensors)
    return replace(file, operators=tuple(operators), tensors=tuple(tensors))


def _names(file: Inspection) -> set[_Place]:
    operators = {(operator.subgraph, operator.name) for operator in file.operators}
    return operators | {(tensor.subgraph, tensor.name) for tensor in file.tensors}


def _by_layer(places: Iterable[_Place]) -> dict[_Place, list[_Place]]:
    """Names by what is left of them without the scope of the whole model."""
    found: dict[_Place, list[_Place]] = {}
    for subgraph, name in places:
        inner = ";".join(part.partition("/")[2] or part for part in name.split(";"))
        found.setdefault((subgraph, inner), []).append((subgraph, name))
    return found


def _values(group: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for name in a.keys() | b.keys():
        old, new = a.get(name), b.get(name)
        if old != new:
            yield Change(group=group, name=name, a=old, b=new, weight=weight_of(old, new))


def _numbers(group: str, a: Mapping[str, int], b: Mapping[str, int]) -> Iterator[Change]:
    """Numbers, by how far apart they are; one that isn't there is 0."""
    for name in a.keys() | b.keys():
        old, new = a.get(name, 0), b.get(name, 0)
        if old != new:
            yield Change(group=group, name=name, a=old, b=new, weight=abs(old - new))


def _signatures(file: Inspection) -> dict[str, Any]:
    found = {}
    for signature in file.signatures:
        for role, tensors in (("input", signature.inputs), ("output", signature.outputs)):
            for tensor in tensors:
                name = " ".join(filter(None, (signature.key, role, tensor.name)))
                found[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), **_quantization(tensor)}
    return found


def _counts(file: Inspection) -> Counter[str]:
    return Counter(operator.op for operator in file.operators)


def _operators(a: Inspection, b: Inspection) -> Iterator[Change]:
    first, second = _by_place(a), _by_place(b)
    for place in first.keys() & second.keys():
        old, new = first[place], second[place]
        if (old.op, old.dtypes) != (new.op, new.dtypes):
            weight = max(old.bytes, new.bytes)
            changed = (f"{old.op} {old.dtypes}", f"{new.op} {new.dtypes}")
            yield Change(group="dtypes", name=old.name, a=changed[0], b=changed[1], weight=weight)
    taken = ({place: operator.bytes for place, operator in side.items() if operator.bytes} for side in (first, second))
    sizes = [{name: size for (_, name), size in side.items()} for side in taken]
    yield from _numbers("layer sizes", sizes[0], sizes[1])


def _by_place(file: Inspection) -> dict[tuple[int, str], FileOperator]:
    return {(operator.subgraph, operator.name): operator for operator in file.operators}


def _tensors(a: Inspection, b: Inspection) -> Iterator[Change]:
    first, second = ({(it.subgraph, it.name): it for it in file.tensors} for file in (a, b))
    for place in first.keys() & second.keys():
        old, new = first[place], second[place]
        if (old.dtype, old.shape) != (new.dtype, new.shape):
            continue  # the operators say so already
        if _grid(old) != _grid(new):
            weight = _drift(old, new)
            before, after = _quantization(old), _quantization(new)
            yield Change(group="quantization", name=old.name, a=before, b=after, weight=weight)
        if old.content != new.content:
            weight = max(old.bytes, new.bytes)
            before, after = _constant(old), _constant(new)
            yield Change(group="weights", name=old.name, a=before, b=after, weight=weight)


def _grid(tensor: FileTensor) -> tuple[tuple[float, ...], tuple[int, ...]]:
    return tensor.scales, tensor.zero_points


def _quantization(tensor: FileTensor) -> dict[str, Any]:
    """A tensor's scales and zero points, summed up where there is one for each channel; nothing for a float."""
    if not tensor.scales:
        return {}
    points = sorted(set(tensor.zero_points))
    return {
        "scales": len(tensor.scales),
        "scale": [min(tensor.scales), max(tensor.scales)],
        "zero_points": points or [0],
    }


def _constant(tensor: FileTensor) -> dict[str, Any]:
    return {"bytes": tensor.bytes, "sha256": tensor.content, "sparse": tensor.sparse}


def _drift(a: FileTensor, b: FileTensor) -> float:
    """By how many octaves the scales moved, that of the channel where it is most.

    It is 100 for another granularity, and for scales that are no scales.
    """
    if len(a.scales) != len(b.scales) or min(*a.scales, *b.scales, 1.0) <= 0:
        return 100.0
    return max((abs(log2(old / new)) for old, new in zip(a.scales, b.scales, strict=True)), default=0.0)


def _metadata(file: Inspection) -> dict[str, Any]:
    return {entry.name: entry.text or entry.bytes for entry in file.metadata if entry.name != BUILD_KEY_ENTRY}
