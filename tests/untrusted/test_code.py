"""Models of strangers that would run code or read files, through whole runs: refused, named, and nothing ran."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit import manifest
from recipekit.pool import Pool
from tests.built_models import built_once
from tests.e2e.conftest import run_here
from tests.untrusted.conftest import OTHER_MODEL, Fails
from tests.untrusted.hostile import LAMBDA, h5_with_layer, with_layer

pytestmark = pytest.mark.tensorflow

BAD = "source.path=models/bad.keras"


ALLOWED = """# @package _global_
defaults:
  - /converter: none
  - _self_
name: allowed
version: "1.0.0"
source: {{kind: keras, path: {model}, allow_unsafe: true}}
evaluation: {{dataset: {{plugin: npz, path: samples.npz}}}}
acceptance: {{parity: {{sqnr_db: {{min: 60}}}}}}
"""


def wrapped(layer: Any) -> Any:
    return {"class_name": "TimeDistributed", "module": "keras.layers", "config": {"name": "each", "layer": layer}}


def nested(layer: Any) -> Any:
    config = {"name": "inner", "layers": [layer]}
    return {"class_name": "Functional", "module": "keras.src.models.functional", "config": config}


PARTS: dict[str, tuple[Any, bool, str]] = {
    "top level": (LAMBDA, False, "/bad' is a Lambda layer"),
    "in a model": (nested(LAMBDA), False, "/inner/bad' is a Lambda layer"),
    "in a wrapper": (wrapped(LAMBDA), False, "/each/bad' is a Lambda layer"),
    "in the loss": (LAMBDA["config"]["function"], True, "'compile_config/__lambda__' is a Python lambda"),
    "TFSMLayer": (
        {"class_name": "TFSMLayer", "config": {"name": "bad", "filepath": "x"}},
        False,
        "bad' is a TFSMLayer",
    ),
    "TorchModuleWrapper": (
        {"class_name": "TorchModuleWrapper", "config": {"name": "bad"}},
        False,
        "bad' is a TorchModuleWrapper",
    ),
    "vocabulary": (
        {"class_name": "StringLookup", "config": {"name": "bad", "vocabulary": "/etc/passwd"}},
        False,
        "bad' is a layer whose vocabulary is '/etc/passwd'",
    ),
}


@pytest.mark.fault(24)
@pytest.mark.parametrize(("part", "loss", "says"), PARTS.values(), ids=list(PARTS))
def test_code_in_a_keras_archive_is_refused_by_its_path(
    project: Path, fails: Fails, part: Any, loss: bool, says: str
) -> None:
    with_layer(project / "models" / "tiny.keras", project / "models" / "bad.keras", part, loss=loss)
    fault = fails(BAD)
    assert fault.exit == 5
    assert says in fault.text
    assert "allow_unsafe: true" in fault.text
    assert str(project / "models" / "bad.keras") in fault.text


@pytest.mark.fault(24)
@pytest.mark.parametrize("keras", ["", "2.15.0"])
def test_a_function_of_python_is_never_called_whichever_keras_the_file_asks_for(
    project: Path, fails: Fails, keras: str
) -> None:
    marker = project / "marker"
    call = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    layer = {"class_name": "Activation", "module": "keras.layers", "config": {"name": "bad", "activation": call}}
    with_layer(project / "models" / "tiny.keras", project / "models" / "bad.keras", layer, keras=keras)
    fault = fails(BAD, *OTHER_MODEL) if keras else fails(BAD)
    assert fault.exit == 5
    assert "'os.system'" in fault.text
    assert not marker.exists()


@pytest.mark.fault(25)
@pytest.mark.parametrize("loader", ["auto", "keras2", "keras3"])
def test_a_lambda_in_hdf5_is_refused_whichever_loader_reads_it(project: Path, fails: Fails, loader: str) -> None:
    layer = {"class_name": "Lambda", "config": {"name": "bad", "function": ["4wEAAAA=", None, None]}}
    h5_with_layer(project / "models" / "bad.h5", layer)
    fault = fails("source.path=models/bad.h5", f"source.loader={loader}", *OTHER_MODEL)
    assert fault.exit == 5
    assert "'net/bad' is a Lambda layer" in fault.text


@pytest.mark.fault(27)
def test_operators_of_a_saved_model_that_touch_the_system_are_refused(
    project: Path, fails: Fails, tmp_path_factory: pytest.TempPathFactory
) -> None:
    reads = built_once("float_models", tmp_path_factory) / "reads"
    fault = fails("source.kind=saved_model", f"source.path={reads}", *OTHER_MODEL)
    assert fault.exit == 5
    assert "ReadFile" in fault.text
    assert "allow_unsafe: true" in fault.text


@pytest.mark.fault(27)
@pytest.mark.parametrize("beside", ["saved_model.cpb", "saved_model.pbtxt"])
def test_a_second_graph_beside_the_first_is_refused(
    project: Path, fails: Fails, tmp_path_factory: pytest.TempPathFactory, beside: str
) -> None:
    folder = project / "models" / "two"
    folder.mkdir()
    honest = built_once("float_models", tmp_path_factory) / "two" / "saved_model.pb"
    (folder / "saved_model.pb").write_bytes(honest.read_bytes())
    (folder / beside).write_bytes(b"")
    fault = fails("source.kind=saved_model", "source.path=models/two", *OTHER_MODEL)
    assert fault.exit == 5
    assert f"holds {beside} besides saved_model.pb" in fault.text


@pytest.mark.fault(24)
@pytest.mark.slow
def test_what_is_allowed_runs_and_is_told_everywhere(
    project: Path, pool: Pool, tmp_path_factory: pytest.TempPathFactory, record_property: Callable[[str, object], None]
) -> None:
    model = built_once("float_models", tmp_path_factory) / "lambda.keras"
    samples = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    np.savez(project / "samples.npz", x=samples)
    (project / "recipes" / "allowed.yaml").write_text(ALLOWED.format(model=model))
    outcome = run_here(project, pool, "recipe=allowed")
    record_property("exit", outcome.exit_code)
    assert outcome.exit_code == 0
    part = "'outer/inner/double' is a Lambda layer, which runs code that the file carries"
    assert any(part in warning for warning in outcome.warnings)
    output = Path(outcome.output)
    assert json.loads((output / "results.json").read_text())["model"]["unsafe_parts"] == [part]
    assert "Allowed by <code>allow_unsafe</code>" in (output / "report.html").read_text()
    recorded = manifest.read(output)["predicate"]["buildDefinition"]["externalParameters"]
    assert recorded["resolvedConfig"]["source"]["allow_unsafe"] is True
