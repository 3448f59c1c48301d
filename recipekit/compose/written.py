"""The values of a recipe one by one, each with where it was written. It knows no files and composes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Key = tuple[str | int, ...]


class Written(NamedTuple):
    """A value of a recipe and where it was written.

    Attributes:
        key: its path of keys.
        value: a JSON value.
        origin: file and line, `command line: KEY=VALUE`, or `default` for one that nobody wrote.
    """

    key: Key
    value: Any
    origin: str


def written(resolved: Mapping[str, Any], composed: Mapping[str, Any], origin: Callable[[Key], str]) -> list[Written]:
    """Every value of a recipe that is neither a mapping with keys nor a list of mappings.

    Args:
        resolved: the recipe, complete with defaults.
        composed: as it was composed, before it was completed.
        origin: where a key of `composed` was written.
    """
    known = {key for key, _ in _leaves(composed, ())}
    return [Written(key, value, origin(key) if key in known else "default") for key, value in _leaves(resolved, ())]


def _leaves(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, (*key, name))
    else:
        yield key, value
