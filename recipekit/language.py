"""The keys of the recipe language, read from its JSON Schema: for the reference, for editors, for shell completion.

A key may mean different things by what stands beside it (`source.kind`, a dataset's `plugin`), so the schema says
several things of it; they are its parts. A shell waits for completion, so nothing but the schema is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recipekit import schema
from recipekit.schema import Part


def recipe_schema() -> Part:
    """The schema of composed recipes."""
    return schema.schema("recipe")


def resolved(part: Part) -> Part:
    """A part of it with the definition that it refers to; what it says itself goes first."""
    return schema.resolved(part, recipe_schema())


def branches(part: Part) -> Iterator[tuple[dict[str, tuple[Any, ...]], Part]]:
    """What else is said of a mapping, each with the values of keys under which it holds; none where it's general.

    No value of a key stands for all that other branches don't name.
    """
    for branch in part.get("allOf", ()):
        condition = branch["if"].get("properties", {})
        values = {
            key: tuple(rule["enum"]) if "enum" in rule else (rule["const"],) if "const" in rule else ()
            for key, rule in condition.items()
        }
        yield values, resolved(branch["then"])


def children(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """The keys that a mapping may hold, each with all that is said of it: first in general, then by branch."""
    found: dict[str, list[Part]] = {}
    for part in map(resolved, parts):
        for key, said in part.get("properties", {}).items():
            if isinstance(said, dict) and said != {"not": {}}:
                found.setdefault(key, []).append(resolved(said))
        for key, more in children([then for _, then in branches(part)]).items():
            found.setdefault(key, []).extend(more)
    return found


def others(parts: Sequence[Part]) -> list[Part]:
    """What is said of keys by names of the user's own, such as metrics; empty where there are none."""
    said = [resolved(part).get("additionalProperties") for part in parts]
    return [resolved(part) for part in said if isinstance(part, dict)]


def place(path: Sequence[str]) -> list[Part]:
    """What is said of a key of a recipe; empty if the language doesn't know it."""
    parts = [recipe_schema()]
    for key in path:
        parts = children(parts).get(key) or others(parts)
    return parts


def first(parts: Sequence[Part], keyword: str) -> Any:
    """What the first part that has a keyword says by it; None where none has."""
    return next((part[keyword] for part in parts if keyword in part), None)


def choices(parts: Sequence[Part]) -> dict[Any, str]:
    """The values that a key may have, where they can be listed, with what each means; booleans among them."""
    found: dict[Any, str] = {}
    for part in (alternative for each in parts for alternative in (each, *each.get("anyOf", ()))):
        meanings = part.get("enumDescriptions", ())
        for index, value in enumerate(part.get("enum", ())):
            found.setdefault(value, meanings[index] if meanings else "")
    return found or ({True: "", False: ""} if "boolean" in kinds(parts) else {})


def kinds(parts: Sequence[Part]) -> list[str]:
    """JSON Schema's names of the types that a key may have; empty where only its values are listed."""
    listed = [part.get("type", []) for part in parts]
    return list(dict.fromkeys(kind for each in listed for kind in ([each] if isinstance(each, str) else each)))


def is_mapping(parts: Sequence[Part]) -> bool:
    """Whether a key holds further keys that the language knows, or such by names of the user's own."""
    return "object" in kinds(parts) and bool(children(parts) or others(parts))


def walk(path: tuple[str, ...] = (), parts: Sequence[Part] = ()) -> Iterator[tuple[tuple[str, ...], list[Part]]]:
    """Every key below a place, in the schema's order; `NAME` stands for names of the user's own."""
    below: Mapping[str, list[Part]] = children(parts or [recipe_schema()])
    for key, said in below.items():
        yield (*path, key), said
        if "object" in kinds(said):
            yield from walk((*path, key), said) if children(said) else ()
            if others(said):
                yield (*path, key, "NAME"), others(said)
                yield from walk((*path, key, "NAME"), others(said)) if children(others(said)) else ()
