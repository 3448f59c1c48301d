"""Which extra files an output gets, and what they are called."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from recipekit import fsio
from recipekit.artifacts.c_array import c_header, c_source, identifier
from recipekit.artifacts.op_resolver import lacking, resolver_header
from recipekit.contracts import BUILD_KEY_PLACEHOLDER, Compilation, GoldenVectors, Measurement, Operator
from recipekit.errors import InternalError

COMPILED = "model_vela.tflite"
"""The candidate compiled for an Ethos-U."""

LABELS = "labels.txt"

_ARRAY_BYTES = 6
"""Characters that a C array takes for a byte, and a little for the rest of the files."""


class Artifacts(NamedTuple):
    """What there is to write beside a model.

    Attributes:
        c_array: whether flatbuffers are also written as C arrays.
        labels: content of the labels file; None for none.
        golden_vectors: from their stage; None for none.
        compilation: from the stage of Vela; None for none.
    """

    c_array: bool = False
    labels: bytes | None = None
    golden_vectors: GoldenVectors | None = None
    compilation: Compilation | None = None

    def reported(self, measurement: Measurement) -> Measurement:
        """A measurement with what the makers report."""
        return msgspec.structs.replace(
            measurement,
            target=UNSET if self.compilation is None else self.compilation.report,
            golden_vectors=UNSET if self.golden_vectors is None else self.golden_vectors.report,
        )

    def bytes_beside(self, model: int) -> int:
        """About how many bytes all of it takes.

        Args:
            model: bytes of the model.
        """
        compiled = 0 if self.compilation is None else self.compilation.report.size
        arrays = _ARRAY_BYTES * (model + compiled) if self.c_array else 0
        vectors = () if self.golden_vectors is None else self.golden_vectors.files
        return compiled + arrays + sum(Path(file).stat().st_size for file in vectors) + len(self.labels or b"")

    def doubts(self, operators: Iterable[Operator]) -> tuple[str, ...]:
        """What a user of the C array should know of the model's operators, a sentence each."""
        missing = ", ".join(lacking(operators)) if self.c_array else ""
        if not missing:
            return ()
        return (f"'artifacts.c_array': TensorFlow Lite Micro has no kernel for {missing}: register your own",)


class Published(NamedTuple):
    """The model that artifacts go with.

    Attributes:
        name: of the recipe.
        version: of the recipe.
        key: of the build.
        operators: of the model.
    """

    name: str
    version: str
    key: str
    operators: Sequence[Operator]


def write_artifacts(folder: Path, artifacts: Artifacts, model: Published) -> list[str]:
    """Writes the extra files beside `model.tflite`, which stands in the folder as it is published.

    Returns:
        Their names.

    Raises:
        OSError: the file system refused.
    """
    names = []
    if artifacts.labels is not None:
        (folder / LABELS).write_bytes(artifacts.labels)
        names.append(LABELS)
    if artifacts.golden_vectors is not None:
        for file in map(Path, artifacts.golden_vectors.files):
            shutil.copyfile(file, folder / file.name)
            names.append(file.name)
    if artifacts.c_array:
        names += _write_c_array(folder, "model", model)
    if artifacts.compilation is not None:
        compilation = artifacts.compilation
        write_with_key(folder / COMPILED, compilation.path, compilation.build_key_offset, model.key)
        names.append(COMPILED)
        if artifacts.c_array:
            names += _write_c_array(folder, "model_vela", model._replace(operators=compilation.operators))
    return names


def write_with_key(path: Path, source: str, offset: int | None, key: str) -> fsio.Written:
    """Copies a flatbuffer, with the build key in its place, where it has one.

    Args:
        path: where it goes.
        source: the flatbuffer.
        offset: of the place; None where there is none.
        key: of the build.

    Raises:
        OSError: the file system refused.
    """
    if offset is None:
        return fsio.write_digested(path, fsio.read_parts(Path(source)))
    end = offset + len(BUILD_KEY_PLACEHOLDER)
    if b"".join(fsio.read_parts(Path(source), offset, end)) != BUILD_KEY_PLACEHOLDER:
        raise InternalError(f"the converted model has no place for its build key at {offset}")
    before, after = fsio.read_parts(Path(source), 0, offset), fsio.read_parts(Path(source), end)
    return fsio.write_digested(path, chain(before, [key.encode()], after))


def _write_c_array(folder: Path, stem: str, model: Published) -> list[str]:
    data = (folder / f"{stem}.tflite").read_bytes()
    prefix = identifier(model.name) + stem.removeprefix("model")
    comment = f"{model.name} {model.version}: {stem}.tflite"
    array = f"{prefix}_tflite"
    texts = {
        f"{stem}.h": c_header(array, f"{comment}, {len(data)} bytes.", model.key),
        f"{stem}.cc": c_source(array, f"{comment}, {len(data)} bytes.", model.key, f"{stem}.h", data),
        f"{stem}_op_resolver.h": resolver_header(
            f"{prefix}_ops", f"{comment}, its operators.", model.key, model.operators
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(texts)
