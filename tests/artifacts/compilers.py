"""The C and C++ compilers of this machine, for sources that artifacts are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

C, CXX = shutil.which("gcc"), shutil.which("g++")

needs_compilers = pytest.mark.skipif(
    C is None or CXX is None, reason="there is no gcc and g++ to compile what is written"
)

STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")


def compile_c(*arguments: str | Path, standard: str = "c99", here: Path) -> None:
    """Compiles C; warnings are errors."""
    _compile([str(C), f"-std={standard}", *STRICT, *map(str, arguments)], here)


def compile_cxx(*arguments: str | Path, standard: str = "c++11", here: Path) -> None:
    """Compiles C++; warnings are errors."""
    _compile([str(CXX), f"-std={standard}", *STRICT, *map(str, arguments)], here)


def _compile(command: Sequence[str], here: Path) -> None:
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run_program(program: Path) -> bytes:
    """What a program prints; it must end well."""
    return subprocess.run([program], capture_output=True, check=True).stdout
