"""The list of names against what the installed packages offer: nothing forgotten, nothing invented."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recipekit.worker import keras_names
from recipekit.worker.graph_operators import TOUCHES_THE_SYSTEM
from recipekit.worker.keras_scan import scan
from tests.built_models import script_of_models

pytestmark = pytest.mark.tensorflow

REFUSED = {"DenseFeatures", "FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"}
NO_PARTS = {"InputSpec", "Reduction"}
"""Classes that configurations don't name."""

CHECKPOINTS = {"MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2", "Save", "SaveSlices", "SaveV2"}
TABLES = {"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"}
NO_FILES = {"CTCBeamSearchDecoder", "TensorSliceDataset"}
"""Operators whose paths are those of a search, and whose files are a hint."""


@pytest.fixture(scope="module")
def offered() -> Any:
    """What the installed Kerases and TensorFlow offer."""
    return json.loads(script_of_models("offered_names"))


@pytest.mark.parametrize("package", ["keras", "tf_keras"])
def test_every_class_and_function_of_keras_is_known_or_refused(offered: Any, package: str) -> None:
    classes, functions = set(offered[package]["classes"]), set(offered[package]["functions"])
    assert classes - keras_names.CLASSES == classes & (REFUSED | NO_PARTS)
    assert functions <= keras_names.FUNCTIONS
    assert not keras_names.CLASSES & REFUSED


def test_what_is_refused_runs_code(offered: Any) -> None:
    for name in REFUSED:
        (finding,) = scan({"class_name": name, "config": {}}, ())
        assert finding.runs


def test_every_operator_that_names_a_file_is_known(offered: Any) -> None:
    assert set(offered["operators"]) - TOUCHES_THE_SYSTEM <= CHECKPOINTS | TABLES | NO_FILES


def test_no_function_of_tensorflow_that_touches_the_system_may_be_called(offered: Any) -> None:
    called = {
        symbol
        for symbol in offered["symbols"]
        if not list(scan({"class_name": "TFOpLambda", "config": {"function": symbol}}, ()))
    }
    words = (
        "file",
        "load",
        "save",
        "py_func",
        "numpy_function",
        "print",
        "rpc",
        "remote",
        "summary",
        "debug",
        "raw_op",
    )
    assert len(called) > 500
    assert {symbol for symbol in called if any(word in symbol for word in words)} == {"fingerprint"}
