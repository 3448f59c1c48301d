"""Overrides that could be typed: recipes, groups with options, keys of the language, values that can be listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recipekit.compose.folders import group_options, recipe_files
from recipekit.compose.reach import GROUPS
from recipekit.language import children, choices, first, is_mapping, kinds, others, place
from recipekit.project import Project
from recipekit.registry import names
from recipekit.schema import Part

Candidate = tuple[str, str]

_PLACES_OF_METRICS = (("evaluation", "metrics"), ("acceptance", "task"))


def overrides(typed: str, project: Project | None) -> Iterator[Candidate]:
    """What an override could be that begins like this, each with its meaning.

    Args:
        typed: the word, with Hydra's prefixes `+`, `++` and `~`; behind `=` values with commas are completed, too.
        project: whose recipes and options are meant; None where there is none.
    """
    prefix = typed[: len(typed) - len(typed.lstrip("+~"))]
    key, equals, value = typed[len(prefix) :].partition("=")
    if equals:
        kept = f"{prefix}{key}={value[: value.rfind(',') + 1]}"
        offered = _values(key, project)
        yield from ((f"{kept}{word}", meaning) for word, meaning in offered)
    else:
        end = "" if prefix == "~" else "="
        yield from ((f"{prefix}{word}", meaning) for word, meaning in _keys(key, end, project))


def _values(key: str, project: Project | None) -> Iterator[Candidate]:
    if key == "recipe":
        yield from ((name, "") for name in (recipe_files(project) if project else ()))
        return
    options = group_options(project).get(key, []) if project else []
    yield from ((name, f"an option of {key}") for name in options)
    path = tuple(key.split("."))
    parts = place(path)
    if path[-1] == "plugin" and parts:
        yield from ((name, "") for name in names("datasets"))
    for value, meaning in choices(parts).items():
        yield _shown(value), meaning
    if "null" in kinds(parts):
        yield "null", ""


def _keys(typed: str, end: str, project: Project | None) -> Iterator[Candidate]:
    *above, _ = typed.split(".")
    if not above:
        yield f"recipe{end}", "the recipe"
        for group in sorted({*GROUPS, *(group_options(project) if project else ())}):
            yield f"{group}{end}", f"an option of {group}"
    for name, parts in _below(above):
        word = ".".join((*above, name))
        meaning = first(parts, "description") or ""
        if is_mapping(parts):
            yield f"{word}.", meaning
        if (above or word not in GROUPS) and not (is_mapping(parts) and children(parts) and end):
            yield f"{word}{end}", meaning


def _below(above: Sequence[str]) -> Iterator[tuple[str, list[Part]]]:
    """The keys inside of a key, with what is said of each."""
    parts = place(above)
    yield from children(parts).items()
    if tuple(above) in _PLACES_OF_METRICS:
        yield from ((name, others(parts)) for name in names("metrics"))


def _shown(value: object) -> str:
    """A value as YAML and Hydra write it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
