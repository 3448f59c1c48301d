"""One model: what a run would do with it, what it would refuse, and the lines of a recipe that cure it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recipekit.contracts import Description
from recipekit.diagnosis.finding import Finding, fault, ok, warning
from recipekit.drafting.custom_code import modules_of
from recipekit.drafting.shapes import fixed_inputs

_EXIT = 5
_MOST_BYTES = 2**31
"""A flatbuffer's offsets are 32 bits, of which TensorFlow Lite uses 31."""


def model(described: Description, root: Path) -> Iterator[Finding]:
    """What is to be known of a model.

    Args:
        described: what its file says.
        root: of the project whose source may define its classes.
    """
    written = f", written by {described.written_by}" if described.written_by else ""
    kinds = sorted({layer.kind for layer in described.layers if layer.kind})
    made_of = f", made of {', '.join(kinds)}" if kinds else ""
    yield ok("format", f"{described.format}{written}, {described.parameters:,} parameters{made_of}")
    yield ok("loader", f"{described.loader}: {described.reason}")
    if described.quantized:
        yield fault("quantized", "it is quantized already", "name the float model that it was made of", _EXIT)
    if max(described.bytes, described.size if described.kind == "tflite" else 0) >= _MOST_BYTES:
        text = f"{described.bytes:,} bytes of weights: a .tflite holds at most {_MOST_BYTES:,}"
        yield fault("size", text, "split the model, or export a smaller one", _EXIT)
    yield from _unsafe(described)
    yield from _unknown(described, root)
    yield from _inputs(described)
    yield from _operators(described)


def _unsafe(described: Description) -> Iterator[Finding]:
    for part in described.unsafe:
        cure = "export the model without it"
        if described.kind == "keras":
            cure = "put its code into a layer class and register that: custom_layers: {modules: [FILE.py]}"
        fix = f"{cure}; or, if you trust the file, source: {{allow_unsafe: true}}"
        yield fault("unsafe", f"'{part.path}' is {part.what}: it is refused", fix, _EXIT)


def _unknown(described: Description, root: Path) -> Iterator[Finding]:
    code = modules_of([part.name for part in described.unknown], root)
    for part in described.unknown:
        module = code.get(part.name)
        found = f", which {module.path} defines" if module else ""
        text = f"'{part.path}' is a {part.name}, no class or function of Keras's own{found}"
        fix = f"custom_layers: {{modules: [{module.path if module else 'FILE.py'}]}}"
        yield warning("custom", text, f"{fix}; {module.doubt}" if module and module.doubt else fix)


def _inputs(described: Description) -> Iterator[Finding]:
    inputs = fixed_inputs(described)
    if not all(given.name for given in inputs):
        text = "its inputs are named by its code alone, since it is a subclassed model"
        yield warning("inputs", text, "name samples after the parameters of its `call`")
    dynamic = {given.name: list(given.shape) for given in inputs if given.fixes and given.name}
    if dynamic and described.kind != "tflite":
        shapes = ", ".join(f"{name}: {shape}" for name, shape in dynamic.items())
        fix = f"source: {{input_shapes: {{{shapes}}}}}"
        if any(given.guessed for given in inputs):
            text = f"{', '.join(dynamic)}: dimensions besides the batch are dynamic"
            yield warning("inputs", text, f"{fix}, with the sizes that you need")
        else:
            yield ok("inputs", f"{', '.join(dynamic)}: the batch alone is dynamic; {fix} fixes it")
    if any(given.dtype == "string" for given in inputs):
        yield warning(
            "inputs", "it takes texts, for which TensorFlow Lite has hardly any kernel", "tokenize before the model"
        )


def _operators(described: Description) -> Iterator[Finding]:
    if described.recurrent:
        text = f"{', '.join(described.recurrent)} run over a sequence"
        yield warning("recurrent", text, "fix the batch and the steps by source.input_shapes; int8 unrolls them")
    if described.needs_select_tf_ops:
        named = ", ".join(described.needs_select_tf_ops)
        yield warning(
            "operators",
            f"TensorFlow Lite has no kernel for {named}",
            "custom_layers: {replace: ...}, or converter: {supported_ops: [TFLITE_BUILTINS, SELECT_TF_OPS]};"
            " docs/operators.md compares the ways",
        )
    elif described.operators:
        yield ok("operators", f"{sum(described.operators.values()):,}, none known to lack a kernel")
