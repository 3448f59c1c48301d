"""Limits of size and depth for a YAML text, checked on the parser's events before any object is made.

A few hundred bytes of aliases can stand for gigabytes, and deep nesting for a stack that overflows.
"""

from __future__ import annotations

import yaml

MAX_CHARACTERS = 1 << 20
"""Length of a recipe file."""

MAX_DEPTH = 64
"""Mappings and lists inside each other."""

MAX_VALUES = 10_000
"""Keys and values, those that aliases repeat counted each time."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fastest of PyYAML's safe loaders that is installed."""


def excess(text: str) -> str:
    """Which limit a YAML text exceeds, in words; empty if none, or if it isn't YAML before it exceeds one."""
    if len(text) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS:,} characters"
    try:
        return _excess(text)
    except yaml.YAMLError:
        return ""


def _excess(text: str) -> str:
    sizes: dict[str | None, int] = {}
    total = 0
    begun: list[tuple[str | None, int]] = []  # of each mapping and list that is open: its anchor, the total before it
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in begun):
                return f"holds itself at the alias '*{event.anchor}'"
            total += sizes.get(event.anchor, 0)
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            begun.append((event.anchor, total))
            total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = begun.pop()
            sizes[anchor] = total - before
        if total > MAX_VALUES or len(begun) > MAX_DEPTH:
            return f"holds more than {MAX_VALUES:,} values, or is nested more than {MAX_DEPTH} deep"
    return ""
