"""A child has the variables of its sweep's own process, wherever it runs."""

from __future__ import annotations

import pytest

from recipekit.launching.variables import deciding, take


def test_a_process_takes_what_decides_bytes_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in deciding():
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as loky sets it
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    monkeypatch.setenv("HOME", "/home/ada")
    take({"TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES"})
    here = deciding()
    assert "OMP_NUM_THREADS" not in here
    assert here["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert here.get("CUDA_VISIBLE_DEVICES", "3") == "3"
