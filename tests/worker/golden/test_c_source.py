from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.worker.golden.c_source import _literals, _text, write
from recipekit.worker.golden.vectors import Tensor, Vector
from tests.artifacts.compilers import compile_c, compile_cxx, needs_compilers

INTEGERS = [f"{sign}int{bits}" for bits in (8, 16, 32, 64) for sign in ("", "u")]
DTYPES = ["bool", *INTEGERS, "float16", "float32", "float64"]
ITSELF = """\
#include <stdio.h>
#include "golden_vectors.h"
static int itself(const golden_vector *vector, const void **outputs, void *context) {
  size_t at;
  (void)context;
  for (at = 0; at < vector->output_count; ++at) outputs[at] = vector->outputs[at].data;
  return 0;
}
int main(void) {
  size_t at;
  for (at = 0; at < golden_vectors[0].output_count; ++at) {
    const golden_tensor *tensor = &golden_vectors[0].outputs[at];
    fwrite(tensor->data, 1, tensor->bytes, stdout);
  }
  return golden_vectors_check(itself, NULL, 0, 0);
}
"""


def extremes(dtype: str) -> Tensor:
    kind = np.dtype(dtype)
    limits = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind) if kind.kind != "b" else None
    values = [0, 1] if limits is None else [limits.min, limits.max, 0, 1]
    return Tensor(f'{dtype} "\\?', 0, np.array([values], kind), 0.1, -1)


@needs_compilers
@pytest.mark.parametrize("language", ["c", "c++"])
def test_every_dtype_compiles_to_its_own_bytes(language: str, tmp_path: Path) -> None:
    tensors = tuple(map(extremes, DTYPES))
    write([Vector("größe 1", "", (), tensors), Vector("2", "a/b", tensors, tensors[:1])], tmp_path)
    (tmp_path / "main.c").write_text(ITSELF)
    if language == "c":
        compile_c("golden_vectors_check.c", "main.c", "-o", "program", here=tmp_path)
    else:
        compile_cxx("-x", "c++", "golden_vectors_check.c", "main.c", "-o", "program", here=tmp_path)
    printed = subprocess.run([tmp_path / "program"], capture_output=True, check=True).stdout
    assert printed == b"".join(tensor.array.tobytes() for tensor in tensors)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_s_literal_is_read_back_as_it_was(value: float) -> None:
    (literal,) = _literals(np.array([value], np.float32))
    assert literal.endswith("f")
    assert set(literal) & set(".e")
    assert ctypes.c_float(float(literal.removesuffix("f"))).value == value


@given(st.text(max_size=8))
def test_a_text_is_a_literal_of_one_line(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    literal = _text(text)
    assert literal.isascii()
    assert literal.isprintable()
    assert literal[1:-1].count('"') == 0
