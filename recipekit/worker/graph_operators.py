"""What a GraphDef can do, told by its operators: touch the system it runs on, or change its own variables.

It reads definitions alone, whatever source they come from, and must not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from recipekit.errors import UnsafeSource

_RUN_CODE = frozenset({"Abort", "EagerPyFunc", "LoadLibrary", "PyFunc", "PyFuncStateless", "RemoteCall"})
_READ_FILES = frozenset(
    {
        "CSVDataset",
        "FixedLengthRecordDataset",
        "FixedLengthRecordReader",
        "FixedUnigramCandidateSampler",
        "GenerateVocabRemapping",
        "ImmutableConst",
        "LMDBDataset",
        "LMDBReader",
        "ListSnapshotChunksDataset",
        "LoadAndRemapMatrix",
        "LoadDataset",
        "MatchingFiles",
        "MatchingFilesDataset",
        "ReadFile",
        "RecordInput",
        "SnapshotChunkDataset",
        "SnapshotDatasetReader",
        "SqlDataset",
        "TFRecordDataset",
        "TFRecordReader",
        "TextLineDataset",
        "TextLineReader",
        "WholeFileReader",
    }
)
_WRITE_FILES = frozenset(
    {
        "CacheDataset",
        "CreateSummaryDbWriter",
        "CreateSummaryFileWriter",
        "DatasetToTFRecord",
        "DebugIdentity",
        "DebugNanCount",
        "DebugNumericSummary",
        "DistributedSave",
        "FileSystemSetConfiguration",
        "InitializeTRTResource",
        "PrintV2",
        "SaveDataset",
        "SerializeTRTResource",
        "SnapshotDataset",
        "WriteFile",
    }
)
_USE_THE_NETWORK = frozenset({"DataServiceDataset", "RegisterDataset", "RpcCall", "RpcClient", "RpcServer"})
_VERSIONED = _RUN_CODE | _READ_FILES | _WRITE_FILES | _USE_THE_NETWORK
TOUCHES_THE_SYSTEM = frozenset(
    f"{prefix}{name}{version}"
    for name in _VERSIONED
    for prefix in ("", "Experimental")
    for version in ("", "V2", "V3", "V4")
)
"""Operators that read or write files, reach other machines, or run code from elsewhere, in all their versions."""

_SAVE = frozenset({"MergeV2Checkpoints", "Save", "SaveSlices", "SaveV2"})
_RESTORE = frozenset({"Restore", "RestoreSlice", "RestoreV2"})
_READ_TABLES = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})

_CHANGES_VARIABLES = ("Assign", "ResourceApply", "ResourceScatter", "ResourceStridedSliceAssign")


def refuse(found: Iterable[str], where: str) -> None:
    """Refuses operators that `system_access` found.

    Raises:
        UnsafeSource: there are any; each kind is named.
    """
    names = sorted(set(found))
    if names:
        raise UnsafeSource(
            f"its graph holds operators that read or write files or run code: {', '.join(names)}",
            where=where,
            fix="export the model without them, or set source.allow_unsafe: true if you trust it",
        )


class Entries(NamedTuple):
    """Where a SavedModel is entered: what its loader or its user runs.

    Attributes:
        tensors: outputs of its signatures, and its initialization operators.
        functions: that its objects refer to.
        restore: the operator that its saver restores variables with.
        assets: tensors that the loader feeds with the paths of its assets.
    """

    tensors: tuple[str, ...]
    functions: tuple[str, ...]
    restore: str
    assets: tuple[str, ...]


def system_access(graph: Any, entries: Entries | None = None) -> set[str]:
    """Names of the operators in a GraphDef, functions included, that touch the system it runs on.

    A SavedModel holds operators that save and restore its variables. They may stand there, and restoring may restore,
    but what is run may not; and a lookup table may be read from one of its assets alone.

    Args:
        graph: the GraphDef.
        entries: of a SavedModel; None where any node may be run.
    """
    found = operators(graph) & TOUCHES_THE_SYSTEM
    calls = _Calls(graph)
    if entries is None:
        found |= operators(graph) & (_SAVE | _RESTORE)
    else:
        restoring = calls.behind([entries.restore])
        found |= calls.operators(calls.run(entries, restoring)) & (_SAVE | _RESTORE)
        found |= calls.operators(restoring) & _SAVE
    fed = {_node_of(name) for name in entries.assets} if entries else set()
    for nodes in _bodies(graph):
        inside = {node.name: node for node in nodes}
        found |= {node.op for node in nodes if node.op in _READ_TABLES and _reads_constant(inside, node, fed)}
    return found


def changes_variables(graph: Any) -> bool:
    """Whether running a GraphDef, or a function in it, may leave a variable with another value."""
    return any(name.startswith(_CHANGES_VARIABLES) for name in operators(graph))


def nodes_behind(graph: Any, tensors: Iterable[str]) -> list[Any]:
    """Every node of a GraphDef that computes some tensors of its main graph, and all of the functions called there."""
    return _Calls(graph).nodes_behind(tensors)


def operators(graph: Any) -> set[str]:
    """Names of all operators of a GraphDef, those of its functions included."""
    return {node.op for nodes in _bodies(graph) for node in nodes}


def _bodies(graph: Any) -> Iterable[Any]:
    return (graph.node, *(function.node_def for function in graph.library.function))


def _node_of(tensor: str) -> str:
    """The node that gives a tensor, or that a control input names."""
    return tensor.removeprefix("^").partition(":")[0]


_Place = tuple[str, str]
"""A node: the function that it stands in, empty for the main graph, and its name."""


class _Calls:
    """Which nodes of a GraphDef lie behind which, through its functions."""

    def __init__(self, graph: Any) -> None:
        self._nodes = {("", node.name): node for node in graph.node}
        self._inside: dict[str, list[_Place]] = {"": [("", node.name) for node in graph.node]}
        for function in graph.library.function:
            name = function.signature.name
            self._inside[name] = [(name, node.name) for node in function.node_def]
            self._nodes |= {(name, node.name): node for node in function.node_def}

    def operators(self, places: Iterable[_Place]) -> set[str]:
        """Operators of some nodes."""
        return {str(self._nodes[place].op) for place in places}

    def nodes_behind(self, tensors: Iterable[str]) -> list[Any]:
        """The nodes of `behind`, in an order that is always the same."""
        return [self._nodes[place] for place in sorted(self.behind(tensors))]

    def behind(self, tensors: Iterable[str]) -> set[_Place]:
        """Every node of the main graph that computes some tensors, and all nodes of the functions that they call."""
        return self._spread([("", _node_of(tensor)) for tensor in tensors if tensor])

    def run(self, entries: Entries, restoring: set[_Place]) -> set[_Place]:
        """Every node that is run, or may be: all but what only saving, restoring or nothing at all leads to."""
        outputs = self.behind(entries.tensors)
        aside = self._spread([place for place in self._inside[""] if place not in outputs | restoring])
        named = [place for name in entries.functions for place in self._inside.get(name, ())]
        others = [place for place in self._nodes if place[0] and place not in aside | restoring]
        return outputs | self._spread(named + others)

    def _spread(self, start: list[_Place]) -> set[_Place]:
        seen: set[_Place] = set()
        pending = list(start)
        while pending:
            place = pending.pop()
            node = self._nodes.get(place)
            if node is None or place in seen:
                continue
            seen.add(place)
            if not place[0]:
                pending.extend(("", _node_of(name)) for name in node.input)
            for function in filter(None, _called(node)):  # an attribute that is no function has no name
                pending.extend(self._inside.get(function, ()))
        return seen


def _called(node: Any) -> Iterator[str]:
    """Names of the functions that a node calls, itself or through its attributes."""
    yield node.op
    for value in node.attr.values():
        yield value.func.name
        yield from (function.name for function in value.list.func)


def _reads_constant(inside: Mapping[str, Any], node: Any, fed: set[str]) -> bool:
    """Whether the path of a table is written into the graph, and no asset of the SavedModel stands in its place."""
    name = _node_of(node.input[1]) if len(node.input) > 1 else ""
    while name in inside and inside[name].op in {"Identity", "StopGradient"} and inside[name].input:
        name = _node_of(inside[name].input[0])
    return name in inside and inside[name].op == "Const" and name not in fed
