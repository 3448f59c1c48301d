"""Layers, inputs and outputs of a Keras model, read from its configuration: no layer is built, no class imported.

Names are those that the built model gives them, see `keras_model`. What only the code of a subclassed model tells
stays open. A configuration is a stranger's: whatever is not as both Kerases write it counts as not told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from recipekit.contracts import FirstLayer, ModelTensor
from recipekit.worker.keras_file import KerasFile

_KEEPS_VALUES = {"CenterCrop", "Dropout", "Permute", "RandomCrop", "RandomFlip", "Reshape", "Resizing"}
_KEEPS_SHAPE = {"Activation", "Softmax", "Dropout", "ReLU", "LeakyReLU", "BatchNormalization", "LayerNormalization"}
_GIVES_ROWS = {
    "Flatten",
    *(f"Global{kind}Pooling{axes}D" for kind in ("Average", "Max") for axes in (1, 2, 3)),
}
"""Layers that give one row a sample, unless they keep the dimensions that they sum up."""

_MOST_STEPS = 50

_SCALES = {"Rescaling", "Normalization", "BatchNormalization"}
_RECURRENT = {"RNN", "SimpleRNN", "GRU", "LSTM", "CuDNNGRU", "CuDNNLSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}


class Layer(NamedTuple):
    """A layer as configured.

    Attributes:
        name: its own.
        kind: its class, without a package in front of it.
        config: its configuration.
        built_on: shape of its input; None where the file doesn't tell.
        sources: names of the layers that it takes inputs from; of a sequential model the one before it.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    built_on: tuple[int, ...] | None
    sources: tuple[str, ...]


def layers(file: KerasFile) -> tuple[Layer, ...]:
    """The layers of the outermost model; none of a subclassed one."""
    config = file.config.get("config")
    listed = config if isinstance(config, list) else _mapping(config).get("layers")
    found: list[Layer] = []
    for node in listed if isinstance(listed, list) else ():
        inner = _mapping(_mapping(node).get("config"))
        kind = str(_mapping(node).get("class_name")).rpartition(">")[2]
        sources = tuple(dict.fromkeys(_references(node.get("inbound_nodes")))) if isinstance(node, dict) else ()
        if _is_sequential(file) and found:
            sources = (found[-1].name,)
        built_on = _shape(_mapping(_mapping(node).get("build_config")).get("input_shape"))
        found.append(Layer(str(inner.get("name", _mapping(node).get("name", kind))), kind, inner, built_on, sources))
    return tuple(found)


def inputs(file: KerasFile) -> tuple[ModelTensor, ...]:
    """Inputs by the names of their layers; one without a name where only the model's code tells."""
    known = layers(file)
    if _is_sequential(file) and known:
        return (_sequential_input(file, known[0]),)
    by_name = {layer.name: layer for layer in known}
    named = _references(_mapping(file.config.get("config")).get("input_layers"))
    found = [_declared(by_name[name]) for name in named if name in by_name]
    shape = _shape(_mapping(file.config.get("build_config")).get("input_shape"))
    batchless = None if shape is None else (-1, *shape[1:])
    return tuple(found) or (ModelTensor(name="", dtype="", shape=batchless),)


def outputs(file: KerasFile) -> tuple[ModelTensor, ...]:
    """Outputs by the names of their layers, or by the keys of a mapping; none of a subclassed model."""
    known = {layer.name: layer for layer in layers(file)}
    if _is_sequential(file):
        last = list(known.values())[-1:]
        return tuple(ModelTensor(name=layer.name, dtype="float32", shape=_given(layer, known)) for layer in last)
    listed = _mapping(file.config.get("config")).get("output_layers")
    if isinstance(listed, dict):
        pairs = [(str(key), name) for key in sorted(listed) for name in _references(listed[key])]
    else:
        pairs = [(name, name) for name in _references(listed)]
    return tuple(
        ModelTensor(name=key, dtype="float32", shape=_given(known[name], known))
        for key, name in _numbered(pairs)
        if name in known
    )


def scaling(file: KerasFile) -> tuple[FirstLayer, ...]:
    """The scaling layer that each input goes into; its factor is 0 where it stands among the weights."""
    takers: dict[str, list[Layer]] = {}
    for layer in layers(file):
        for name in layer.sources:
            takers.setdefault(name, []).append(layer)
    found = []
    for tensor in inputs(file):
        first = _first_that_counts(tensor.name, takers)
        if first is not None and first.kind in _SCALES:
            scale, offset = _rescaling(first)
            found.append(FirstLayer(input=tensor.name, name=first.name, kind=first.kind, scale=scale, offset=offset))
    return tuple(found)


def _rescaling(layer: Layer) -> tuple[float, float]:
    """Factor and summand of a `Rescaling`, zeros where its configuration doesn't tell."""
    numbers = [layer.config.get(key) for key in ("scale", "offset")]
    if layer.kind != "Rescaling" or not all(map(_is_number, numbers)):
        return 0.0, 0.0
    scale, offset = (float(number) for number in numbers if number is not None)
    return scale, offset


def recurrent(file: KerasFile) -> tuple[str, ...]:
    """Names of layers that run over a sequence in a loop, nested and wrapped ones too."""
    kinds = sorted(file.class_names() & _RECURRENT)
    return tuple(
        str(config.get("name", kind)) for kind in kinds for config in file.configs_of(kind) if not config.get("unroll")
    )


def task(file: KerasFile) -> str:
    """`classification` where each sample gets scores of classes: softmax at the end, or a loss that applies it."""
    known = {layer.name: layer for layer in layers(file)}
    named = [tensor.name for tensor in outputs(file)]
    last = [known[name] for name in named if name in known]
    if any(layer.kind == "Softmax" or _activation(layer) == "softmax" for layer in last):
        return "classification"
    loss = str(file.compile_config.get("loss")).lower().replace("_", "")
    return "classification" if "categoricalcrossentropy" in loss else ""


def _activation(layer: Layer) -> str:
    """What a layer ends in, by the function's name."""
    given = layer.config.get("activation")
    return str(_mapping(given).get("config", given)) if given is not None else ""


def _is_sequential(file: KerasFile) -> bool:
    return file.config.get("class_name") == "Sequential"


def _sequential_input(file: KerasFile, first: Layer) -> ModelTensor:
    """A sequential model may leave its input layer out: it is then made of what its first layer says."""
    if first.kind == "InputLayer":
        return _declared(first)
    shape = _declared(first).shape or _shape(_mapping(file.config.get("config")).get("build_input_shape"))
    name = f"{first.name}_input" if file.legacy else "input_layer"
    dtype = "int32" if first.kind == "Embedding" else "float32"
    return ModelTensor(name=name, dtype=dtype, shape=shape or first.built_on)


def _declared(layer: Layer) -> ModelTensor:
    shape = _shape(layer.config.get("batch_shape", layer.config.get("batch_input_shape")))
    dtype = layer.config.get("dtype")
    named = _mapping(_mapping(dtype).get("config")).get("name", dtype)
    return ModelTensor(name=layer.name, dtype=named if isinstance(named, str) else "", shape=shape)


def _given(layer: Layer, known: Mapping[str, Layer], steps: int = _MOST_STEPS) -> tuple[int, ...] | None:
    """Shape of what a layer gives, where its configuration and that of so many before it tell; no code is known."""
    if layer.kind == "InputLayer":
        return _declared(layer).shape
    source = known.get(layer.sources[0]) if len(layer.sources) == 1 else None
    taken = layer.built_on or (_given(source, known, steps - 1) if source and steps and _tells(layer) else None)
    if layer.kind in _KEEPS_SHAPE:
        return taken
    units = layer.config.get("units")
    if layer.kind == "Dense" and isinstance(units, int):
        rows = source and source.kind in _GIVES_ROWS and not source.config.get("keepdims")
        return (*taken[:-1], units) if taken else (-1, units) if rows else None
    return None


def _tells(layer: Layer) -> bool:
    """Whether what a layer takes says what it gives."""
    return layer.kind in _KEEPS_SHAPE or layer.kind == "Dense"


def _first_that_counts(name: str, takers: Mapping[str, Sequence[Layer]]) -> Layer | None:
    """The one layer that takes an input, those left out that keep its values."""
    passed = set()
    while name not in passed:
        passed.add(name)
        taking = takers.get(name, ())
        if len(taking) != 1:
            return None
        if taking[0].kind not in _KEEPS_VALUES:
            return taking[0]
        name = taking[0].name
    return None


def _references(node: Any) -> Iterator[str]:
    """Names of the layers that a nest of `[name, node, tensor]` refers to, as both Kerases write it."""
    pending = [node]
    while pending:
        it = pending.pop()
        if isinstance(it, list) and len(it) >= 3 and isinstance(it[0], str) and all(map(_is_index, it[1:3])):
            yield it[0]
        elif isinstance(it, list):
            pending.extend(reversed(it))
        elif isinstance(it, dict):
            pending.extend(reversed(it.values()))


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _numbered(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keys made unique as `keras_model` makes them: `dense`, `dense_1` ..."""
    keys = {key for key, _ in pairs}
    counts: dict[str, int] = {}
    unique: dict[str, str] = {}
    for key, name in pairs:
        candidate = key
        while candidate in unique or (key in counts and candidate in keys):
            counts[key] = counts.get(key, 0) + 1
            candidate = f"{key}_{counts[key]}"
        unique[candidate] = name
    return list(unique.items())


def _shape(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not all(size is None or (_is_index(size) and size > 0) for size in value):
        return None
    return tuple(-1 if size is None else size for size in value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
