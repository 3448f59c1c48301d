"""The line of each key of a YAML file, which a loaded mapping doesn't hold any more."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from recipekit.compose.limits import LOADER

Key = tuple[str | int, ...]
Marks = dict[Key, int]
"""Line, counted from 1, of every key path and list item of a file."""


@lru_cache(maxsize=256)
def read_marks(text: str) -> Marks:
    """Key paths of a YAML text that has been parsed before, with their lines; not to be changed, it is remembered.

    An aliased node counts at its anchor's line and is not entered twice.
    """
    marks: Marks = {}
    _walk(yaml.compose(text, Loader=LOADER), (), marks, set())
    return marks


def first_repeated_key(text: str) -> tuple[str, int, int] | None:
    """The first key that stands twice in one mapping of a YAML text, with both lines; None where there is none."""
    pending = [yaml.compose(text, Loader=LOADER)]
    visited: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        lines: dict[str, int] = {}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            line = key.start_mark.line + 1
            if key.value in lines:
                return key.value, lines[key.value], line
            lines[str(key.value)] = line
            pending.append(value)
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
    return None


def _walk(node: Any, path: Key, marks: Marks, seen: set[int]) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key.value)
            marks[(*path, name)] = key.start_mark.line + 1
            _walk(value, (*path, name), marks, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            marks[(*path, index)] = value.start_mark.line + 1
            _walk(value, (*path, index), marks, seen)
