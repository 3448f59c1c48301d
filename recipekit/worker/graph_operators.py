"""What a GraphDef can do, told by its operators: touch the system it runs on, or change its own variables.

It reads definitions alone, whatever source they come from, and must not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from recipekit.errors import UnsafeSource

_TOUCHES_THE_SYSTEM = {
    "DebugIdentityV3",
    "EagerPyFunc",
    "ImmutableConst",
    "LoadLibrary",
    "MatchingFiles",
    "PrintV2",
    "PyFunc",
    "PyFuncStateless",
    "ReadFile",
    "WholeFileReaderV2",
    "WriteFile",
}


_CHANGES_VARIABLES = ("Assign", "ResourceApply", "ResourceScatter", "ResourceStridedSliceAssign")


def refuse_system_access(graph: Any, where: str) -> None:
    """Looks at every node of a GraphDef and of the functions in it.

    Args:
        graph: the GraphDef.
        where: the file or folder that holds it.

    Raises:
        UnsafeSource: a node reads or writes files or runs code; each kind is named.
    """
    found = sorted(operators(graph) & _TOUCHES_THE_SYSTEM)
    if found:
        raise UnsafeSource(
            f"its graph holds operators that read or write files or run code: {', '.join(found)}",
            where=where,
            fix="export the model without them, or set source.allow_unsafe: true if you trust it",
        )


def changes_variables(graph: Any) -> bool:
    """Whether running a GraphDef, or a function in it, may leave a variable with another value."""
    return any(name.startswith(_CHANGES_VARIABLES) for name in operators(graph))


def operators(graph: Any) -> set[str]:
    """Names of all operators of a GraphDef, those of its functions included."""
    return {node.op for nodes in _bodies(graph) for node in nodes}


def _bodies(graph: Any) -> Iterable[Any]:
    return (graph.node, *(function.node_def for function in graph.library.function))
