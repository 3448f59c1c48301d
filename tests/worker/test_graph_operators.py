"""What a graph may do, told from its definition; graphs here are written down node by node."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from recipekit.errors import UnsafeSource
from recipekit.worker.graph_operators import Entries, refuse, system_access


def node(name: str, op: str, *inputs: str, calls: str = "") -> Any:
    value = SimpleNamespace(func=SimpleNamespace(name=calls), list=SimpleNamespace(func=[]))
    return SimpleNamespace(name=name, op=op, input=list(inputs), attr={"f": value})


def graph(*nodes: Any, functions: Mapping[str, list[Any]] | None = None) -> Any:
    library = [
        SimpleNamespace(signature=SimpleNamespace(name=name), node_def=body) for name, body in (functions or {}).items()
    ]
    return SimpleNamespace(node=list(nodes), library=SimpleNamespace(function=library))


SAVED_MODEL = Entries(tensors=("out:0",), functions=("initialize",), restore="restored", assets=("path:0",))


@pytest.mark.parametrize(
    "operator",
    ["ReadFile", "WriteFile", "PyFunc", "PyFuncStateless", "EagerPyFunc", "MatchingFiles", "TFRecordDatasetV2",
     "CreateSummaryFileWriter", "DebugIdentityV3", "RpcCall", "ExperimentalLMDBDataset", "LoadLibrary"],
)  # fmt: skip
def test_operators_that_touch_the_system_are_found_in_the_graph_and_in_its_functions(operator: str) -> None:
    assert system_access(graph(node("x", "Placeholder"), node("y", operator, "x"))) == {operator}
    assert system_access(graph(functions={"never called": [node("y", operator)]})) == {operator}
    with pytest.raises(UnsafeSource, match=operator) as caught:
        refuse([operator], "a folder")
    assert "allow_unsafe: true" in caught.value.fix


def test_a_model_that_computes_is_let_pass() -> None:
    made = graph(node("x", "Placeholder"), node("y", "MatMul", "x", "x"), functions={"f": [node("z", "Relu")]})
    assert system_access(made) == set()
    refuse((), "a folder")


def test_a_saver_may_save_and_restore() -> None:
    functions = {"save": [node("a", "SaveV2"), node("b", "MergeV2Checkpoints")], "restore": [node("c", "RestoreV2")]}
    made = graph(
        node("saved", "StatefulPartitionedCall", calls="save"),
        node("restored", "StatefulPartitionedCall", calls="restore"),
        functions=functions,
    )
    assert system_access(made, SAVED_MODEL) == set()


def test_savers_of_tensorflow_1_may_do_so_in_the_graph_itself() -> None:
    made = graph(
        node("path", "Const"),
        node("write", "SaveV2", "path"),
        node("saved", "Identity", "path", "^write"),
        node("read", "RestoreV2", "path"),
        node("assign", "Assign", "kernel", "read"),
        node("restored", "NoOp", "^assign"),
        node("kernel", "VariableV2"),
        node("out", "Identity", "kernel"),
        node("of another saver", "SaveV2", "path"),
    )
    assert system_access(made, SAVED_MODEL) == set()


def test_saving_outside_of_the_saver_is_found() -> None:
    save = {"save": [node("a", "SaveV2")]}
    by_itself = graph(node("y", "SaveV2"), node("out", "Identity", "x", "^y"), node("x", "Placeholder"))
    through_the_savers_own_function = graph(
        node("saved", "PartitionedCall", calls="save"), node("out", "PartitionedCall", calls="save"), functions=save
    )
    in_what_an_object_runs = graph(
        node("saved", "PartitionedCall", calls="initialize"), functions={"initialize": save["save"]}
    )
    in_a_function_that_nothing_calls = graph(functions=save)
    when_it_restores = graph(node("restored", "NoOp", "^y"), node("y", "SaveV2"))
    for made in (
        by_itself,
        through_the_savers_own_function,
        in_what_an_object_runs,
        in_a_function_that_nothing_calls,
        when_it_restores,
    ):
        assert system_access(made, SAVED_MODEL) == {"SaveV2"}
    assert system_access(graph(node("out", "RestoreV2")), SAVED_MODEL) == {"RestoreV2"}


def test_a_table_may_be_read_from_an_asset_and_from_no_path_in_the_graph() -> None:
    reader = node("fill", "InitializeTableFromTextFileV2", "table", "same")
    made = graph(node("path", "Const"), node("same", "Identity", "path"), reader)
    assert system_access(made, SAVED_MODEL) == set()
    assert system_access(made) == {"InitializeTableFromTextFileV2"}
    assert system_access(graph(functions={"fill": list(made.node)})) == {"InitializeTableFromTextFileV2"}
    assert system_access(graph(functions={"fill": [reader]})) == set()  # the path is an argument
