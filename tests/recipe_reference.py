"""docs/recipe.md, made of the recipe schema: every key with its type, default, values, meaning and an example."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from recipekit.language import branches, children, choices, first, is_mapping, kinds, others, recipe_schema
from recipekit.registry import is_built_in, names
from recipekit.schema import Part

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "recipe.md"

_HEAD = """\
# The recipe, key by key

A recipe is YAML, composed by Hydra from a file in `recipes/`, options of groups, and the command line. This page lists
what the composed recipe may hold. Dots stand for keys inside of keys, `NAME` for a name of your own: the bound
`acceptance.task.NAME.max_drop` is written `acceptance: {task: {top1_accuracy: {max_drop: 0.01}}}` in a file, and
`acceptance.task.top1_accuracy.max_drop=0.01` on the command line.

A key without a default may be left out, unless it is marked as required. What rules between several keys say beyond
this page, `recipekit validate` tells with the place. `recipekit schema` prints the JSON Schema that this page is made
of (`pytest --update-goldens tests/test_recipe_reference.py`); [editors.md](editors.md) has an editor show it while you
write.
"""

_COLUMNS = "| key | type | default | meaning | example |\n|---|---|---|---|---|\n"
_KINDS = {"object": "mapping", "array": "list", "boolean": "true or false"}


def document() -> str:
    """The whole page."""
    root = recipe_schema()
    sections = {key: parts for key, parts in children([root]).items() if is_mapping(parts)}
    plain = [row for key in children([root]) if key not in sections for row in _rows((key,), root)]
    parts = [_HEAD, "## Keys at the top", "", _COLUMNS + "".join(plain)]
    for key, said in sections.items():
        if not _is_dataset(said):
            parts += [f"## `{key}`", "", f"{first(said, 'description')}{_need(key, root)}", "", *_section(key, said)]
    dataset = children([root])["representative_dataset"]
    parts += ["## Datasets", "", _DATASETS, "", *_section("dataset", dataset)]
    finetune = children(children(sections["optimize"])["prune"])["finetune"]
    parts += [
        "## Fine-tuning",
        "",
        "Under `finetune`: training on labelled samples.",
        "",
        *_section("finetune", finetune),
    ]
    return "\n".join(parts)


_DATASETS = (
    "Calibration data under `representative_dataset`, the samples of the comparison under `evaluation.dataset`, and"
    " labelled ones under\n`finetune.dataset`, all say the same: a plugin, what is done with its samples, and the"
    " plugin's own parameters.\n[plugins.md](plugins.md) tells more, and how to add a plugin of yours, whose parameters"
    " are then its own."
)


def _section(name: str, parts: Sequence[Part]) -> Iterator[str]:
    """The tables of a section: its keys, those that a choice brings along, and what choices exclude."""
    (part,) = parts
    if part.get("properties"):
        yield _COLUMNS + "".join(_table(name, part))
    known = set(part.get("properties", {}))
    notes = []
    for condition, then in _flat(part):
        new = [key for key, said in then.get("properties", {}).items() if key not in known and said is not True]
        if condition and new:
            chosen = ", ".join(
                f"`{key}: {value}`" if values else f"any other `{key}`"
                for key, values in condition.items()
                for value in values or (None,)
            )
            yield f"With {chosen}:\n"
            yield _COLUMNS + "".join(row for key in new for row in _rows((name, key), then))
        elif new:
            yield _COLUMNS + "".join(row for key in new for row in _rows((name, key), then))
        else:
            notes += list(_narrowed(condition, then))
    if notes:
        yield "What a choice means for other keys:\n"
        yield "| where | key | |\n|---|---|---|\n" + "".join(notes)


def _flat(part: Part) -> Iterator[tuple[dict[str, tuple[Any, ...]], Part]]:
    """The branches of a part; one that holds under no choice and has branches of its own stands for these."""
    for condition, then in branches(part):
        if not condition and "allOf" in then:
            yield {}, {**then, "allOf": []}
            yield from branches(then)
        else:
            yield condition, then


def _table(name: str, part: Part) -> Iterator[str]:
    for key in part.get("properties", {}):
        yield from _rows((name, key), part)


def _rows(path: tuple[str, ...], part: Part) -> Iterator[str]:
    """A row for a key, then the rows of the keys inside of it."""
    said = children([part])[path[-1]] if path[-1] != "NAME" else others([part])
    if said == [{}]:
        return
    required = path[-1] in part.get("required", ())
    yield _row(path, said, required=required)
    if not is_mapping(said) or _is_dataset(said) or "epochs" in children(said):
        return
    for inner in said[:1]:
        for key in inner.get("properties", {}):
            yield from _rows((*path, key), inner)
        if any(others([inner])) and children(others([inner])):
            yield from _rows((*path, "NAME"), inner)


def _row(path: tuple[str, ...], said: Sequence[Part], *, required: bool) -> str:
    key = ".".join(path)
    default = "required" if required else _default(said)
    values = choices(said) if "boolean" not in kinds(said) else {}
    meant = [first(said, "description") or ""]
    if _is_dataset(said):
        meant = [f"{first(said, 'description')} See [Datasets](#datasets)."]
    elif "epochs" in children(said):
        meant = [f"{first(said, 'description')} See [Fine-tuning](#fine-tuning)."]
    meant += [f"`{value}`: {text}" for value, text in values.items() if text]
    if path[-1] == "plugin":
        built_in = (name for name in names("datasets") if is_built_in("datasets", name))
        meant.append("Built in: " + ", ".join(f"`{name}`" for name in built_in) + ".")
    cells = (
        f"`{key}`",
        _type(said, values),
        default,
        "<br>".join(meant).replace("|", "\\|"),
        _example(path, said, values),
    )
    return f"| {' | '.join(cells)} |\n"


def _type(said: Sequence[Part], values: dict[Any, str]) -> str:
    if values:
        return ", ".join(f"`{_yaml(value)}`" for value in values)
    shown = " or ".join(_KINDS.get(kind, kind) for kind in kinds(said)) or "any"
    return f"{shown}{_limits(said)}"


def _limits(said: Sequence[Part]) -> str:
    limits = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "exclusiveMinimum": "above {}",
        "exclusiveMaximum": "below {}",
    }
    found = [text.format(said[0][key]) for key, text in limits.items() if key in said[0]]
    return f", {', '.join(found)}" if found else ""


def _default(said: Sequence[Part]) -> str:
    given = [part["default"] for part in said if "default" in part]
    return f"`{_yaml(given[0])}`" if given else ""


def _example(path: tuple[str, ...], said: Sequence[Part], values: dict[Any, str]) -> str:
    given = first(said, "examples")
    if given:
        return f"`{path[-1]}: {given[0]}`"
    default = first(said, "default")
    value = next((value for value in values if value != default), default) if values else default
    if isinstance(default, bool):
        value = not default
    elif "boolean" in kinds(said):
        value = False
    return "" if value in (None, {}, [], "") else f"`{path[-1]}: {_yaml(value)}`"


def _narrowed(condition: dict[str, tuple[Any, ...]], then: Part) -> Iterator[str]:
    """What a branch says of keys that are there anyway."""
    chosen = " and ".join(
        f"`{key}` {' or '.join(map(str, values))}" if values != (None,) else f"some of `{key}`"
        for key, values in condition.items()
    )
    for key, rule in then.get("properties", {}).items():
        says = []
        if rule == {"not": {}}:
            says.append("has no meaning")
        if "enum" in rule:
            says.append("one of " + ", ".join(f"`{value}`" for value in rule["enum"]))
        if "default" in rule:
            says.append(f"default `{_yaml(rule['default'])}`")
        if says:
            yield f"| {chosen} | `{key}` | {'; '.join(says)} |\n"


def _need(key: str, root: Part) -> str:
    return " Required." if key in root["required"] else ""


def _is_dataset(said: Sequence[Part]) -> bool:
    return "plugin" in children(said)


def _yaml(value: Any) -> str:
    return (json.dumps(value).strip('"') or '""') if isinstance(value, str) else json.dumps(value).replace('"', "")
