"""Golden vectors for C: a header, and a source that holds the numbers and compares a runtime's outputs with them.

Both are C99 and C++11. Numbers are written out in their own type, so that the byte order of the target is its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.worker.golden.vectors import Tensor, Vector

_PER_LINE = 16
_TYPES = {"bool": "uint8_t", "float16": "uint16_t", "float32": "float", "float64": "double"}
_NOTHING = '  {"", 0, GOLDEN_BOOL, 0, 0, NULL, 0.0, 0}'  # C knows no empty array
_DIGITS = {"float32": ".9g", "float64": ".17g"}


def write(vectors: Sequence[Vector], folder: Path) -> tuple[Path, Path]:
    """Writes `golden_vectors.h` and `golden_vectors_check.c`.

    Args:
        vectors: what to write.
        folder: where to.
    """
    header, source = folder / "golden_vectors.h", folder / "golden_vectors_check.c"
    most = max(len(vector.outputs) for vector in vectors)
    text = _template("check.h").replace("@VECTORS@", str(len(vectors))).replace("@OUTPUTS@", str(most))
    header.write_text(text, encoding="utf-8")
    source.write_text(_template("check.c").replace("@DATA@", "\n".join(_data(vectors))), encoding="utf-8")
    return header, source


def _template(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _data(vectors: Sequence[Vector]) -> Iterator[str]:
    for number, vector in enumerate(vectors):
        for kind, tensors in (("input", vector.inputs), ("output", vector.outputs)):
            for at, tensor in enumerate(tensors):
                name = f"golden_{number}_{kind}_{at}"
                yield f"static const {_c_type(tensor.array)} {name}[] = {{\n{_numbers(tensor.array)}\n}};"
            rows = ",\n".join(
                f"  {_initializer(f'golden_{number}_{kind}_{at}', tensor)}" for at, tensor in enumerate(tensors)
            )
            yield f"static const golden_tensor golden_{number}_{kind}s[] = {{\n{rows or _NOTHING}\n}};"
    entries = ",\n".join(
        f"  {{{_text(vector.sample)}, {_text(vector.signature)}, golden_{number}_inputs, {len(vector.inputs)},"
        f" golden_{number}_outputs, {len(vector.outputs)}}}"
        for number, vector in enumerate(vectors)
    )
    yield f"const golden_vector golden_vectors[GOLDEN_VECTORS_COUNT] = {{\n{entries}\n}};"


def _initializer(name: str, tensor: Tensor) -> str:
    array = tensor.array
    return (
        f"{{{_text(tensor.name)}, {tensor.position}, GOLDEN_{array.dtype.name.upper()}, {array.size}, {array.nbytes},"
        f" {name}, {tensor.scale!r}, {tensor.zero_point}}}"
    )


def _c_type(array: npt.NDArray[Any]) -> str:
    return _TYPES.get(array.dtype.name, f"{array.dtype.name}_t")


def _numbers(array: npt.NDArray[Any]) -> str:
    """The elements as literals; of an array without elements one that nobody reads, since C knows no empty array."""
    literals = list(_literals(array.ravel())) or ["0"]
    rows = (literals[at : at + _PER_LINE] for at in range(0, len(literals), _PER_LINE))
    return "\n".join(f"{','.join(row)}," for row in rows)


def _literals(flat: npt.NDArray[Any]) -> Iterator[str]:
    dtype = flat.dtype.name
    if dtype in _DIGITS:
        form, suffix = _DIGITS[dtype], "f" if dtype == "float32" else ""
        for value in flat.tolist():
            digits = format(value, form)
            yield f"{digits if set(digits) & set('.e') else f'{digits}.0'}{suffix}"
    elif dtype == "float16":
        yield from map(str, flat.view(np.uint16).tolist())
    elif dtype in {"int64", "uint64"}:
        yield from (_long_literal(value, dtype) for value in flat.tolist())
    else:
        yield from (str(int(value)) for value in flat.tolist())


def _long_literal(value: int, dtype: str) -> str:
    if dtype == "uint64":
        return f"{value}ULL"
    return f"({value + 1}LL-1)" if value == -(2**63) else f"{value}LL"  # C has no literal for the smallest


def _text(text: str) -> str:
    """A C string literal: ASCII as it is, the bytes of anything else in octal, which no digit behind can lengthen."""
    shown = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode())
    return f'"{"".join(shown)}"'
