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
    take({"TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "0"})
    assert deciding() == {"TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "3"}


def test_what_is_set_for_the_children_on_purpose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in deciding():
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # an engine without devices: the same as none at the driver
    take({}, {"OMP_NUM_THREADS"})
    assert deciding() == {"OMP_NUM_THREADS": "4"}
