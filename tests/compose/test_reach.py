"""Hydra's own configuration is recognised by whatever name, and only a little of it is open to recipes."""

from __future__ import annotations

from typing import Any

import pytest

from recipekit.compose.reach import closed_keys, is_hydras


@pytest.mark.parametrize(
    "address",
    [
        "hydra",
        "hydra.callbacks",
        "hydra/job_logging",
        "x@hydra",
        "x@hydra.callbacks",
        "x@_global_.hydra.callbacks",
        "_global_.hydra",
        "a.b._global_.hydra.job_logging",
        "a_global_/hydra/job_logging",
        "a_global_xhydra.callbacks",
    ],
)
def test_hydra_s_own_is_recognised(address: str) -> None:
    assert is_hydras(address)


@pytest.mark.parametrize(
    "address", ["hydraulics", "my_hydra", "converter.flags.hydra", "source@x.hydra_net", "a.hydra"]
)
def test_a_name_that_only_looks_like_hydra_s_is_left_alone(address: str) -> None:
    assert not is_hydras(address)


@pytest.mark.parametrize(
    "hydra",
    [
        {},
        {"mode": "MULTIRUN"},
        {"sweeper": {}},
        {"sweeper": {"params": {"seed": "1,2", "converter": ["none", "int8"]}, "max_batch_size": 3}},
        {"mode": "RUN", "sweeper": {"n_trials": 20, "direction": "maximize", "storage": None}},
        {"sweeper": {"objectives": {"size.bytes": "minimize"}, "sampler": "tpe", "seed": 3, "n_startup_trials": 5}},
    ],
)
def test_mode_and_plain_sweep_parameters_are_open(hydra: dict[str, Any]) -> None:
    assert closed_keys(hydra) is None


@pytest.mark.parametrize(
    ("hydra", "path"),
    [
        (None, ()),
        ("${evil}", ()),
        ([1], ()),
        ({"callbacks": {}}, ("callbacks",)),
        ({"mode": "MULTIRUN", "job_logging": {}}, ("job_logging",)),
        ({"mode": "${evil}"}, ("mode",)),
        ({"mode": {}}, ("mode",)),
        ({"launcher": {"n_jobs": 2}}, ("launcher",)),
        ({"searchpath": ["pkg://x"]}, ("searchpath",)),
        ({"sweeper": "${evil}"}, ("sweeper",)),
        ({"sweeper": {"_target_": "os.system"}}, ("sweeper", "_target_")),
        ({"sweeper": {"params": "${evil}"}}, ("sweeper", "params")),
        ({"sweeper": {"params": {"seed": "${oc.create:{a: b}}"}}}, ("sweeper", "params")),
        ({"sweeper": {"params": {"seed": {"a": "b"}}}}, ("sweeper", "params")),
        ({"sweeper": {"params": {"seed": [["a"]]}}}, ("sweeper", "params")),
        ({"sweeper": {"storage": {"url": "x"}}}, ("sweeper", "storage")),
        ({"sweeper": {"sampler": {"name": "tpe"}}}, ("sweeper", "sampler")),
        ({"sweeper": {"objectives": {"size.bytes": "${evil}"}}}, ("sweeper", "objectives")),
        ({"sweeper": {"objectives": {"size": {"bytes": "minimize"}}}}, ("sweeper", "objectives")),
    ],
)
def test_everything_else_is_closed_by_name(hydra: Any, path: tuple[str, ...]) -> None:
    assert closed_keys(hydra) == path
