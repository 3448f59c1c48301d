"""What could stand at the end of an unfinished command line, each word with its meaning.

A person waits for it, so nothing is composed and no verb is imported: recipes and options are names of files, keys and
values come from the schema, and the options of each verb from a table that a test keeps true.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from recipekit.cli.dispatch import VERBS
from recipekit.cli.override_candidates import overrides
from recipekit.compose.folders import recipe_files
from recipekit.error_pages import error_ids, title
from recipekit.errors import ProjectError
from recipekit.project import Project, find_project

Candidate = tuple[str, str]
"""A word, and what it means."""

_GLOBAL = {"--help": "this page", "--version": "print the version", "--debug": "print a traceback with an error"}
_FILES: Candidate = (":files", "")
_SWEEP = "sweep.json"
_RECORDS = ("manifest.json", "summary.json", _SWEEP)


@cache
def verb_table() -> dict[str, Any]:
    """The options and arguments of each verb, as its parser has them."""
    table: dict[str, Any] = json.loads(files("recipekit.cli").joinpath("verbs.json").read_text("utf-8"))
    return table


def candidates(words: Sequence[str]) -> list[Candidate]:
    """What could be typed.

    Args:
        words: behind the command's name, the last one being typed.
    """
    *before, typed = words
    verb = next((word for word in before if not word.startswith("-")), None)
    if verb is None:
        offered: Iterator[Candidate] = iter([*VERBS.items(), *_GLOBAL.items()])
    else:
        offered = _behind(verb, before[before.index(verb) + 1 :], typed)
    return [(word, meaning) for word, meaning in offered if word.startswith(typed) or word == _FILES[0]]


def _behind(verb: str, before: Sequence[str], typed: str) -> Iterator[Candidate]:
    """What could stand behind a verb."""
    known = verb_table().get(verb, {"options": {}, "arguments": []})
    options: dict[str, Any] = known["options"]
    name, equals, _ = typed.partition("=")
    if before and options.get(before[-1], {}).get("takes"):
        yield from _values(before[-1], options, "", before)
    elif equals and name in options:
        yield from _values(name, options, f"{name}=", before)
    elif typed.startswith("-"):
        yield from ((option, said["help"]) for option, said in options.items())
    else:
        project = _project(before)
        for argument in known["arguments"]:
            yield from _arguments(argument, typed, project)


def _values(name: str, options: dict[str, Any], prefix: str, before: Sequence[str]) -> Iterator[Candidate]:
    """The values of an option, or whatever files there are."""
    if options[name]["choices"]:
        yield from ((f"{prefix}{choice}", "") for choice in options[name]["choices"])
    elif name == "--resume":
        yield from ((f"{prefix}{word}", meaning) for word, meaning in _sweeps(_project(before)))
    else:
        yield _FILES


def _arguments(argument: dict[str, Any], typed: str, project: Project | None) -> Iterator[Candidate]:
    """What an argument could be, by the name that the verb's help gives it."""
    name = argument["name"]
    if argument["choices"]:
        yield from ((choice, "") for choice in argument["choices"])
    elif name == "ID":
        yield from ((error_id, title(error_id)) for error_id in error_ids())
    elif name == "key=value":
        yield from overrides(typed, project)
    else:
        if project is not None:
            if name in {"A", "B"}:
                yield from ((recipe, "a recipe") for recipe in recipe_files(project))
            root = "" if name.startswith(("OUTPUT", "A", "B")) else f"{os.path.relpath(project.outputs)}/"
            yield from ((f"{root}{word}", meaning) for word, meaning in _outputs(project.outputs, typed[len(root) :]))
        yield _FILES


def _outputs(outputs: Path, typed: str) -> Iterator[Candidate]:
    """Outputs by their place below the outputs folder, a step at a time; a recipe's newest accepted one at once."""
    above = typed.rpartition("/")[0]
    with suppress(OSError):
        for folder in sorted((outputs / above).iterdir()):
            word = f"{above}/{folder.name}" if above else folder.name
            if folder.name.startswith(".") or not folder.is_dir():
                continue
            if any((folder / record).is_file() for record in _RECORDS):
                yield word, "the newest accepted output" if folder.is_symlink() else "an output"
            else:
                if (folder / "latest").is_dir():
                    yield f"{word}/latest", "the newest accepted output"
                yield f"{word}/", "outputs"


def _sweeps(project: Project | None) -> Iterator[Candidate]:
    """The sweeps that can be resumed, the newest first."""
    found = () if project is None else project.outputs.glob(f"sweeps/*/{_SWEEP}")
    ids = sorted((path.parent.name for path in found), reverse=True)
    yield from (("latest", "the newest sweep") for _ in ids[:1])
    yield from ((sweep, "a sweep") for sweep in ids)


def _project(words: Sequence[str]) -> Project | None:
    """The project that the line is about; None where there is none."""
    named = [Path(words[at + 1]) for at, word in enumerate(words[:-1]) if word == "--recipes"]
    named += [Path(word.partition("=")[2]) for word in words if word.startswith("--recipes=")]
    with suppress(ProjectError, OSError):
        return find_project(Path.cwd(), named[-1] if named else None)
    return None
