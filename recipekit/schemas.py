"""The package's JSON Schemas at work: compiled, to tell quickly whether there is a fault, and asked for their defaults.

What is wrong with a document is put into words elsewhere, by another library.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator as CompiledSchema

from recipekit.schema import resolved, schema

_WHOLE = "x-whole"
"""A keyword of our own beside `type: integer`, for the compiled schemas; to JSON Schema 5.0 is an integer, too."""


def is_faultless(document: Any, name: str) -> bool:
    """Whether one of the package's schemas finds nothing wrong with a document of JSON's types."""
    try:
        return _compiled(name).is_valid(document)
    except ValueError:  # a key or a value that JSON lacks
        return False


def with_defaults(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of a document with the schema's defaults in place of what it leaves out.

    Args:
        document: one without a fault, or with faults that defaults mend.
        name: of the schema.
    """
    return _defaults(name).filled(document)


class _Whole:
    """The keyword `x-whole`: no fraction, not even one that is nought."""

    def __init__(self, _part: Any, _wanted: Any, _path: Any) -> None:
        """Has nothing to remember."""

    def validate(self, value: Any) -> None:
        """Refuses what is written as a fraction."""
        if isinstance(value, float):
            raise ValueError("not an integer")  # noqa: TRY004  the library's way to say no


@cache
def _compiled(name: str) -> CompiledSchema:
    return _compile(schema(name))


def _compile(part: Any) -> CompiledSchema:
    return CompiledSchema(_with_whole_integers(part), keywords={_WHOLE: _Whole})


def _with_whole_integers(part: Any) -> Any:
    """A copy of a schema with our keyword wherever an integer is allowed."""
    if isinstance(part, list):
        return [_with_whole_integers(item) for item in part]
    if not isinstance(part, dict):
        return part
    whole = {_WHOLE: True} if "integer" in (part.get("type") or ()) else {}
    return {**{key: _with_whole_integers(item) for key, item in part.items()}, **whole}


class _Defaults(NamedTuple):
    """The defaults of one part of a schema, laid out once.

    Attributes:
        values: by key.
        sections: of the keys that hold mappings.
        others: of every other key, where their values are mappings of one kind.
        branches: further defaults, with the conditions under which they hold.
    """

    values: Mapping[str, Any]
    sections: Mapping[str, _Defaults]
    others: _Defaults | None
    branches: tuple[tuple[CompiledSchema, _Defaults], ...]

    def filled(self, section: dict[str, Any]) -> dict[str, Any]:
        """A copy of a section of a document with the defaults filled in."""
        filled = dict(section)
        for key, value in self.values.items():
            if key not in filled:
                filled[key] = deepcopy(value)
        for key, part in self.sections.items():
            if isinstance(filled.get(key), dict):
                filled[key] = part.filled(filled[key])
        if self.others is not None:
            for key in filled.keys() - self.sections.keys() - self.values.keys():
                if isinstance(filled[key], dict):
                    filled[key] = self.others.filled(filled[key])
        for condition, part in self.branches:
            if condition.is_valid(filled):
                filled = part.filled(filled)
        return filled


@cache
def _defaults(name: str) -> _Defaults:
    return _laid_out(schema(name), schema(name))


def _laid_out(part: Any, root: dict[str, Any]) -> _Defaults:
    part = resolved(part, root)
    properties = {key: sub for key, sub in part.get("properties", {}).items() if isinstance(sub, dict)}
    sections = {key: _laid_out(sub, root) for key, sub in properties.items()}
    others = part.get("additionalProperties")
    return _Defaults(
        values={key: sub["default"] for key, sub in properties.items() if "default" in sub},
        sections={key: section for key, section in sections.items() if any(section)},
        others=_laid_out(others, root) if isinstance(others, dict) and "$ref" in others else None,
        branches=tuple((_compile(one["if"]), _laid_out(one["then"], root)) for one in part.get("allOf", ())),
    )
