"""What in a Keras file's configuration is more than a description: code, other files, classes that nobody knows.

Both Kerases build whatever classes a configuration names, wherever in the tree they stand, and Keras 2 imports any
module for it; their safe modes cover a part. So the whole tree is walked before a loader sees the file, and every class
and function must be on the list of `keras_names` or registered by the project. A lookup here is the lookup of the
loaders: by the registered name first, then by module and class.

This module reads a configuration alone. It imports neither TensorFlow nor Keras and loads nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from recipekit.worker import keras_names
from recipekit.worker.graph_operators import TOUCHES_THE_SYSTEM

_FROM_THE_FILE = "which runs code that the file carries"
_RUNS_CODE = {
    "Lambda": f"a Lambda layer, {_FROM_THE_FILE}",
    "__lambda__": f"a Python lambda, {_FROM_THE_FILE}",
    "TFSMLayer": "a TFSMLayer, which runs whatever SavedModel it points at",
    "TorchModuleWrapper": f"a TorchModuleWrapper, {_FROM_THE_FILE}",
    "JaxLayer": f"a JaxLayer, {_FROM_THE_FILE}",
    "FlaxLayer": f"a FlaxLayer, {_FROM_THE_FILE}",
    "ResidualWrapper": f"a ResidualWrapper, {_FROM_THE_FILE}",
    "DropoutWrapper": f"a DropoutWrapper, {_FROM_THE_FILE}",
    "DenseFeatures": "a DenseFeatures layer, whose columns read other files",
    "SequenceFeatures": "a SequenceFeatures layer, whose columns read other files",
}
_VALUES = {
    "__keras_tensor__",
    "__tensor__",
    "__numpy__",
    "__bytes__",
    "__ellipsis__",
    "__slice__",
    "__tuple__",
    "TensorShape",
    "TypeSpec",
    "CompositeTensor",
}
"""Class names that stand for values in a configuration."""

_KERAS = re.compile(r"(tf_)?keras(\.\w+)*")
_KERAS_OPERATORS = re.compile(r"keras\.(src\.)?ops(\.\w+)*")
_TENSORFLOW_SPECS = re.compile(r"tensorflow\.python\.(framework|ops\.ragged)\.\w+")
_SPECS = {"TensorSpec", "SparseTensorSpec", "RaggedTensorSpec"}
_FILES = ("vocabulary", "vocabulary_file", "vocab_file", "idf_weights")
_STAND_FOR_OPERATORS = {
    "TFOpLambda",
    "SlicingOpLambda",
    "TensorFlowOpLayer",
    "ClassMethod",
    "InstanceMethod",
    "InstanceProperty",
}
_LIBRARIES = {"keras", "tf_keras", "tensorflow", "numpy"}


class Finding(NamedTuple):
    """A part of a configuration that isn't merely a description.

    Attributes:
        path: names of the layers down to it.
        name: the class or function, as its loader looks it up.
        what: what it is, to follow "is"; empty for a class or function that is only unknown.
    """

    path: str
    name: str
    what: str

    @property
    def runs(self) -> bool:
        """Whether loading it would run or read what the file chooses; else its class is only unknown."""
        return bool(self.what)


def scan(tree: Any, registered: Collection[str], root: str = "") -> Iterator[Finding]:
    """Walks a whole configuration.

    Args:
        tree: a JSON value: a model's configuration, what it was compiled with, or both in one mapping.
        registered: names of classes and functions that the project registers, as configurations spell them; these are
            its own code.
        root: what the path of a finding begins with.

    Returns:
        Findings from the outside in. What stands inside of a part that runs code is not told again.
    """
    pending: list[tuple[Any, str, bool]] = [(tree, root, False)]
    while pending:
        node, path, own = pending.pop()
        if isinstance(node, list):
            pending.extend((child, path, own) for child in reversed(node))
        elif isinstance(node, dict):
            if _is_object(node):
                path, own = f"{path}/{_label(node)}".lstrip("/"), _is_registered(node, registered)
            findings = () if own else (*_of_object(node, path), *_of_files(node, path))
            yield from findings
            if not any(finding.runs for finding in findings):
                pending.extend((child, path, own) for child in reversed(node.values()))


def escaping_names(tree: Any) -> Iterator[str]:
    """Names in a configuration that would leave the folder or group that a loader makes of them."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            name = node.get("name")
            if isinstance(name, str) and _escapes(name):
                yield name
        pending.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())


def _escapes(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or "\0" in name


def _is_object(node: dict[str, Any]) -> bool:
    return isinstance(node.get("class_name"), str)


def _label(node: dict[str, Any]) -> str:
    """What a path calls an object: its name, or that of its class."""
    config = node.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else str(node["class_name"])


def _of_object(node: dict[str, Any], path: str) -> Iterator[Finding]:
    if not _is_object(node) or node["class_name"] in _VALUES:
        return
    name = _name(node)
    plain = name.rpartition(">")[2]
    if node["class_name"] == "__typespec__":
        yield from _of_spec(node, path)
    elif node["class_name"] != "function" and plain in _RUNS_CODE:
        yield Finding(path, plain, _RUNS_CODE[plain])
    elif plain in _STAND_FOR_OPERATORS:
        config = node.get("config")
        yield from _of_operator(plain, config if isinstance(config, dict) else {}, path)
    elif not _is_known(node, name):
        alias = node.get("registered_name")
        yield Finding(path, alias if isinstance(alias, str) else name, _origin(node, name))


def _of_files(node: dict[str, Any], path: str) -> Iterator[Finding]:
    """Texts that a layer takes for the path or address of a file."""
    for key in _FILES:
        value = node.get(key)
        if isinstance(value, str) and value:
            yield Finding(path, key, f"a layer whose {key} is '{value}', which it reads from there")


def _name(node: dict[str, Any]) -> str:
    """The class or function that an object is of."""
    return str(node.get("config") if node["class_name"] == "function" else node["class_name"])


def _is_registered(node: dict[str, Any], registered: Collection[str]) -> bool:
    """Whether the project registers what the loaders look for."""
    name = _name(node)
    if node["class_name"] == "function":
        return name in registered or (
            ">" not in name and any(each.endswith(f">{name}") for each in registered)  # as Keras does it since 3.7
        )
    return node.get("registered_name", name) in registered


def _is_known(node: dict[str, Any], name: str) -> bool:
    """Whether an object is one of Keras's own that only describes."""
    module, alias = node.get("module"), node.get("registered_name")
    is_function = node["class_name"] == "function"
    if isinstance(module, str) and _KERAS_OPERATORS.fullmatch(module):
        return name.isidentifier() and alias in {None, name}
    names = keras_names.FUNCTIONS if is_function else keras_names.CLASSES
    in_keras = module is None or (isinstance(module, str) and (_KERAS.fullmatch(module) or module == "builtins"))
    plain = name.removeprefix("Custom>")  # how Keras 2 registers its own optimizers
    return bool(in_keras) and plain in names and alias in {None, name, plain, f"Custom>{plain}"}


def _origin(node: dict[str, Any], name: str) -> str:
    """What an unknown object is, where it can't be a layer or function that somebody forgot to register."""
    module = node.get("module")
    top = module.partition(".")[0] if isinstance(module, str) else ""
    if top in _LIBRARIES or (top in sys.stdlib_module_names and top != "builtins"):
        return f"'{module}.{name}', which is not known as a part that models are made of"
    return ""


def _of_spec(node: dict[str, Any], path: str) -> Iterator[Finding]:
    module, name = str(node.get("module")), str(node.get("spec_name"))
    if name not in _SPECS or not _TENSORFLOW_SPECS.fullmatch(module):
        yield Finding(path, name, f"'{module}.{name}', which is no type of a tensor")


def _of_operator(kind: str, config: dict[str, Any], path: str) -> Iterator[Finding]:
    """Layers of Keras 2 that stand for an operator or a function of TensorFlow, whichever the file names."""
    if kind in {"TFOpLambda", "SlicingOpLambda"}:
        symbol = str(config.get("function"))
        room, _, function = symbol.removeprefix("compat.v1.").partition(".")
        allowed = room in keras_names.TENSORFLOW_ROOMS if function else room in keras_names.TENSORFLOW_FUNCTIONS
        reads = "experimental" in symbol.split(".") or function in keras_names.TENSORFLOW_READERS
        if not allowed or reads:
            yield Finding(path, kind, f"a call of tf.{symbol}, which may do more than compute")
    elif kind == "TensorFlowOpLayer":
        definition = config.get("node_def")
        operator = definition.get("op") if isinstance(definition, dict) else None
        if not isinstance(operator, str) or operator in TOUCHES_THE_SYSTEM:
            yield Finding(path, kind, f"the operator {operator or 'of a definition that can not be read here'}")
    elif kind == "ClassMethod" and config.get("cls_symbol") not in {"RaggedTensor", "SparseTensor"}:
        yield Finding(path, kind, f"a call of tf.{config.get('cls_symbol')}, which may do more than compute")
    elif kind.startswith("Instance"):
        member = str(config.get("method_name", config.get("attr_name")))
        if member.startswith("_"):
            yield Finding(path, kind, f"a use of '{member}', which is private")
