from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.artifacts.c_array import bytes_of, c_header, c_source, identifier
from tests.artifacts.compilers import compile_c, compile_cxx, needs_compilers, run_program

DATA = bytes(range(256)) * 5 + b"TFL3"
KEY = "ab" * 32
PROGRAM = """\
#include <stdio.h>
#include <stdint.h>
#include "model.h"
int main(void) {
  if ((uintptr_t)tiny_tflite % 16 != 0) return 1;
  return fwrite(tiny_tflite, 1, tiny_tflite_len, stdout) != tiny_tflite_len;
}
"""


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("mobilenet_int8", "mobilenet_int8"), ("a-b.c", "a_b_c"), ("8bit", "model_8bit"), ("a-", "a"), ("int", "int")],
)
def test_a_recipe_s_name_becomes_the_beginning_of_an_identifier(name: str, prefix: str) -> None:
    assert identifier(name) == prefix
    assert f"{prefix}_tflite".isidentifier()


@given(st.binary(min_size=1, max_size=200))
def test_the_source_spells_every_byte(data: bytes) -> None:
    source = c_source("m_tflite", "m", KEY, "m.h", data)
    assert bytes_of(source) == data
    assert f"m_tflite_len = {len(data)};" in source


def test_both_files_name_the_build() -> None:
    assert f"recipekit.build_key: {KEY}" in c_source("m_tflite", "m", KEY, "m.h", DATA)
    assert f"recipekit.build_key: {KEY}" in c_header("m_tflite", "m", KEY)


@needs_compilers
@pytest.mark.parametrize("language", ["c", "c++"])
def test_what_is_compiled_holds_the_bytes_of_the_file_aligned(language: str, tmp_path: Path) -> None:
    (tmp_path / "model.h").write_text(c_header("tiny_tflite", "tiny", KEY))
    (tmp_path / "model.cc").write_text(c_source("tiny_tflite", "tiny", KEY, "model.h", DATA))
    (tmp_path / "main.c").write_text(PROGRAM)
    if language == "c":
        compile_c("-x", "c", "model.cc", "main.c", "-o", "program", standard="c11", here=tmp_path)
    else:
        compile_cxx("-c", "model.cc", "-o", "model.o", here=tmp_path)
        compile_c("-c", "main.c", "-o", "main.o", here=tmp_path)
        compile_cxx("model.o", "main.o", "-o", "program", here=tmp_path)
    assert run_program(tmp_path / "program") == DATA
