"""Faults of a document: what a JSON Schema finds wrong, said for the person who wrote the document.

A fault names a key path, what is wrong there, what was expected, and the nearest known name. Where that path was
written (file and line) is known to others.

Two libraries read the same schema. The compiled one of `recipekit.schemas`, fifty times as fast, says whether there is
any fault; the one whose errors can be put into words is imported where there is one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from recipekit.nearest import did_you_mean
from recipekit.schema import resolved, schema
from recipekit.schemas import is_faultless

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_FORMATS = ("fqdn", "isoduration", "jsonpointer", "rfc3339_validator", "rfc3987", "rfc3987_syntax", "uri_template")
"""Libraries of jsonschema's extras; Jupyter brings one whose grammar takes two seconds to build."""

_TYPE_NAMES = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", type(None): "null"}


class Fault(NamedTuple):
    """One thing wrong with a document: the key path of the culprit, and a message without the full stop."""

    path: tuple[str | int, ...]
    message: str


def find_faults(document: Any, name: str) -> list[Fault]:
    """Every fault of a document by one of the package's schemas, each path and message once, in document order."""
    if is_faultless(document, name):
        return []
    errors = list(validator(name).iter_errors(document))
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    telling = [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped]
    found = {fault for error in telling for fault in _explain(error, document, schema(name))}
    return sorted(found, key=lambda fault: ([str(part) for part in fault.path], fault.message))


def dotted(path: tuple[str | int, ...]) -> str:
    """`converter.rules[0].match` for a key path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator that names the faults; stricter than JSON Schema where records and digests are."""
    with _no_formats():
        import jsonschema  # noqa: PLC0415  takes 0.1 s, and only faults need it

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


@contextmanager
def _no_formats() -> Iterator[None]:
    """Hides what jsonschema would import for formats that no schema here asks for."""
    hidden = [name for name in _FORMATS if name not in sys.modules]
    absent: Any = dict.fromkeys(hidden)  # None says that a module isn't there
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


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
            condition = node["if"].get("properties", {})
        here: Any = resolved(node, root)
        node = here[step]
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
