"""Faults of a document: what a JSON Schema finds wrong, said for the person who wrote the document.

A fault names a key path, what is wrong there, what was expected, and the nearest known name. Where that path was
written (file and line) is known to others. This module also reads the schemas and fills in their defaults.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import jsonschema
from jsonschema.exceptions import ValidationError

from recipekit.nearest import did_you_mean

_TYPE_NAMES = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", type(None): "null"}

_MOST_REMEMBERED = 10_000

_faultless: set[tuple[str, str, bytes]] = set()
"""Parts of documents that have no fault: a section by its schema's `$id` and its name, a definition or a list of it by
its reference (no two schemas of the package share a name of one), and the digest of what the part holds."""


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


def find_faults(document: Any, name: str) -> list[Fault]:
    """Every fault of a document by one of the package's schemas, each path and message once, in document order."""
    errors = list(validator(name).iter_errors(document))
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    telling = [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped]
    found = {fault for error in telling for fault in _explain(error, document, schema(name))}
    return sorted(found, key=lambda fault: ([str(part) for part in fault.path], fault.message))


def with_defaults(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of a document with the schema's defaults in place of what it leaves out."""
    filled: dict[str, Any] = _filled(document, schema(name), schema(name))
    return filled


def dotted(path: tuple[str | int, ...]) -> str:
    """`converter.rules[0].match` for a key path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """The validator of one of the package's schemas, stricter than JSON Schema where records and digests are."""
    made: jsonschema.Draft202012Validator = _Validator(schema(name))
    return made


def _is_integer(_checker: Any, value: Any) -> bool:
    """JSON Schema counts 5.0 as an integer; records and digests don't."""
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(validator: Any, pattern: str, value: Any, _part: Any) -> Iterator[ValidationError]:
    """JSON Schema's `$` is the end of the text; Python's lets one more line feed pass."""
    if validator.is_type(value, "string") and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _properties(validator: Any, properties: dict[str, Any], value: Any, part: Any) -> Iterator[ValidationError]:
    """JSON Schema's keyword; a section that had no fault is not read again, which in a sweep is true of nearly all."""
    for key, rule in properties.items() if isinstance(value, dict) else ():
        if key in value:
            errors = validator.descend(value[key], rule, path=key, schema_path=key)
            yield from _unless_remembered((part["$id"], key), value[key], errors) if "$id" in part else errors


def _definition(validator: Any, reference: str, value: Any, part: Any) -> Iterator[ValidationError]:
    """JSON Schema's `$ref`; the same packages stand in the manifest of every child of a sweep."""
    errors = jsonschema.Draft202012Validator.VALIDATORS["$ref"](validator, reference, value, part)
    yield from _unless_remembered(("$ref", reference), value, errors or ())


def _items(validator: Any, rule: Any, value: Any, part: Any) -> Iterator[ValidationError]:
    """JSON Schema's keyword; see `_definition`."""
    errors = jsonschema.Draft202012Validator.VALIDATORS["items"](validator, rule, value, part)
    yield from _unless_remembered(("items", rule["$ref"]), value, errors) if "$ref" in rule else errors


def _unless_remembered(
    rule: tuple[str, str], value: Any, errors: Iterable[ValidationError]
) -> Iterator[ValidationError]:
    """The errors of a value, which are looked for only if the same rule didn't find the same value faultless before."""
    known = (*rule, hashlib.sha256(repr(value).encode(errors="surrogatepass")).digest())
    if known in _faultless:
        return
    found = list(errors)
    yield from found
    if not found and len(_faultless) < _MOST_REMEMBERED:
        _faultless.add(known)


_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
    jsonschema.Draft202012Validator,
    {"pattern": _pattern, "properties": _properties, "items": _items, "$ref": _definition},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def _filled(value: Any, part: Any, root: dict[str, Any]) -> Any:
    if not isinstance(part, dict) or not isinstance(value, dict):
        return value
    part = _resolved(part, root)
    filled = dict(value)
    for key, sub in part.get("properties", {}).items():
        if key not in filled and isinstance(sub, dict) and "default" in sub:
            filled[key] = deepcopy(sub["default"])
        if key in filled:
            filled[key] = _filled(filled[key], sub, root)
    sections = part.get("additionalProperties")
    if isinstance(sections, dict) and "$ref" in sections:
        filled |= {
            key: _filled(filled[key], sections, root) for key in filled.keys() - part.get("properties", {}).keys()
        }
    for branch in part.get("allOf", []):
        if _Validator(branch["if"]).is_valid(filled):
            filled = _filled(filled, branch["then"], root)
    return filled


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
    text = described.get("description", "") if isinstance(described, dict) else ""
    return f" ({text[0].lower()}{text[1:].rstrip('.')})" if text else ""


def _branch(error: ValidationError, document: Any, root: dict[str, Any]) -> str:
    """` with quantization: float16`: what the branch of the schema that an error stands in has looked at."""
    node: Any = root
    condition: dict[str, Any] = {}
    steps = list(error.absolute_schema_path)
    for index, step in enumerate(steps):  # the path leaves out the keywords `if` and `$ref`
        if step == "then" and index == len(steps) - 4:  # behind it `properties`, a key of the section, the rule
            condition = node["if"].get("properties", {})
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
