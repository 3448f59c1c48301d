"""The schemas of a project's files: one for recipes, one for the option files of each group, and which file has which.

They know the project: the options of its groups, its recipes, the plugins and metrics that are built in, installed, or
registered by modules that its recipes name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

from recipekit.compose.folders import group_options, recipe_files, user_groups
from recipekit.compose.reach import CHOOSABLE, GROUPS
from recipekit.editors.partial import DRAFT, LATER, definition, partial
from recipekit.editors.registrations import registered
from recipekit.language import recipe_schema, resolved
from recipekit.project import Project
from recipekit.registry import names
from recipekit.schema import Part

FOLDER = ".recipekit"
"""Where the schemas of a project lie, below its root."""

_HYDRA: Part = {
    "type": "object",
    "description": "What a recipe may set of Hydra: a sweep that is written into the recipe.",
    "properties": {
        "mode": {"enum": ["RUN", "MULTIRUN"], "description": "MULTIRUN: running the recipe sweeps."},
        "sweeper": {
            "type": "object",
            "description": "How the sweep is made.",
            "properties": {
                "params": {
                    "type": "object",
                    "description": "Keys and groups with the values to try, such as converter: int8,float16.",
                },
                "objectives": {
                    "type": "object",
                    "description": "Of a search by recipekit_optuna: metrics with minimize or maximize.",
                    "additionalProperties": {"enum": ["minimize", "maximize"]},
                },
                "sampler": {
                    "enum": ["tpe", "nsgaii", "random", "qmc", "grid"],
                    "description": "Of a search: what chooses the next trial.",
                },
                "n_trials": {"type": "integer", "minimum": 1, "description": "Of a search: trials in all."},
            },
        },
    },
    "additionalProperties": False,
}


def editor_schemas(project: Project) -> dict[str, Part]:
    """The schemas by their files' stems: `recipe`, and the groups of the language."""
    root = recipe_schema()
    definitions = {name: definition(name, root) for name in root["$defs"]}
    shared = {key: partial(said) for key, said in root["properties"].items()}
    options = group_options(project)
    recipes = tuple(recipe_files(project))
    body = {**shared, "defaults": _defaults(options, recipes, "recipes that this one extends"), "hydra": _HYDRA}
    made: dict[str, Part] = {
        "recipe": {"type": "object", "properties": body, "additionalProperties": False},
        **{
            group: _option_file(
                partial(resolved(root["properties"][group])),
                definitions,
                _defaults(options, options.get(group, ()), f"other options of {group} that this one extends"),
            )
            for group in GROUPS
        },
    }
    for schema in made.values():
        schema.update({"$schema": DRAFT, "definitions": _used(schema, definitions)})
        _name_plugins(schema, project)
    made["recipe"]["title"] = "recipekit recipe"
    for group in GROUPS:
        made[group]["title"] = f"recipekit {group}"
    return made


def editor_settings(project: Project) -> dict[str, list[str]]:
    """Which files have which schema, as the setting `yaml.schemas` of an editor in the project's root has it."""
    recipes = project.recipes.relative_to(project.root).as_posix()
    own = [
        group for group in user_groups(project) if group not in GROUPS and any((project.recipes / group).glob("*.yaml"))
    ]
    found = {f"{FOLDER}/recipe.schema.json": [f"{recipes}/*.yaml", *(f"{recipes}/{group}/*.yaml" for group in own)]}
    return found | {f"{FOLDER}/{group}.schema.json": [f"{recipes}/{group}/*.yaml"] for group in GROUPS}


def _defaults(options: dict[str, list[str]], siblings: Iterable[str], meaning: str) -> Part:
    """The schema of a defaults list."""
    later = {"type": "string", "pattern": rf"{LATER}|[/@]|^optional "}
    chosen: Part = {}
    for group, names_of_it in options.items():
        value = _option(names_of_it)
        chosen[f"/{group}"] = {**value, "description": f"Chooses an option of the group {group}."}
        chosen[f"override /{group}"] = {**value, "description": "Chooses another option than the recipe it extends."}
    for group in CHOOSABLE:
        for key in (f"override /{group}", f"/{group}", f"override {group}"):
            chosen[key] = {"type": "string", "description": "An installed launcher or sweeper of Hydra."}
    entry = {
        "type": "object",
        "properties": chosen,
        "patternProperties": {r"@|^optional |^(override )?/?[^/ ]+/.+": {}},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    itself = {"enum": ["_self_"], "description": "Where this file's own keys stand in the order of the merge."}
    listed = {"enum": list(siblings), "description": f"One of the {meaning}."}
    return {
        "type": "array",
        "description": "What the file is made of, later entries winning over earlier ones.",
        "items": {"anyOf": [itself, *([listed] if listed["enum"] else []), entry, later]},
    }


def _option(names_of_it: list[str]) -> Part:
    one: list[Part] = [{"enum": names_of_it}, {"type": "string", "pattern": LATER}]
    return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}}, {"type": "null"}]}


def _option_file(section: Part, definitions: dict[str, Part], defaults: Part) -> Part:
    """A section's schema for a file of its own, which may have a defaults list in every branch that closes it."""
    made = deepcopy(section)
    for part in _branches(made, definitions):
        if part.get("additionalProperties") is False:
            part["properties"]["defaults"] = True
    made.setdefault("properties", {})["defaults"] = defaults
    return {key: value for key, value in made.items() if key not in {"pattern", "patternErrorMessage"}} | {
        "type": "object"
    }


def _branches(part: Part, definitions: dict[str, Part]) -> Iterator[Part]:
    """A part and those that hold for the same mapping, definitions among them copied into their place."""
    if "$ref" in part:
        part.update(deepcopy(definitions[part.pop("$ref").rpartition("/")[2]]))
    yield part
    for branch in part.get("allOf", ()):
        yield from _branches(branch["then"], definitions)


def _name_plugins(schema: Part, project: Project) -> None:
    """Puts the names of dataset plugins and metrics where a recipe names them."""
    datasets = sorted({*names("datasets"), *registered(project, "datasets")})
    metrics = sorted({*names("metrics"), *registered(project, "metrics")})
    for part in _all_parts(schema):
        properties = part.get("properties")
        if not isinstance(properties, dict):
            continue
        if "plugin" in properties and "allow_random" in properties and isinstance(properties["plugin"], dict):
            said = properties["plugin"]
            said["anyOf"] = [{"enum": datasets}, {"type": "string", "pattern": LATER}]
            unknown = {"properties": {"plugin": {key: said.pop(key) for key in ("anyOf",)}}}
            part["allOf"] = [*part["allOf"], {"if": {"not": {"required": ["modules"]}}, "then": unknown}]
        if isinstance(properties.get("metrics"), dict):
            _name_metrics(properties["metrics"], metrics)
        if isinstance(properties.get("task"), dict):
            _name_metrics(properties["task"], metrics)


def _name_metrics(said: Part, metrics: list[str]) -> None:
    if isinstance(said.get("additionalProperties"), dict):
        said["properties"] = dict.fromkeys(metrics, said["additionalProperties"])
        said["propertyNames"] = {"anyOf": [{"enum": metrics}, {"pattern": rf"[:/]|{LATER}"}]}


def _used(schema: Part, definitions: dict[str, Part]) -> dict[str, Part]:
    """Copies of the definitions that a schema refers to, and of those that these refer to."""
    found: dict[str, Part] = {}
    pending: list[Part] = [schema]
    while pending:
        for part in _all_parts(pending.pop()):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found[name] = deepcopy(definitions[name])
                pending.append(found[name])
    return found


def _all_parts(value: Any) -> Iterator[Part]:
    if isinstance(value, dict):
        yield value
        for inner in list(value.values()):
            yield from _all_parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _all_parts(inner)
