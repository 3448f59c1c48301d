"""What a YAML text may cost, counted from its events before anything is built of it.

A few hundred bytes of aliases can stand for gigabytes, and deep nesting for a stack that overflows.
"""

from __future__ import annotations

import yaml

MAX_BYTES = 1 << 20
"""Size of a recipe file."""

MAX_DEPTH = 64
"""Mappings and lists inside each other."""

MAX_VALUES = 100_000
"""Keys and values, those that aliases repeat counted each time."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def excess(text: str) -> str:
    """Which limit a YAML text exceeds, in words; empty if none.

    Raises:
        yaml.YAMLError: the text isn't YAML.
    """
    if len(text) > MAX_BYTES:
        return f"is longer than {MAX_BYTES:,} characters"
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]  # anchor and size of each node that has not ended
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, 1))
            continue
        if isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                return f"repeats itself without end at the alias '*{event.anchor}'"
            anchor, size = None, sizes[event.anchor]
        else:
            continue
        if anchor:
            sizes[anchor] = size
        parent, total = open_nodes.pop()
        open_nodes.append((parent, total + size))
        if total + size > MAX_VALUES:
            return f"holds more than {MAX_VALUES:,} values"
        if len(open_nodes) > MAX_DEPTH:
            return f"is nested more than {MAX_DEPTH} deep"
    return ""
