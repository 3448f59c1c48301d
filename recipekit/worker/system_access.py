"""Operators that let a graph read or write files or run code: refused in whatever source a graph comes from."""

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


def operators(graph: Any) -> set[str]:
    """Names of all operators of a GraphDef, those of its functions included."""
    return {node.op for nodes in _bodies(graph) for node in nodes}


def _bodies(graph: Any) -> Iterable[Any]:
    return (graph.node, *(function.node_def for function in graph.library.function))
