"""What a Keras loader gives when it fails, turned into typed errors that name the class, the fault and the way out.

The rules are read from messages of Keras 3.15 and tf_keras 2.21; a message that none knows still gives its innermost
reason. Nothing here loads a model, and source beside a model file is read, never run.
"""

from __future__ import annotations

import ast
import importlib
import re
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from recipekit.errors import CustomLayerError, RecipekitError, SourceError
from recipekit.nearest import did_you_mean
from recipekit.worker.keras_file import KerasFile

TITLES = {"keras": "Keras 3", "tf_keras": "Keras 2 (tf_keras)"}
"""Names of the two Kerases by package."""

_LONGEST_CAUSE = 300
_MISSING = re.compile(r"Could not locate (?:class|function) '([^']+)'|Unknown [\w ]+: '?([\w>.]+)'?")
_BROKEN = re.compile(r"when deserializing class '([^']+)'|<class '(?:[\w.<>]*\.)?(\w+)'> could not be")
_CONSTRUCTOR = re.compile(r"(\w+)\.__init__\(\)")
_LEFT_OUT = re.compile(r"missing \d+ required (?:positional|keyword-only) arguments?: (.+)")
_NOT_TAKEN = re.compile(r"unexpected keyword argument '(\w+)'|Keyword argument not understood:', '(\w+)'")
_NOT_TAKEN_BY = re.compile(r"Unrecognized keyword arguments passed to \w+: \{(.+)\}")
_WEIGHTS = re.compile(
    r"Layer '([^']+)' expected (\d+) variables, but received (\d+)"
    r"|named (\S+) in the current model.* expects (\d+) weight\(s\)\. Received (\d+)"
)
_OF_EVERY_LAYER = {"name", "trainable", "dtype"}


class Attempt(NamedTuple):
    """A load that failed: which file, by which Keras package, with which custom objects, and the project's root."""

    file: KerasFile
    package: str
    objects: dict[str, Any]
    root: Path


def own_package(file: KerasFile) -> str:
    """The package of the Keras that wrote a file."""
    return "tf_keras" if file.legacy else "keras"


def explain(error: Exception, attempt: Attempt) -> RecipekitError:
    """What a loader's exception means to the user, to be raised from it."""
    message = str(error)
    missing = _first_group(_MISSING.search(message))
    if missing:
        return unregistered(missing, attempt)
    known = {**attempt.objects, **importlib.import_module(attempt.package).saving.get_custom_objects()}
    own = {name.rpartition(">")[2]: found for name, found in known.items()}
    matches = [*_CONSTRUCTOR.finditer(message), *_BROKEN.finditer(message)]
    broken = [name for match in matches if (name := _first_group(match).rpartition(">")[2]) in own]
    if broken:
        return _not_rebuilt(broken[-1], own[broken[-1]], message, attempt)
    return _raised_inside(error, own, attempt) or _other_weights(message, own, attempt) or _unreadable(error, attempt)


def unregistered(missing: str, attempt: Attempt) -> CustomLayerError:
    """What a class or function that neither Keras nor the project knows means to the user."""
    name = missing.rpartition(">")[2]
    beside = _source_beside(name, attempt)
    by_module = f"'{beside}' defines it: load that" if beside else "name the module that defines it"
    module = beside or "layers.py"
    return CustomLayerError(
        f"the class or function '{missing}' is not registered{did_you_mean(name, attempt.objects)}",
        where=str(attempt.file.path),
        fix=f"{by_module} under custom_layers.modules, or the object itself under custom_layers.objects:"
        f"\n      custom_layers: {{modules: [{module}]}}"
        f'\n      custom_layers: {{objects: {{"{missing}": "{module}:{name}"}}}}',
    )


def _source_beside(name: str, attempt: Attempt) -> str:
    """The path, as a recipe spells it, of a Python file next to the model that defines a class or function."""
    for path in sorted(attempt.file.path.parent.glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
        if any(isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name for node in tree.body):
            return path.relative_to(attempt.root).as_posix() if path.is_relative_to(attempt.root) else str(path)
    return ""


def _not_rebuilt(name: str, found: Any, message: str, attempt: Attempt) -> CustomLayerError:
    """A class whose constructor and whose configuration in the file don't fit."""
    cause = _cause(message)
    left_out = re.findall(r"'(\w+)'", _first_group(_LEFT_OUT.search(cause)))
    not_taken = _first_group(_NOT_TAKEN.search(cause)) or _first_key(_NOT_TAKEN_BY.search(cause))
    if left_out:
        fault, fix = _argument_left_out(found, left_out, attempt)
    elif not_taken in _OF_EVERY_LAYER:
        fault = f"its __init__ doesn't take '{not_taken}', which every layer has"
        fix = "end the parameters of __init__ with **kwargs, and begin it with super().__init__(**kwargs)"
    elif not_taken:
        fault = f"the file holds '{not_taken}' for it, which its __init__ doesn't take"
        fix = f"let __init__ take '{not_taken}', or let get_config() leave it out and save the model again"
    else:
        fault, fix = (
            cause,
            "let its get_config() return every argument of __init__, and __init__ take what the file holds",
        )
    return CustomLayerError(
        f"the class '{name}' can't be rebuilt from its configuration: {fault}{_without_super(name, attempt)}",
        where=str(attempt.file.path),
        fix=fix,
    )


def _argument_left_out(found: Any, arguments: list[str], attempt: Attempt) -> tuple[str, str]:
    listed = ", ".join(f"'{argument}'" for argument in arguments)
    entries = ", ".join(f'"{argument}": self.{argument}' for argument in arguments)
    layer = importlib.import_module(attempt.package).layers.Layer
    inherited = getattr(found, "get_config", None) is layer.get_config
    how = "it has no get_config() of its own, so" if inherited else "its get_config() leaves out what __init__ takes:"
    fix = (
        f"let its get_config() return {{**super().get_config(), {entries}}} and save the model again,"
        f" or give {listed} the model's value as a default in __init__"
    )
    return f"{how} the file doesn't hold {listed}", fix


def _without_super(name: str, attempt: Attempt) -> str:
    configs = list(attempt.file.configs_of(name))
    if configs and all("name" not in config for config in configs):
        return "; the file holds not even its name, since get_config() doesn't include super().get_config()"
    return ""


def _raised_inside(error: Exception, own: dict[str, Any], attempt: Attempt) -> CustomLayerError | None:
    """An exception that left a method of one of the project's own classes."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = _class_at(frame)
        if name in own:
            method, cause = frame.f_code.co_name, f"{type(error).__name__}: {_cause(str(error))}"
            return CustomLayerError(
                f"the class '{name}' can't be rebuilt: its {method}() raised {cause}",
                where=f"{frame.f_code.co_filename}:{line}",
                fix=f"correct {method}(); the file holds for it: {_shown(name, attempt)}",
            )
    return None


def _class_at(frame: FrameType) -> str:
    """Name of the class whose method a frame runs; empty for functions, and for methods that Keras brings."""
    if frame.f_globals.get("__name__", "").partition(".")[0] in TITLES:
        return ""
    owner = frame.f_locals.get("cls", type(frame.f_locals.get("self")))
    return owner.__name__ if isinstance(owner, type) else ""


def _shown(name: str, attempt: Attempt) -> str:
    held = sorted({key for config in attempt.file.configs_of(name) for key in config})
    return ", ".join(held) or "nothing"


def _other_weights(message: str, own: dict[str, Any], attempt: Attempt) -> CustomLayerError | None:
    found = _WEIGHTS.search(message)
    if found is None:
        return None
    layer, here, there = filter(None, found.groups())
    names = [name for name in own if any(config.get("name") == layer for config in attempt.file.configs_of(name))]
    if not names:
        return None
    return CustomLayerError(
        f"the class '{names[0]}' has {here} weights, and the file holds {there} for its layer '{layer}'",
        where=str(attempt.file.path),
        fix="restore the build() that the model was saved with, or save the model again",
    )


def _unreadable(error: Exception, attempt: Attempt) -> SourceError:
    return SourceError(
        f"is not a readable Keras file: {TITLES[attempt.package]} says {type(error).__name__}: {_cause(str(error))}",
        where=str(attempt.file.path),
        fix=_remedy(attempt.file, attempt.package),
    )


def _first_group(match: re.Match[str] | None) -> str:
    return next(filter(None, match.groups()), "") if match else ""


def _first_key(match: re.Match[str] | None) -> str:
    return next(iter(re.findall(r"'(\w+)':", match[1])), "") if match else ""


def _cause(message: str) -> str:
    """The innermost reason in a loader's message: its first line, without the configuration that is written out."""
    line = message.rpartition("Exception encountered:")[2].strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_CAUSE else f"{line[:_LONGEST_CAUSE]} ..."


def _remedy(file: KerasFile, package: str) -> str:
    if package != own_package(file):
        return "set source.loader: auto, which takes the Keras that wrote it"
    installed = importlib.import_module(package).__version__
    if package == "keras" and _numbers(file.keras_version) > _numbers(installed):
        return f"the file was saved by Keras {file.keras_version} and Keras {installed} is installed: install that one"
    return "copy or save it again; the log holds the whole traceback"


def _numbers(version: str) -> list[int]:
    """The numbers of a version, for comparing; a file may hold any text there."""
    return [int(number) for number in re.findall(r"\d+", version)]
