"""The walk through a configuration: what is let pass, what runs code, what is only unknown, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.worker.keras_scan import escaping_names, scan

Json = dict[str, Any]


def made(class_name: str, module: str | None = "keras.layers", registered: str | None = None, **config: Any) -> Json:
    """An object as Keras 3 writes it."""
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered}


def legacy(class_name: str, **config: Any) -> Json:
    """An object as Keras 2 writes it into HDF5."""
    return {"class_name": class_name, "config": config}


def function(name: str, module: str = "builtins") -> Json:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


LAMBDA = legacy("Lambda", name="bad", function=["4wEAAAA=", None, None], function_type="lambda")
RUNS: dict[str, Json] = {
    "Lambda": made("Lambda", name="bad"),
    "Lambda of Keras 2": LAMBDA,
    "Lambda of a package": legacy("keras>Lambda", name="bad"),
    "TFSMLayer": made("TFSMLayer", filepath="/elsewhere", name="bad"),
    "TorchModuleWrapper": made("TorchModuleWrapper", module_="AAAA", name="bad"),
    "JaxLayer": made("JaxLayer", name="bad"),
    "FlaxLayer": made("FlaxLayer", name="bad"),
    "a wrapper with a lambda": legacy("ResidualWrapper", name="bad", residual_fn=["4wE="], residual_fn_type="lambda"),
    "a function of Python": {**function("system", "os"), "config": "system"},
    "a class of Python": made("Popen", "subprocess", args=["touch", "x"], name="bad"),
    "a function of Keras that is no part": function("get_file", "keras.utils"),
    "a function of tf_keras that is no part": function("load_model", "tf_keras.models"),
    "a class of NumPy": made("load", "numpy", name="bad"),
    "a call of TensorFlow": legacy("TFOpLambda", name="bad", function="io.write_file"),
    "a call of TensorFlow 1": legacy("TFOpLambda", name="bad", function="compat.v1.py_func"),
    "a class of Keras by another name": made("Dense", "keras.layers", "other>Dense", name="bad"),
    "a converter": legacy("TFOpLambda", name="bad", function="quantization.experimental.quantize_saved_model"),
    "a raw operator": legacy("TFOpLambda", name="bad", function="raw_ops.ReadFile"),
    "a slice that is a call": legacy("SlicingOpLambda", name="bad", function="io.read_file"),
    "a method of TensorFlow": legacy("ClassMethod", name="bad", cls_symbol="io.gfile.GFile", method_name="write"),
    "a private member": legacy("InstanceProperty", name="bad", attr_name="__class__"),
    "an operator": legacy("TensorFlowOpLayer", name="bad", node_def={"op": "WriteFile"}),
    "an operator in a form of its own": legacy("TensorFlowOpLayer", name="bad", node_def="\n\x03x\x12"),
    "a type that is none": {"class_name": "__typespec__", "spec_name": "system", "module": "os", "config": []},
    "a vocabulary from a file": made("StringLookup", name="bad", vocabulary="/etc/passwd"),
    "a vocabulary from an address": made("TextVectorization", name="bad", vocabulary="http://169.254.169.254/x"),
    "a vocabulary file of Keras 2": legacy("StringLookup", name="bad", vocabulary_file="/etc/passwd"),
    "a Python lambda": {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
}


def nest(bad: Json) -> dict[str, Json]:
    """A part in each place of a configuration where a loader builds what it finds."""
    dense = made("Dense", name="dense")
    return {
        "layer": made("Sequential", "keras", layers=[dense, bad]),
        "model in a model": made("Sequential", "keras", layers=[made("Functional", "keras", layers=[bad])]),
        "wrapper": made("Sequential", "keras", layers=[made("TimeDistributed", layer=bad)]),
        "two ways": made("Sequential", "keras", layers=[made("Bidirectional", layer=dense, backward_layer=bad)]),
        "cell": made("RNN", cell=made("StackedRNNCells", cells=[bad])),
        "activation": made("Dense", activation=bad),
        "initializer": made("Dense", kernel_initializer=bad),
        "regularizer": made("Dense", kernel_regularizer=bad),
        "constraint": made("Dense", bias_constraint=bad),
        "what a nested model was built with": {**made("Functional", "keras"), "build_config": {"input_shape": bad}},
        "what a nested model was compiled with": {**made("Functional", "keras"), "compile_config": {"loss": bad}},
        "metrics by output": {"metrics": {"scores": [[bad]]}},
        "schedule of an optimizer": {"optimizer": made("Adam", "keras.optimizers", learning_rate=bad)},
        "argument of a node": made("Functional", "keras", layers=[{**dense, "inbound_nodes": [{"args": [bad]}]}]),
        "list of layers of old": legacy("Sequential") | {"config": [bad]},
        "shared object": {**made("Functional", "keras"), "shared_object_id": 3, "other": {"deep": [{"x": bad}]}},
    }


@pytest.mark.parametrize("bad", RUNS.values(), ids=list(RUNS))
def test_what_runs_code_or_reads_files_is_found_in_every_place(bad: Json) -> None:
    for place, tree in nest(bad).items():
        (finding,) = scan(tree, ())
        assert finding.runs, place


def test_a_finding_has_the_path_of_its_layer() -> None:
    tree = made("Functional", "keras", name="outer", layers=[made("TimeDistributed", name="each", layer=LAMBDA)])
    (finding,) = scan(tree, (), "compile_config")
    assert finding.path == "compile_config/outer/each/bad"
    assert finding.what == "a Lambda layer, which runs code that the file carries"


def test_a_path_of_a_vocabulary_is_told_apart_from_its_words() -> None:
    assert not list(scan(made("StringLookup", vocabulary=["cat", "/etc/passwd"]), ()))
    (finding,) = scan(made("StringLookup", name="words", vocabulary="/etc/passwd"), ())
    assert finding.what == "a layer whose vocabulary is '/etc/passwd', which it reads from there"


@pytest.mark.parametrize(
    "known",
    [
        made("Dense", activation="relu"),
        made("Functional", "keras.src.models.functional", "Functional"),
        made("Functional", "keras.src.engine.functional", "Functional"),
        made("Add", "keras.src.ops.numpy", "Add"),
        made("Adam", "keras.optimizers", "Adam"),
        legacy("Custom>Adam", learning_rate=0.1),
        made("DTypePolicy", "keras"),
        function("relu", "keras.activations"),
        function("mean_squared_error"),
        function("log_softmax", "keras.ops"),
        legacy("TFOpLambda", function="math.reduce_mean"),
        legacy("TFOpLambda", function="compat.v1.nn.relu"),
        legacy("TFOpLambda", function="reshape"),
        legacy("SlicingOpLambda", function="__operators__.getitem"),
        legacy("TensorFlowOpLayer", node_def={"op": "AddV2"}),
        legacy("ClassMethod", cls_symbol="RaggedTensor", method_name="from_row_splits"),
        legacy("InstanceMethod", method_name="to_tensor"),
        legacy("__tuple__") | {"items": [1, 2]},
        {
            "class_name": "__typespec__",
            "spec_name": "TensorSpec",
            "module": "tensorflow.python.framework.tensor",
            "config": [[None, 3], "float32"],
        },
    ],
)
def test_what_keras_brings_itself_is_let_pass(known: Json) -> None:
    for tree in nest(known).values():
        assert not list(scan(tree, ()))


OWN = ("tiny>Gain", "Scale", "tiny>squash")


@pytest.mark.parametrize(
    "own",
    [
        made("Gain", "layers.gain", "tiny>Gain", vocabulary="words.txt"),
        legacy("tiny>Gain"),
        legacy("Scale"),
        made("Scale", "layers.scale", "Scale"),
        function("tiny>squash", "layers.gain"),
        function("squash"),
    ],
)
def test_what_the_project_registers_is_its_own_code(own: Json) -> None:
    for tree in nest(own).values():
        assert not list(scan(tree, OWN))
    assert next(scan(made("TimeDistributed", layer=made("Gain", None, "tiny>Gain", inner=LAMBDA)), OWN)).runs


@pytest.mark.parametrize(
    ("unknown", "name"),
    [
        (made("Scale", "layers.scale", "Scale"), "Scale"),
        (made("Gain", "layers.gain", "tiny>Gain"), "tiny>Gain"),
        (legacy("tiny>Gain"), "tiny>Gain"),
        (function("squash", "layers.gain"), "squash"),
        (made("Dense", "layers.gain", "Dense"), "Dense"),
    ],
)
def test_a_class_that_nobody_knows_is_told_by_the_name_to_register(unknown: Json, name: str) -> None:
    for tree in nest(unknown).values():
        (finding,) = scan(tree, ())
        assert (finding.name, finding.runs) == (name, False)


@pytest.mark.parametrize("registered", [{"evil>Scale"}, {"Scale"}])
def test_a_name_that_resembles_a_registered_one_is_not_registered(registered: set[str]) -> None:
    tricks = (made("system", "os", "tiny>Scale"), made("Lambda", "keras.layers", None), made("Popen", "subprocess"))
    for trick in tricks:
        (finding,) = scan(trick, registered)
        assert finding.runs


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "\\evil", "a\0b"])
def test_names_that_leave_their_folder_are_found_in_every_place(name: str) -> None:
    for tree in nest(made("Dense", name=name)).values():
        assert list(escaping_names(tree)) == [name]


@pytest.mark.parametrize("name", ["dense", "block1/conv", "a..b", "..."])
def test_other_names_are_let_pass(name: str) -> None:
    assert not list(escaping_names(made("Dense", name=name)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["class_name", "config", "module", "registered_name", "x"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_answered(tree: Any) -> None:
    assert all(isinstance(finding.path, str) for finding in scan(tree, ()))
    assert not list(escaping_names([tree]))


@given(JSON)
def test_a_lambda_is_found_beside_whatever_else_there_is(tree: Any) -> None:
    assert any(finding.what.startswith("a Lambda layer") for finding in scan([tree, LAMBDA], ()))
