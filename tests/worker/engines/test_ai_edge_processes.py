"""The engine and the source `tflite` in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run(folder: Path, seed: str, threads: str) -> dict[str, Any]:
    folder.mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-m", "tests.models.quantize_flatbuffer", str(folder)]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_the_same_request_gives_the_same_bytes_in_any_process_and_none_imports_tensorflow(tmp_path: Path) -> None:
    one, other = run(tmp_path / "one", "1", "1"), run(tmp_path / "other", "2", "2")
    assert one["digests"] == other["digests"]
    assert len(one["digests"]) == 12
    assert one["imported"] == other["imported"] == []
