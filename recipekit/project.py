"""The project around a recipe: where `recipes/` lies, where outputs go, and the settings in pyproject.toml.

A relative path in a recipe means the project root: the folder that holds the recipes folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from recipekit.contracts import Record
from recipekit.errors import ProjectError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.remote.url import check_url

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


SWEEPS = "sweeps"
"""The folder of all sweeps in an outputs folder."""


class Project(Record, frozen=True, kw_only=True):
    """A recipe project.

    Attributes:
        root: the folder that holds `recipes`; absolute.
        recipes: the recipes folder; absolute.
        outputs: where versioned outputs go; absolute.
        config_dirs: more folders like `recipes`, looked up behind it.
        env: environment variables that recipes may read; those that hold a secret by their name, workers alone.
        stage_timeout: seconds that one stage may take; None for the built-in limit.
        memory_limit_mib: resident memory that one stage may use; None for the built-in limit.
        file_limit_mib: size of the largest file that a stage may write; None for the built-in limit.
        process_limit: how many processes of its own one stage may have; None for the built-in limit.
        named_store: where the settings want the results of stages kept; absolute, None for below the outputs.
        copied: a folder that holds copies of the recipes folder and of `config_dirs`, each below its number and by its
            own name (`0/recipes`); recipes are then read from there, and called by the place where they stand in the
            project. None where they are read from that place itself.
        shared_store: URL of the results of stages that machines share; empty for none.
        shared_outputs: URL of the outputs that machines share; empty for none.
    """

    root: Path
    recipes: Path
    outputs: Path
    config_dirs: tuple[Path, ...] = ()
    env: tuple[str, ...] = ()
    stage_timeout: float | None = None
    memory_limit_mib: float | None = None
    file_limit_mib: float | None = None
    process_limit: int | None = None
    named_store: Path | None = None
    shared_store: str = ""
    shared_outputs: str = ""
    copied: Path | None = None

    @property
    def sweeps(self) -> Path:
        """Where sweeps keep their folders, each named by the sweep's id."""
        return self.outputs / SWEEPS

    @property
    def declared_folders(self) -> tuple[Path, ...]:
        """The recipes folder and those behind it, as the project names them, in the order of the look-up."""
        return (self.recipes, *self.config_dirs)

    @property
    def recipe_folders(self) -> tuple[Path, ...]:
        """The same folders where they are read."""
        if self.copied is None:
            return self.declared_folders
        return tuple(self.copied / str(number) / folder.name for number, folder in enumerate(self.declared_folders))

    def declared(self, file: Path) -> Path:
        """Where a file that is read stands in the project: another place than its own only if it is a copy."""
        for own, read in zip(self.declared_folders, self.recipe_folders, strict=True):
            if own is not read and file.is_relative_to(read):
                return own / file.relative_to(read)
        return file

    def reading(self, copied: Path | None) -> Project:
        """The same project with its recipes read from copies of the folders; from themselves if None."""
        return msgspec.structs.replace(self, copied=copied)

    @property
    def store(self) -> Path:
        """Where the results of stages are kept; absolute."""
        return self.named_store or self.outputs / ".store"

    def on_this_machine(self) -> Project:
        """The same project with the folders of outputs and store that this process's variables name, if they do."""
        outputs, store = _by_variable("RECIPEKIT_OUTPUTS"), _by_variable("RECIPEKIT_STORE")
        return msgspec.structs.replace(self, outputs=outputs or self.outputs, named_store=store or self.named_store)

    def with_config_dir(self, folder: Path) -> Project:
        """The same project with one more folder of recipes and options, looked up last.

        Raises:
            UsageError: there is no such folder.
        """
        if not folder.is_dir():
            raise UsageError("there is no such folder", where=f"--config-dir {folder}", fix="name a folder")
        return msgspec.structs.replace(self, config_dirs=(*self.config_dirs, folder.resolve()))


_SETTINGS: dict[str, tuple[type, ...]] = {
    "recipes": (str,),
    "outputs": (str,),
    "store": (str,),
    "env": (list,),
    "stage_timeout": (int, float),
    "memory_limit_mib": (int, float),
    "file_limit_mib": (int, float),
    "process_limit": (int,),
    "shared_store": (str,),
    "shared_outputs": (str,),
}


def find_project(start: Path, recipes: Path | None = None, *, by_variable: bool = True) -> Project:
    """Finds the project from a folder upwards.

    The recipes folder is, in this order: `recipes`, the environment variable RECIPEKIT_RECIPES, `[tool.recipekit]
    recipes` of the nearest pyproject.toml that has such a table, the nearest folder named `recipes`.

    The outputs folder is, in this order: the environment variable RECIPEKIT_OUTPUTS, `[tool.recipekit] outputs`,
    `outputs` in the project root. The stage store is, in this order: the environment variable RECIPEKIT_STORE,
    `[tool.recipekit] store`, `.store` in the outputs folder. What machines share is, in this order: the environment
    variables RECIPEKIT_SHARED_STORE and RECIPEKIT_SHARED_OUTPUTS, of which an empty one means nothing, then
    `shared_store` and `shared_outputs`.

    Args:
        start: where to look first; usually the current directory.
        recipes: the recipes folder, if the user names it.
        by_variable: whether RECIPEKIT_RECIPES counts; not where the user has named `start`.

    Raises:
        ProjectError: there is no recipes folder, or a setting is wrong.
    """
    variable = os.environ.get("RECIPEKIT_RECIPES") if by_variable else None
    named = recipes or (Path(variable) if variable else None)
    if named is not None and not named.is_dir():
        raise ProjectError("there is no such recipes folder", where=str(named), fix="name a folder that holds recipes")
    folder, settings = _nearest_settings(named.resolve() if named else start.resolve())
    if named is None and "recipes" in settings:
        named = folder / settings["recipes"]
        if not named.is_dir():
            where = str(folder / "pyproject.toml")
            raise ProjectError(f"[tool.recipekit] recipes names '{named}', which is no folder", where=where)
    found = named.resolve() if named else _nearest_recipes(start.resolve())
    outputs = settings.get("outputs", "outputs")
    return Project(
        root=found.parent,
        recipes=found,
        outputs=_by_variable("RECIPEKIT_OUTPUTS") or (found.parent if "outputs" not in settings else folder) / outputs,
        env=tuple(settings.get("env", ())),
        stage_timeout=settings.get("stage_timeout"),
        memory_limit_mib=settings.get("memory_limit_mib"),
        file_limit_mib=settings.get("file_limit_mib"),
        process_limit=settings.get("process_limit"),
        named_store=_by_variable("RECIPEKIT_STORE") or (folder / settings["store"] if "store" in settings else None),
        shared_store=_shared("shared_store", folder, settings),
        shared_outputs=_shared("shared_outputs", folder, settings),
    )


def _by_variable(name: str) -> Path | None:
    """The folder that an environment variable names; None where it is empty or not set."""
    return Path(os.environ[name]).absolute() if os.environ.get(name) else None


def _shared(key: str, folder: Path, settings: dict[str, Any]) -> str:
    variable = f"RECIPEKIT_{key.upper()}"
    if variable in os.environ:
        return os.environ[variable] and check_url(os.environ[variable], where=variable)
    return check_url(settings[key], where=f"{folder / 'pyproject.toml'} {key}") if key in settings else ""


def _nearest_recipes(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / "recipes").is_dir():
            return folder / "recipes"
    raise ProjectError(
        "there is no folder 'recipes' here or above",
        where=str(start),
        fix="go to your project, or name the folder with --recipes DIR",
    )


def _nearest_settings(start: Path) -> tuple[Path, dict[str, Any]]:
    """The nearest `[tool.recipekit]` and its folder, or nothing and `start`."""
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            try:
                document = tomllib.loads(path.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ProjectError(f"is not TOML: {error}", where=str(path), fix="correct it") from error
            tools = document.get("tool")
            if isinstance(tools, dict) and "recipekit" in tools:
                return folder, _checked(tools["recipekit"], path)
    return start, {}


def _checked(settings: Any, path: Path) -> dict[str, Any]:
    if not isinstance(settings, dict):
        raise ProjectError("[tool.recipekit] must be a table", where=str(path))
    for key, value in settings.items():
        if key not in _SETTINGS:
            raise ProjectError(
                f"[tool.recipekit] has an unknown setting '{key}'{did_you_mean(key, _SETTINGS)}",
                where=str(path),
                fix=f"use {', '.join(_SETTINGS)}",
            )
        if not isinstance(value, _SETTINGS[key]) or isinstance(value, bool):
            kind = _SETTINGS[key][-1].__name__
            raise ProjectError(f"[tool.recipekit] {key} must be a {kind}, got {value!r}", where=str(path))
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise ProjectError(f"[tool.recipekit] {key} must list names, got {value!r}", where=str(path))
    return settings
