"""From what the user names to what is compared: a recipe by name or file, an output's folder, a `.tflite` file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from recipekit import manifest
from recipekit.audit.difference import Side
from recipekit.audit.difference_inputs import leaves
from recipekit.audit.inspection import inspect
from recipekit.audit.recorded import read_recorded
from recipekit.compose.composition import compose
from recipekit.compose.folders import recipe_files
from recipekit.errors import UsageError
from recipekit.nearest import did_you_mean
from recipekit.outputs.lookup import find_folder
from recipekit.pool import Pool
from recipekit.project import Project
from recipekit.recipe import parse

_FIX = "name a recipe, a recipe's file, the folder of an output, or a .tflite file"


def side_of(named: str, project: Project | None, pool: Pool) -> Side:
    """Reads one side.

    Args:
        named: a path, the name of a recipe, or a folder below the project's outputs as in `mobilenet_int8/latest`.
        project: where names are looked up; None outside of a project, where only paths are known.
        pool: the workers.

    Raises:
        UsageError: it names nothing that can be compared.
        OutputAltered: the output isn't what its manifest says.
        RecipekitError: the recipe is invalid, or the file can't be read.
    """
    path = Path(named)
    recipes = recipe_files(project) if project else {}
    if path.is_file():
        return _of_file(named, path, project, pool)
    if project is not None and named in recipes:
        return _of_recipe(named, named, project)
    folder = _output(named, project)
    if folder is not None:
        return _of_output(named, folder, pool)
    if path.is_dir():
        raise UsageError(f"is a folder without {manifest.FILE}, so no output", where=named, fix=_FIX)
    raise UsageError(f"there is no '{named}'{did_you_mean(named, recipes)}", where="command line", fix=_FIX)


def _output(named: str, project: Project | None) -> Path | None:
    with suppress(UsageError):
        folder = find_folder(named, Path.cwd(), project.recipes if project is not None else None)
        return folder if (folder / manifest.FILE).is_file() else None
    return None


def _of_file(named: str, path: Path, project: Project | None, pool: Pool) -> Side:
    if path.suffix not in {".yaml", ".yml"}:
        return Side("tflite", named, model=inspect(path, pool))
    resolved = path.resolve()
    if project is not None:
        for recipe, file in recipe_files(project).items():
            if file.resolve() == resolved:
                return _of_recipe(named, recipe, project)
    raise UsageError(
        "is no recipe of this project", where=named, fix="put it into the recipes folder, or name that with --recipes"
    )


def _of_recipe(named: str, recipe: str, project: Project) -> Side:
    composition = compose(project, [f"recipe={recipe}"])
    parsed = parse(composition.mapping, project.root, composition.origin)
    written = {path for path, _ in leaves(composition.mapping)}
    origins = {path: composition.origin(path) if path in written else "default" for path, _ in leaves(parsed.resolved)}
    return Side("recipe", named, configuration=parsed.resolved, origins=origins)


def _of_output(named: str, folder: Path, pool: Pool) -> Side:
    recorded, results = read_recorded(folder)
    definition = recorded["predicate"]["buildDefinition"]
    external = definition["externalParameters"]
    return Side(
        "output",
        named,
        configuration=external["resolvedConfig"],
        origins=dict(_overridden(external["overrides"])),
        definition=definition,
        results=results,
        model=inspect(folder / manifest.MODEL, pool),
    )


def _overridden(overrides: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where an output's values were set, as far as its manifest tells: those of the command line."""
    for text in overrides:
        key, equals, _ = text.lstrip("+~").partition("=")
        if equals:
            yield tuple(key.split(".")), f"command line: {text}"
