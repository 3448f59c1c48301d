"""Operators that TensorFlow Lite lacks, end to end: kept, found in the file, judged or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recipekit import manifest
from recipekit.errors import CustomLayerError, EvaluationError, UnsupportedOp
from recipekit.outcome import Outcome
from recipekit.pool import Pool
from tests.e2e.conftest import recipekit, run_here

pytestmark = pytest.mark.tensorflow

MODELS = '''
import keras
import numpy as np
import tensorflow as tf


def pooled():
    """MaxPooling3D needs TensorFlow's own kernel."""
    volume = keras.Input((4, 4, 4, 1), name="volume")
    x = keras.layers.MaxPooling3D(2, name="first_pool")(keras.layers.Conv3D(2, 3, padding="same")(volume))
    return keras.Model(volume, keras.layers.Flatten(name="y")(x))


class Curve(keras.layers.Layer):
    """An operator that neither TensorFlow Lite nor SELECT_TF_OPS has."""

    def call(self, x):
        return tf.raw_ops.Betainc(a=tf.abs(x) + 1.0, b=tf.abs(x) + 1.0, x=tf.sigmoid(x))


def integral(a, b, x):
    """Betainc(a, a, x) for a between 1 and 9 by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(32)
    points = x[..., tf.newaxis] * tf.constant((nodes + 1) / 2, tf.float32)
    whole = tf.constant((nodes + 1) / 2, tf.float32)
    weights = tf.constant(weights / 2, tf.float32)
    power = a[..., tf.newaxis] - 1.0

    def density(t):
        return tf.exp(power * (tf.math.log(t) + tf.math.log(1.0 - t)))

    part = tf.reduce_sum(density(points) * weights, -1) * x
    return part / tf.reduce_sum(density(whole + tf.zeros_like(points)) * weights, -1)


class Far(keras.layers.Layer):
    """Has numbers for answers only where inputs are above 100."""

    def call(self, x):
        return tf.math.log(x - 100.0)


def far():
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(2, name="y")(Curve(name="curve")(Far()(x))))


def curved():
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(2, name="y")(Curve(name="curve")(x)))
'''

RECIPE = """# @package _global_
name: {name}
version: "1.0.0"
source: {{kind: python, factory: "models.py:{name}"}}
converter: {{quantization: none, {keeping}}}
evaluation:
  dataset: {{plugin: random, inputs: {inputs}, count: 4, allow_random: true}}
  benchmark: null
acceptance:
  parity: {{sqnr_db: {{min: 60}}}}
  size: {{bytes: {{max: 100000}}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "models.py").write_text(MODELS)
    recipes = {
        "pooled": {"keeping": "supported_ops: [TFLITE_BUILTINS, SELECT_TF_OPS]", "inputs": "{volume: [4, 4, 4, 1]}"},
        "curved": {"keeping": "allow_custom_ops: true", "inputs": "{x: [4]}"},
    }
    for name, keys in recipes.items():
        (tmp_path / "recipes" / f"{name}.yaml").write_text(RECIPE.format(name=name, **keys))
    return tmp_path


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {check.name: check.verdict for check in outcome.checks}


KEPT = [("pooled", "select_tf_ops", "MaxPool3D"), ("curved", "custom_ops", "Betainc")]


@pytest.mark.parametrize(("recipe", "bound", "operator"), KEPT)
def test_a_kept_operator_is_found_in_the_file_and_refused_by_a_bound_on_it(
    project: Path, pool: Pool, recipe: str, bound: str, operator: str
) -> None:
    with pytest.raises(EvaluationError, match=rf"LiteRT lacks .*{operator}") as caught:
        run_here(project, pool, f"recipe={recipe}")
    assert "`evaluation.runtime: none`" in caught.value.fix
    assert caught.value.exit_code == 4
    assert not list((project / "outputs" / recipe).glob("*/*/model.tflite"))

    refused = run_here(project, pool, f"recipe={recipe}", f"acceptance.model.{bound}=false")
    assert (refused.status, refused.exit_code) == ("rejected", 3)
    assert verdicts(refused) == {
        "parity.sqnr_db.min": "not-judged",
        "task": "not-judged",
        "size.bytes.max": "pass",
        "latency": "not-judged",
        f"model.{bound}": "fail",
    }
    (check,) = [check for check in refused.checks if check.verdict == "fail"]
    assert check.detail == operator
    assert refused.measurement is not None
    assert getattr(refused.measurement.census, bound) == (operator,)


@pytest.mark.fault(34)
def test_an_operator_without_a_kernel_is_told_by_its_layer(
    project: Path, pool: Pool, record_property: Callable[[str, object], None]
) -> None:
    with pytest.raises(UnsupportedOp, match=r"tf\.MaxPool3D \(in first_pool \(MaxPooling3D\)\)") as caught:
        run_here(project, pool, "recipe=pooled", "converter.supported_ops=[TFLITE_BUILTINS]")
    assert caught.value.exit_code == 4
    for choice in ("replace: {MaxPool3D:", "SELECT_TF_OPS", "allow_custom_ops: true", "cut the model"):
        assert choice in caught.value.fix
    record_property("exit", caught.value.exit_code)
    with pytest.raises(UnsupportedOp, match=r"tf\.Betainc \(in curve \(Curve\)\)"):
        run_here(project, pool, "recipe=curved", "converter.allow_custom_ops=false")


def test_without_a_runtime_size_and_file_are_judged_and_everything_else_is_said_to_be_unjudged(
    project: Path, pool: Pool
) -> None:
    nothing_to_run = ["~evaluation.dataset", "~acceptance.parity", "evaluation.runtime=none"]
    outcome = run_here(project, pool, "recipe=pooled", *nothing_to_run)
    assert (outcome.status, outcome.exit_code) == ("accepted", 0)
    expected = {"parity": "not-judged", "task": "not-judged", "size.bytes.max": "pass", "latency": "not-judged"}
    assert verdicts(outcome) == expected
    assert [stage.name for stage in outcome.stages] == ["load", "lower", "mark", "examine", "probe", "illustrate"]
    assert outcome.measurement is not None
    assert (outcome.measurement.samples, outcome.measurement.latency) == (None, None)
    assert any("nobody measures parity" in warning for warning in outcome.warnings)

    output = Path(outcome.output)
    results = json.loads((output / "results.json").read_text())
    assert results["measurement"]["samples"] is None
    assert results["measurement"]["not_run"] == "evaluation.runtime is none"
    assert results["warnings"] == list(outcome.warnings)
    recorded = manifest.results(manifest.read(output))
    assert {check["name"]: check["passed"] for check in recorded["checks"]} == {
        "parity": None,
        "task": None,
        "size.bytes.max": True,
        "latency": None,
    }
    assert recorded["metrics"]["notRun"] == "evaluation.runtime is none"
    page = (output / "report.html").read_text()
    assert "The converted model was not run: evaluation.runtime is none." in page
    assert "1 of 4 checks passed, 3 not judged." in page
    assert not list(output.glob("*.samples.jsonl"))

    again = run_here(project, pool, "recipe=pooled", *nothing_to_run)
    assert (again.already_built, again.checks) == (True, outcome.checks)


@pytest.mark.parametrize(("equivalent", "exit_code"), [("integral", 0), ("wrong", 5)])
def test_a_replacement_is_held_to_the_recipe_s_samples_where_drawn_inputs_tell_nothing(
    project: Path, pool: Pool, equivalent: str, exit_code: int
) -> None:
    with (project / "models.py").open("a") as file:
        file.write("\n\ndef wrong(a, b, x):\n    return x * 2.0\n")
    wanted = [
        "recipe=curved",
        "source.factory='models.py:far'",
        "converter.allow_custom_ops=false",
        f'custom_layers.replace={{Betainc: "models.py:{equivalent}"}}',
        "evaluation.dataset.low=101",
        "evaluation.dataset.high=900",
    ]
    if exit_code:
        with pytest.raises(CustomLayerError, match="40 are needed"):
            run_here(project, pool, *wanted)
        return
    outcome = run_here(project, pool, *wanted)
    assert "agree" in [stage.name for stage in outcome.stages]
    results = json.loads((Path(outcome.output) / "results.json").read_text())
    assert results["model"]["replacement_sqnr_db"] > 60


def test_a_replacement_is_converted_compared_with_the_original_and_recorded(project: Path, pool: Pool) -> None:
    replace = 'custom_layers.replace={Betainc: "models.py:integral"}'
    wanted = ["recipe=curved", "converter.allow_custom_ops=false", replace]
    outcome = run_here(project, pool, *wanted)
    assert outcome.status == "accepted"
    assert outcome.sqnr_db is not None
    assert 60 < outcome.sqnr_db < 200  # the original's Betainc is not what the file computes
    assert outcome.measurement is not None
    assert outcome.measurement.census.custom_ops == ()
    results = json.loads((Path(outcome.output) / "results.json").read_text())
    (replaced,) = results["model"]["replaced"]
    assert (replaced["name"], replaced["by"], len(replaced["places"])) == ("Betainc", "models.py:integral", 1)
    assert results["model"]["replacement_sqnr_db"] > 60
    assert "Betainc in" in (Path(outcome.output) / "report.html").read_text()
    roles = [
        entry["name"]
        for entry in manifest.read(Path(outcome.output))["predicate"]["buildDefinition"]["resolvedDependencies"]
        if entry["annotations"]["role"] == "custom-layer"
    ]
    assert roles == ["models.py:integral"]
    with (project / "models.py").open("a") as stream:
        stream.write("# another\n")
    with Pool() as fresh:  # project modules are imported once a process
        again = run_here(project, fresh, *wanted)
    assert (again.already_built, again.build_key == outcome.build_key) == (False, False)


def test_the_terminal_says_what_was_not_judged(project: Path) -> None:
    done = recipekit(project, ["run", "recipe=curved", "~acceptance.parity", "evaluation.runtime=none"])
    assert done.returncode == 0, done.stderr
    assert "warning 'evaluation.dataset' is not used: 'evaluation.runtime' is none" in done.stdout
    rows = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines() if line.strip()}
    assert (rows["parity"], rows["latency"], rows["size.bytes.max"]) == ("not-judged", "not-judged", "pass")
