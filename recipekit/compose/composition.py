"""From a recipe's name and overrides to one plain mapping, with the file and line behind every value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recipekit.compose.marks import read_marks
from recipekit.compose.overrides import CommandOverride, read_overrides
from recipekit.compose.reach import GROUPS
from recipekit.compose.sources import RecipesSource, use_folders
from recipekit.errors import CompositionError, ForbiddenKey, RecipekitError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.project import Project

PRIMARY = "recipekit"
"""Name of the packaged primary config."""

_PRESETS = Path(__file__).resolve().parents[1] / "presets"


class Composition:
    """A composed recipe.

    Attributes:
        project: the project it was composed in.
        recipe: the recipe's option name, that is its file's stem.
        overrides: as the user wrote them, the choice of the recipe left out.
        sweeps: whether the recipe itself asks for a sweep (`hydra.mode: MULTIRUN`).
    """

    def __init__(
        self, project: Project, overrides: tuple[CommandOverride, ...], config: DictConfig, hydra: Any
    ) -> None:
        """Takes a composed config.

        Args:
            project: where the recipes are.
            overrides: what it was composed with.
            config: the recipe; a node `hydra` in it is left out.
            hydra: Hydra's own node.
        """
        self.project = project
        self.recipe = str(hydra.runtime.choices["recipe"])
        self.overrides = tuple(override.text for override in overrides if override.key != "recipe")
        self.sweeps = hydra.mode == RunMode.MULTIRUN
        self._read = overrides
        self._config = config

    @cached_property
    def mapping(self) -> dict[str, Any]:
        """The recipe as plain data, interpolations resolved; what it holds is not checked yet.

        Raises:
            CompositionError: a value is missing or can't be resolved.
            ForbiddenKey: a value reads an environment variable that the project doesn't list.
        """
        try:
            return _plain(self._config)
        except OmegaConfBaseException as error:
            place = self.origin(tuple((error.full_key or "").split(".")))
            cause = _recipekit_cause(error)
            if cause is not None:
                raise type(cause)(cause.what, where=place, fix=cause.fix) from error
            raise CompositionError(
                f"'{error.full_key}' has no value: {str(error).partition(chr(10))[0]}",
                where=place,
                fix="give it a value that can be resolved",
            ) from error

    @property
    def file(self) -> Path:
        """The recipe's own file."""
        folders = (self.project.recipes, *self.project.config_dirs)
        paths = [folder / f"{self.recipe}.yaml" for folder in folders]
        return next((path for path in paths if path.is_file()), paths[0])

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file that the recipe is composed of, packaged options among them, the recipe's own last."""
        with hydra_for(self.project):
            return tuple(dict.fromkeys(path for path, _ in self._sources()))

    def origin(self, key: tuple[str | int, ...]) -> str:
        """Where a key was written, or the nearest key above it: `recipes/x.yaml:12` or `command line: seed=7`."""
        for length in range(len(key), 0, -1):
            if key[:length] in self._origins:
                return self._origins[key[:length]]
        return self._shown(self.file)

    @cached_property
    def _origins(self) -> dict[tuple[str | int, ...], str]:
        found: dict[tuple[str | int, ...], str] = {}
        with hydra_for(self.project):
            for path, package in self._sources():
                prefix = tuple(package.split(".")) if package else ()
                for key, line in read_marks(path.read_text(encoding="utf-8-sig")).items():
                    if key[0] != "defaults":
                        found[(*prefix, *key)] = f"{self._shown(path)}:{line}"
        for override in self._read:
            found.update(dict.fromkeys(override.paths, f"command line: {override.text}"))
        return found

    def _sources(self) -> Iterator[tuple[Path, str]]:
        """Files in merge order with the package that each is placed under; packaged presets among them."""
        loader = GlobalHydra.instance().config_loader()
        texts = [override.for_hydra for override in self._read]
        for default in loader.compute_defaults_list(PRIMARY, texts, RunMode.RUN).defaults:
            config_path = default.config_path or ""
            if config_path == PRIMARY or config_path.startswith("hydra/"):
                continue
            path = _file_of(loader.get_sources(), config_path)
            if path is not None:
                yield path, default.package or ""

    def _shown(self, path: Path) -> str:
        root = self.project.root
        if path.is_relative_to(_PRESETS):
            return f"packaged {path.relative_to(_PRESETS).as_posix()}"
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def compose(project: Project, overrides: Sequence[str]) -> Composition:
    """Composes one recipe.

    Args:
        project: where the recipes are.
        overrides: the command line's, `recipe=NAME` among them.

    Raises:
        UsageError: no recipe is chosen, it doesn't exist, or an override is malformed or stands for a sweep.
        CompositionError: a file is missing or can't be read, or a value can't be resolved.
        ForbiddenKey: the recipe or an override reaches for what it must not.
    """
    with hydra_for(project):
        read = read_overrides(overrides, user_groups(project))
        with hydra_errors(project):
            config = hydra_compose(PRIMARY, [override.for_hydra for override in read], return_hydra_config=True)
        return Composition(project, read, config, config.hydra)


def user_groups(project: Project) -> tuple[str, ...]:
    """Folders below the recipes folder: groups besides those of the language."""
    folders = (project.recipes, *project.config_dirs)
    return tuple(sorted({path.name for folder in folders for path in folder.iterdir() if path.is_dir()}))


def recipe_names(project: Project) -> list[str]:
    """Names of the project's recipes, sorted."""
    return sorted(path.stem for path in project.recipes.glob("*.yaml") if path.is_file())


@contextmanager
def hydra_for(project: Project) -> Iterator[None]:
    """Hydra initialised for a project: its folder in front of the presets, and its list of readable variables."""
    prepare(project)
    if GlobalHydra.instance().is_initialized():
        yield
        return
    with initialize_config_module("recipekit.presets", job_name=PRIMARY, version_base="1.3"):
        yield


def prepare(project: Project) -> None:
    """Puts the project's folders on Hydra's search path, and guards the environment, in this process."""
    use_folders((project.recipes, *project.config_dirs))
    _guard_environment(project)


@contextmanager
def hydra_errors(project: Project) -> Iterator[None]:
    """Turns what Hydra and OmegaConf raise while composing into recipekit's errors."""
    try:
        yield
    except RecipekitError:
        raise
    except MissingConfigException as error:
        raise _missing(error, project) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise _recipekit_cause(error) or _not_composable(str(error) or str(error.__context__), project) from error


def _plain(config: DictConfig) -> dict[str, Any]:
    """The recipe in a composed config as plain data, interpolations resolved."""
    recipe = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    mapping = OmegaConf.to_container(recipe, resolve=True, throw_on_missing=True, enum_to_str=True)
    return {str(key): value for key, value in mapping.items()} if isinstance(mapping, dict) else {}


def _recipekit_cause(error: BaseException | None) -> RecipekitError | None:
    """The error of ours that a library wrapped in its own, if there is one."""
    while error is not None and not isinstance(error, RecipekitError):
        error = error.__cause__ or error.__context__
    return error


def _file_of(sources: Sequence[Any], config_path: str) -> Path | None:
    for source in sources:
        if source.is_config(config_path):
            if isinstance(source, RecipesSource):
                return source.file(config_path)
            return _PRESETS / f"{config_path}.yaml"
    return None


def _missing(error: MissingConfigException, project: Project) -> RecipekitError:
    missing = (error.missing_cfg_file or "").removesuffix(".yaml")
    group, _, option = missing.rpartition("/")
    if not group or not option:
        return _not_composable(str(error), project)
    with hydra_for(project):
        loader = GlobalHydra.instance().config_loader()
        options = sorted(loader.get_group_options(group, results_filter=ObjectType.CONFIG))
    known = ["recipe", *GROUPS, *user_groups(project)]
    if not options and group not in known:
        what, fix = f"there is no group '{group}'{did_you_mean(group, known)}", f"use one of {', '.join(GROUPS)}"
    else:
        kind = "recipe" if group == "recipe" else f"option of '{group}'"
        what = f"there is no {kind} '{option}'{did_you_mean(option, options)}"
        fix = f"use one of {', '.join(options)}" if options else f"add the file {option}.yaml"
    return UsageError(what, where=_who_chose(group, option, project), fix=fix)


def _who_chose(group: str, option: str, project: Project) -> str:
    """The first line of the project's recipes that chooses an option, or the command line where none does."""
    choice = re.compile(
        rf"/{re.escape(group)}\s*:.*\b{re.escape(option)}\b" if group != "recipe" else rf"-\s*{re.escape(option)}\s*$"
    )
    for name in recipe_names(project):
        path = project.recipes / f"{name}.yaml"
        for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), start=1):
            if choice.search(line):
                return f"{path.relative_to(project.root).as_posix()}:{number}"
    return "command line"


def _not_composable(message: str, project: Project) -> RecipekitError:
    text = " ".join(message.split())
    if "You must specify 'recipe'" in text:
        names = recipe_names(project)
        return UsageError(
            "no recipe is chosen",
            where="command line",
            fix=f"add recipe=NAME, with one of {', '.join(names)}" if names else f"put a recipe into {project.recipes}",
        )
    swept = re.match(r"(Ambiguous value for argument|Sweep parameters) '(.*?)'( requires|:? 1\.)", text)
    if swept:
        argument = swept[2]
        return UsageError(
            f"'{argument.lstrip('+')}' stands for several values", where="command line", fix="add -m to sweep over them"
        )
    if text.startswith(("Could not override", "Could not append", "Could not delete")):
        return UsageError(text, where="command line", fix="see the keys of the recipe with `recipekit show`")
    return CompositionError(text, where=str(project.recipes))


def _guard_environment(project: Project) -> None:
    """Replaces OmegaConf's `oc.env`, so that a recipe reads only the variables that the project lists."""

    def read(name: str, default: Any = None) -> Any:
        if name in project.env:
            return os.environ.get(name, default)
        raise ForbiddenKey(
            f"the recipe reads the environment variable '{name}'",
            fix=f'allow it in pyproject.toml: [tool.recipekit] env = ["{name}"]',
        )

    OmegaConf.register_new_resolver("oc.env", read, replace=True)
