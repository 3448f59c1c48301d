"""The inputs of a recorded build, found again and held against their digests before anything is built.

What the manifest says is what counts: the recipe's files may have changed or be gone. The files that a build reads are
looked for under their old paths, then by digest in the folders that the user names; what lies elsewhere now is read
there, and recorded as if it lay where it was.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit import __version__, fsio, manifest
from recipekit.audit.input_search import Shelves, is_there
from recipekit.audit.recorded_output import RecordedInput, RecordedOutput
from recipekit.build import Job
from recipekit.errors import InputMismatch, InvalidRecipe, PluginError, SourceError
from recipekit.inputs import Input, pin, pin_code
from recipekit.project import Project
from recipekit.recipe import Recipe, parse


class Places(NamedTuple):
    """Where a rebuild finds what it reads, and where it works.

    Attributes:
        root: the project that recorded paths are relative to.
        shelves: more folders to look in.
        scratch: an empty folder, gone after the rebuild.
    """

    root: Path
    shelves: Shelves
    scratch: Path


class FoundInputs(NamedTuple):
    """The inputs that are known by their own digest, all as they were.

    Attributes:
        config: the recorded configuration, with the source's path as it is now.
        root: where code lies under its old paths: the project, or copies below the scratch folder.
    """

    config: dict[str, Any]
    root: Path


def find_inputs(recorded: RecordedOutput, places: Places) -> FoundInputs:
    """Finds the model source and all code.

    Raises:
        InputMismatch: with every input that is gone or has changed.
        OutputFault: the scratch folder can't be written.
    """
    found: dict[RecordedInput, Path] = {}
    faults = []
    for wanted in recorded.inputs:
        here = _here(recorded, wanted, places.root)
        place = here.place if here is not None and here.digest == wanted.digest else _elsewhere(wanted, places)
        if place is None:
            faults.append(_fault(wanted, here))
        else:
            found[wanted] = place
    if faults:
        raise mismatch(recorded, faults, places.root)
    config = copy.deepcopy(recorded.config)
    for wanted, place in found.items():
        if wanted.role == "model-source":
            key = "path" if "path" in config["source"] else "weights"
            config["source"][key] = str(_under_its_suffix(place, config["source"][key], places.scratch))
    by_path = {wanted: place for wanted, place in found.items() if wanted.role != "model-source" and wanted.path}
    return FoundInputs(config, _root_with(by_path, places))


def mismatch(recorded: RecordedOutput, faults: list[str], root: Path) -> InputMismatch:
    """The error that names every input that isn't what it was, and how to get it back."""
    repository = recorded.repository
    git = f"; `{repository.way_back}` gives the project as it was" if repository else ""
    count = f"{len(faults)} inputs are" if len(faults) > 1 else "an input is"
    return InputMismatch(
        "\n  ".join([f"{count} not what the manifest records:", *faults]),
        where=str(root),
        fix=f"bring the recorded files back, or name folders that hold them with --inputs DIR{git}",
    )


def recorded_recipe(recorded: RecordedOutput, config: dict[str, Any], root: Path) -> Recipe:
    """The recipe of a recorded configuration whose files lie elsewhere now; what is hashed stays as it was recorded.

    Args:
        recorded: the output.
        config: its configuration, with the places of files as they are now.
        root: the project root, for paths and code.

    Raises:
        InvalidRecipe: this recipekit doesn't know the configuration's language.
    """
    where = str(recorded.folder / manifest.RECIPE)
    try:
        original = parse(recorded.config, root, lambda _: where)
        moved = parse(config, root, lambda _: where)
    except InvalidRecipe as error:
        made_by = recorded.definition["internalParameters"]["recipekit"]["version"]
        raise InvalidRecipe(
            f"the recorded configuration is not valid here: {error.what}",
            where=where,
            fix=f"use the recipekit that made it; that was {made_by}, and this is {__version__}",
        ) from error
    return msgspec.structs.replace(moved, resolved=original.resolved)


def recorded_job(recorded: RecordedOutput, recipe: Recipe, root: Path, scratch: Path) -> Job:
    """The build of a recorded recipe, with its outputs below the scratch folder."""
    file = recorded.folder / manifest.RECIPE
    project = Project(root=root, recipes=root / "recipes", outputs=scratch / "outputs")
    overrides = tuple(recorded.definition["externalParameters"]["overrides"])
    return Job(project=project, recipe=recipe, option=recipe.name, overrides=overrides, file=file, files=())


def dataset_places(section: dict[str, Any], parameters: tuple[str, ...], places: Places) -> Iterator[dict[str, Any]]:
    """A dataset's section with the places where its files may be now, the likeliest first.

    Args:
        section: as recorded.
        parameters: which of its keys name files.
        places: where to look.
    """
    named = [name for name in parameters if isinstance(section.get(name), str)]
    options = {name: list(_options(section[name], places)) for name in named}
    leading = next((name for name in named if options[name]), None)
    if leading is None:
        yield section
        return
    others = {name: options[name][0] for name in named if name != leading and options[name]}
    for option in options[leading]:
        yield {**section, **others, leading: option}


def _options(path: str, places: Places) -> Iterator[str]:
    if is_there(places.root / path):
        yield str(places.root / path)
    yield from map(str, places.shelves.named(path))


def _here(recorded: RecordedOutput, wanted: RecordedInput, root: Path) -> Input | None:
    """What now lies where an input lay; None where nothing does that could be one."""
    with suppress(SourceError, PluginError):
        if wanted.is_code:
            return pin_code(wanted.role, wanted.name, root)
        if wanted.role == "model-source":
            source = recorded.config["source"]
            return pin(wanted.role, wanted.name, source.get("path") or source["weights"], root)
        return pin(wanted.role, wanted.name, wanted.name, root)
    return None


def _under_its_suffix(place: Path, recorded: str, scratch: Path) -> Path:
    """The file itself, or a copy where its name ends otherwise than the recorded one: loaders go by the ending."""
    if place.is_dir() or place.suffix == Path(recorded).suffix:
        return place
    copied = scratch / "source" / Path(recorded).name
    with fsio.reported(copied):
        copied.parent.mkdir()
        shutil.copyfile(place, copied)
    return copied


def _elsewhere(wanted: RecordedInput, places: Places) -> Path | None:
    """Where an input lies on the shelves; an installed package must be installed, so there is no other place for it."""
    return places.shelves.find(wanted) if wanted.path or not wanted.is_code else None


def _fault(wanted: RecordedInput, here: Input | None) -> str:
    what = f"{wanted.role} '{wanted.name}'" + (f" ({wanted.path})" if wanted.path not in {"", wanted.name} else "")
    recorded = f"{wanted.algorithm} {wanted.digest} recorded"
    if here is None:
        return f"{what} is gone: {recorded}"
    return f"{what} has changed: {recorded}, {here.algorithm} {here.digest} now"


def _root_with(inputs: dict[RecordedInput, Path], places: Places) -> Path:
    """A folder that holds each input under its recorded path: the project itself, or copies where one lay elsewhere."""
    if all(place == places.root / wanted.path for wanted, place in inputs.items()):
        return places.root
    root = places.scratch / "project"
    for wanted, place in inputs.items():
        target = root / wanted.path
        with fsio.reported(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                shutil.copytree(place, target)
            else:
                shutil.copyfile(place, target)
    return root
