"""The schema of composed recipes made into one of single files, for editors that know JSON Schema up to draft 7.

A file is a part of a recipe: defaults and other files bring the rest. So nothing is required, a condition holds only
where the file itself says what it is about, and an interpolation may stand for any value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from recipekit.language import branches, children, resolved
from recipekit.schema import Part

DRAFT = "http://json-schema.org/draft-07/schema#"

LATER = r"\$\{|^\?\?\?$"
"""Values that are known when the recipe is composed: an interpolation, or `???` for one that others must give."""

_DROPPED = {"required", "minProperties", "title", "$schema", "$id", "$defs", "not"}


def partial(part: Part, *, item: bool = False) -> Part:
    """A part of the schema as it is for a file.

    Args:
        part: references in it lead to `definitions` afterwards.
        item: whether it stands in a list, which no other file completes.
    """
    made = {key: _translated(key, value, item=item) for key, value in part.items() if item or key not in _DROPPED}
    if "allOf" in made:
        branched = [*(branch for branch in made.pop("allOf") if branch["then"]), *_without_a_choice(part)]
        made |= {"allOf": branched} if branched else {}
    if "$ref" in made:
        made["$ref"] = made["$ref"].replace("#/$defs/", "#/definitions/")
    return _open_to_later_values(_documented(made))


def _translated(key: str, value: Any, *, item: bool) -> Any:
    if key == "properties":
        return {name: _of_key(said, item=item) for name, said in value.items()}
    if key == "items":
        return partial(value, item=True)
    if key in {"additionalProperties", "then"} and isinstance(value, dict):
        return partial(value, item=item)
    if key == "allOf":
        return [{"if": _written_here(branch["if"]), "then": partial(branch["then"])} for branch in value]
    if key == "examples":
        return [yaml.safe_load(example) for example in value]
    return value


def _of_key(said: Any, *, item: bool) -> Any:
    if isinstance(said, bool):
        return said
    return False if said == {"not": {}} else partial(said, item=item)


def _written_here(condition: Part) -> Part:
    """A condition that holds only where the file says all of what it looks at."""
    looked_at = condition.get("properties", {})
    return {**condition, "required": sorted(looked_at)} if looked_at else condition


def _without_a_choice(part: Part) -> Iterator[Part]:
    """What a mapping may hold where another file makes the choice that its keys depend on."""
    chosen = {key for condition, _ in branches(part) for key in condition if set(condition) == {key}}
    (choice,) = chosen & {"kind", "plugin"} or {""}
    if choice:
        offered = {key: _either(said) for key, said in children([part]).items() if key not in part["properties"]}
        then: Part = {"properties": dict.fromkeys(part["properties"], True) | offered}
        if choice == "kind":  # a dataset's plugin may be the user's own, with parameters of its own
            then["additionalProperties"] = False
        yield {"if": {"not": {"required": [choice]}}, "then": then}


def _either(said: list[Part]) -> Part:
    """What several choices say of one key."""
    different = list({json.dumps(partial(one), sort_keys=True): partial(one) for one in said}.values())
    if len(different) == 1:
        return different[0]
    described = {key: value for key, value in different[0].items() if key in {"description", "markdownDescription"}}
    return {**described, "anyOf": different}


def _documented(made: Part) -> Part:
    """A part with what an editor shows of it: its meaning, its default, what each value means."""
    if isinstance(made.get("description"), str):
        text = made["description"]
        if "default" in made and made["default"] not in ({}, []):
            text += f"\n\nDefault: `{json.dumps(made['default'])}`"
        made["markdownDescription"] = text
    if "enumDescriptions" in made:
        made["markdownEnumDescriptions"] = made["enumDescriptions"]
    return made


def _open_to_later_values(made: Part) -> Part:
    """A part that also takes a text which stands for a value that comes later."""
    if "enum" in made:
        listed = {key: made.pop(key) for key in ("enum", "enumDescriptions", "markdownEnumDescriptions") if key in made}
        return {**made, "anyOf": [listed, {"type": "string", "pattern": LATER}]}
    kinds = made.get("type")
    if kinds is None:
        return made
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if "string" not in kinds:
        named = " or ".join(kinds)
        message = f"must be {named}, or an interpolation such as ${{seed}}"
        return {**made, "type": [*kinds, "string"], "pattern": LATER, "patternErrorMessage": message}
    return {**made, "pattern": f"({made['pattern']})|{LATER}"} if "pattern" in made else made


def definition(name: str, schema: Part) -> Part:
    """A definition of the schema, without references at its top."""
    return partial(resolved(schema["$defs"][name]))
