"""Faults of a document: what a JSON Schema finds wrong, said for the person who wrote the document.

A fault names a key path, what is wrong there, what was expected, and the nearest known name. Where that path was
written (file and line) is known to others. This module also reads the schemas and fills in their defaults.

Two libraries read the same schema. The compiled one, fifty times as fast, says whether there is any fault; the one
whose errors can be put into words is imported where there is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from jsonschema_rs import Draft202012Validator as CompiledSchema

from recipekit.nearest import did_you_mean

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_TYPE_NAMES = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", type(None): "null"}

_WHOLE = "x-whole"
"""A keyword of our own beside `type: integer`, for the compiled schemas; to JSON Schema 5.0 is an integer, too."""


class Fault(NamedTuple):
    """One thing wrong with a document: the key path of the culprit, and a message without the full stop."""

    path: tuple[str | int, ...]
    message: str


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema of the package, by its file's stem (`recipe`, `manifest`)."""
    text = files("recipekit.schema").joinpath(f"{name}.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def is_faultless(document: Any, name: str) -> bool:
    """Whether one of the package's schemas finds nothing wrong with a document of JSON's types."""
    try:
        return _compiled(name).is_valid(document)
    except ValueError:  # a key or a value that JSON lacks
        return False


def find_faults(document: Any, name: str) -> list[Fault]:
    """Every fault of a document by one of the package's schemas, each path and message once, in document order."""
    if is_faultless(document, name):
        return []
    errors = list(validator(name).iter_errors(document))
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    telling = [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped]
    found = {fault for error in telling for fault in _explain(error, document, schema(name))}
    return sorted(found, key=lambda fault: ([str(part) for part in fault.path], fault.message))


def with_defaults(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of a document with the schema's defaults in place of what it leaves out.

    Args:
        document: one without a fault, or with faults that defaults mend.
        name: of the schema.
    """
    return _defaults(name).filled(document)


def dotted(path: tuple[str | int, ...]) -> str:
    """`converter.rules[0].match` for a key path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator that names the faults; stricter than JSON Schema where records and digests are."""
    import jsonschema  # noqa: PLC0415  takes 0.1 s, or 1.5 where its extras for formats are installed

    def pattern(validator: Any, pattern: str, value: Any, _part: Any) -> Iterator[ValidationError]:
        """JSON Schema's `$` is the end of the text; Python's lets one more line feed pass."""
        if validator.is_type(value, "string") and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
            yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")

    strict = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        jsonschema.Draft202012Validator,
        {"pattern": pattern},
        type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
            "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
        ),
    )
    made: Draft202012Validator = strict(schema(name))
    return made


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
    part = _resolved(part, root)
    properties = {key: sub for key, sub in part.get("properties", {}).items() if isinstance(sub, dict)}
    sections = {key: _laid_out(sub, root) for key, sub in properties.items()}
    others = part.get("additionalProperties")
    return _Defaults(
        values={key: sub["default"] for key, sub in properties.items() if "default" in sub},
        sections={key: section for key, section in sections.items() if any(section)},
        others=_laid_out(others, root) if isinstance(others, dict) and "$ref" in others else None,
        branches=tuple((_compile(one["if"]), _laid_out(one["then"], root)) for one in part.get("allOf", ())),
    )


def _resolved(part: Any, root: dict[str, Any]) -> Any:
    """A part of a schema, or the definition that it refers to."""
    return root["$defs"][part["$ref"].rpartition("/")[2]] if isinstance(part, dict) and "$ref" in part else part


def _explain(error: ValidationError, document: Any, root: dict[str, Any]) -> Iterator[Fault]:
    """Words one validation error; an unknown or missing key becomes a fault of its own path."""
    path = tuple(error.absolute_path)
    facts: Any = error  # the stubs mark every attribute as possibly unset, which a raised error's never is
    if facts.validator == "additionalProperties":
        known = list(facts.schema["properties"])
        for key in sorted(set(facts.instance) - set(known), key=str):
            yield Fault((*path, key), f"unknown key '{dotted((*path, key))}'{_nearest(str(key), known)}")
    elif facts.validator == "required":
        for key in sorted(set(facts.validator_value) - set(facts.instance)):
            yield Fault((*path, key), f"'{dotted((*path, key))}' is missing{_purpose(facts.schema, key)}")
    elif facts.validator == "not" and facts.validator_value == {}:
        yield Fault(path, f"'{dotted(path)}' has no meaning{_branch(error, document, root)}")
    else:
        yield Fault(path, f"'{dotted(path) or 'the recipe'}' {_wording(facts, _branch(error, document, root))}")


_LIMITS = {
    "minimum": "must be at least {limit}, got {value}",
    "maximum": "must be at most {limit}, got {value}",
    "exclusiveMinimum": "must be greater than {limit}, got {value}",
    "exclusiveMaximum": "must be less than {limit}, got {value}",
    "minProperties": "must not be empty",
    "minItems": "must not be empty",
    "minLength": "must not be empty",
    "uniqueItems": "must not name anything twice, got {value}",
}

_FORMS = {
    "name": "a slug of at most 64 lower-case letters, digits, '.', '_' and '-' that starts with a letter or digit",
    "version": 'a semantic version such as "1.0.0"',
    "sha256": "64 lower-case hexadecimal digits",
    "granularity": "per_channel, per_tensor or blockwise_<size>",
    "factory": 'an address such as "package.module:function"',
}


def _wording(error: Any, branch: str) -> str:
    value, limit, rule = error.instance, error.validator_value, error.validator
    if rule == "enum":
        choices = ", ".join(str(choice) for choice in limit)
        return f"must be one of {choices}{branch}; got {_shown(value)}{did_you_mean(str(value), map(str, limit))}"
    if rule == "type":
        kinds = " or ".join(_article(kind) for kind in ([limit] if isinstance(limit, str) else limit))
        return f"must be {kinds}, got {_described(value)}{_quoting_hint(limit, value)}"
    if rule in {"pattern", "not"}:
        form = _FORMS.get(str(error.absolute_path[-1]), 'an address such as "package.module:name"')
        return f"must be {form}, got {_shown(value)}"
    return _LIMITS.get(rule, "is wrong: {message}").format(limit=limit, value=_shown(value), message=error.message)


def _nearest(key: str, known: list[str]) -> str:
    return did_you_mean(key, known) or f"; known here: {', '.join(known)}"


def _purpose(part: dict[str, Any], key: str) -> str:
    described = part.get("properties", {}).get(key)
    if not isinstance(described, dict) or not described.get("description"):
        return ""
    text = described["description"]
    example = f": add it, such as '{key}: {described['examples'][0]}'" if "examples" in described else ""
    return f" ({text[0].lower()}{text[1:].rstrip('.')}){example}"


def _branch(error: ValidationError, document: Any, root: dict[str, Any]) -> str:
    """` with quantization: float16`: what the branch of the schema that an error stands in has looked at."""
    node: Any = root
    condition: dict[str, Any] = {}
    steps = list(error.absolute_schema_path)
    for index, step in enumerate(steps):  # the path leaves out the keywords `if` and `$ref`
        if step == "then" and index == len(steps) - 4:  # behind it `properties`, a key of the section, the rule
            condition = node["if"]["properties"]
        node = _resolved(node, root)[step]
    section = document
    for key in list(error.absolute_path)[:-1]:
        section = section[key]
    read = [
        f"{key}: {section.get(key, rule.get('const'))}"
        for key, rule in condition.items()
        if {"const", "enum"} & set(rule)
    ]
    return f" with {', '.join(read)}" if read else ""


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _described(value: Any) -> str:
    kind = _TYPE_NAMES.get(type(value), "a mapping" if isinstance(value, dict) else "a list")
    return kind if value is None or isinstance(value, dict | list) else f"{kind} ({_shown(value)})"


def _article(kind: str) -> str:
    return {"object": "a mapping", "array": "a list", "integer": "an integer", "null": "null"}.get(kind, f"a {kind}")


def _quoting_hint(expected: Any, value: Any) -> str:
    """YAML turns `1.10`, `on` and `012` into something else than text; quotes keep them."""
    if expected == "string" and isinstance(value, bool | int | float):
        return ": put it in quotes"
    return ""
