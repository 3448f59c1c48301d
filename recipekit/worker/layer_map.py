"""What became of a Keras model's layers in its float32 flatbuffer, told by the names of tensors.

The converter names the result of an operator after everything that went into it, outermost first and joined by `;`,
so a convolution with a folded batch normalization and a fused activation bears the names of all three. This module
must not import TensorFlow.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from recipekit.contracts import FloatOperators, LoweredLayer, SourceLayer
from recipekit.worker.census import COMPUTE_NOTHING, OperatorSite, operators_of, output_tensors

_WEIGHTED = frozenset({"CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})


def trace(flatbuffer: bytes, layers: Sequence[SourceLayer]) -> tuple[LoweredLayer, ...]:
    """The fate of each layer.

    An operator with the names of several layers belongs to the first that has weights, or to the first.

    Args:
        flatbuffer: the float32 conversion.
        layers: in the model's order, with the name scopes that they were traced in.
    """
    own: dict[int, list[str]] = {}
    guests: dict[int, int] = {}
    for site, places in _placed(flatbuffer, layers):
        if places:
            owner = _owner(places, layers)
            own.setdefault(owner, []).append(site.op)
            guests.update({at: owner for at in places if at != owner})
    return tuple(_lowered(at, layer, layers, own, guests) for at, layer in enumerate(layers))


def owners(flatbuffer: bytes, layers: Sequence[SourceLayer]) -> list[str]:
    """The layer that each operator belongs to, by its name; empty where none is told.

    Args:
        flatbuffer: any conversion that keeps the names of tensors.
        layers: see `trace`.
    """
    return [layers[_owner(places, layers)].name if places else "" for _, places in _placed(flatbuffer, layers)]


def float_places(flatbuffer: bytes, layers: Sequence[SourceLayer]) -> tuple[FloatOperators, ...]:
    """Where the operators are that compute in float; nothing for a file in which all do.

    Args:
        flatbuffer: any conversion that keeps the names of tensors.
        layers: see `trace`; none for a source that isn't a Keras model.
    """
    sites = operators_of(flatbuffer)
    if all(site.is_float or site.op in COMPUTE_NOTHING for site in sites):
        return ()
    made_by = owners(flatbuffer, layers) if layers and any(site.is_float for site in sites) else [""] * len(sites)
    kinds = {layer.name: layer.kind for layer in layers}
    found: dict[str, dict[str, None]] = {}
    for site, name in zip(sites, made_by, strict=True):
        if site.is_float:
            place = f"{name} ({kinds[name]})" if name else _node(site)
            found.setdefault(site.op, {})[place] = None
    return tuple(FloatOperators(op=op, places=tuple(filter(None, places))) for op, places in sorted(found.items()))


def _node(site: OperatorSite) -> str:
    """The node of the graph that an operator was made of last, after those whose results it takes in."""
    return site.outputs[0].split(";")[0] if site.outputs else ""


def _owner(places: set[int], layers: Sequence[SourceLayer]) -> int:
    return next((at for at in sorted(places) if layers[at].weighted), min(places))


def _placed(flatbuffer: bytes, layers: Sequence[SourceLayer]) -> list[tuple[OperatorSite, set[int]]]:
    """Every operator with the layers that are in it."""
    sites, ends = operators_of(flatbuffer), output_tensors(flatbuffer)
    found = [
        {at for name in site.outputs for part in name.split(";") for at in _layers_at(part, layers)} for site in sites
    ]
    _place_fused_lstms(sites, found, layers)
    for site, places in zip(sites, found, strict=True):
        outputs = {ends[name] for name in site.outputs if name in ends}
        places.update(at for at, layer in enumerate(layers) if outputs.intersection(layer.outputs))
        if places and site.op in _WEIGHTED:
            places.update(_before(min(places), layers, set().union(*found)))
    return list(zip(sites, found, strict=True))


def _before(first: int, layers: Sequence[SourceLayer], placed: set[int]) -> list[int]:
    """The layers in an operator whose names it lost, to that of an output or of a function: those before its first.

    They stand nowhere else, and end with the one whose weights it holds.
    """
    chain: list[int] = []
    at = first
    while not layers[at].weighted or layers[at].kind == "BatchNormalization":
        at -= 1
        if at < 0 or at in placed:
            return []
        chain.append(at)
    return chain


def _place_fused_lstms(sites: Sequence[OperatorSite], found: list[set[int]], layers: Sequence[SourceLayer]) -> None:
    """Gives operators that a whole layer was fused into, which bear no name, to the layers in their order."""
    placed = set().union(*found)
    lstms = iter([at for at, layer in enumerate(layers) if "LSTM" in layer.kind and at not in placed])
    for site, places in zip(sites, found, strict=True):
        if site.op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and not places:
            places.update(itertools.islice(lstms, 1))


def _layers_at(part: str, layers: Sequence[SourceLayer]) -> list[int]:
    """The layer in whose scope a name lies; the innermost, where scopes contain each other."""
    inside = [
        (len(scope), at)
        for at, layer in enumerate(layers)
        for scope in layer.scopes
        if scope and (part == scope or part.startswith(f"{scope}/"))
    ]
    return [max(inside)[1]] if inside else []


def _lowered(
    at: int, layer: SourceLayer, layers: Sequence[SourceLayer], own: dict[int, list[str]], guests: dict[int, int]
) -> LoweredLayer:
    fate, into = "unnamed" if layer.weighted else "removed", ""
    if at in own:
        fate = "kept"
    elif at in guests:
        fate, into = "folded" if layer.weighted else "fused", layers[guests[at]].name
    counts = {op: own.get(at, []).count(op) for op in dict.fromkeys(own.get(at, []))}
    return LoweredLayer(name=layer.name, kind=layer.kind, fate=fate, into=into, operators=counts)
