"""Where Hydra finds recipes: a flat user folder, read with care, in front of the packaged presets.

A file directly in the folder is an option of the group `recipe`; a subfolder is a group. Every file is checked when
it is read: it must be YAML in UTF-8 with a mapping at its top, and must not reach into Hydra's own configuration.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

import yaml
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from recipekit.compose.marks import Marks, read_marks
from recipekit.errors import CompositionError, ForbiddenKey

GROUPS = (
    "source",
    "custom_layers",
    "optimize",
    "representative_dataset",
    "converter",
    "evaluation",
    "acceptance",
    "artifacts",
)
"""The groups of the language; the primary config holds a place for each."""

CHOOSABLE = ("hydra/launcher", "hydra/sweeper")
"""Hydra's own groups that a recipe and the command line may choose from."""

_SWEEPER_KEYS = {"params", "max_batch_size", "direction", "n_trials", "n_jobs", "study_name", "storage"}


class RecipesSource(ConfigSource):
    """A flat recipes folder: `recipe/foo` is `foo.yaml`, `converter/x` is `converter/x.yaml`."""

    @staticmethod
    def scheme() -> str:
        """URL scheme by which Hydra finds this source."""
        return "recipes"

    def file(self, config_path: str) -> Path:
        """The file behind a config path, whether or not it exists."""
        return Path(self.path, self._normalize_file_name(config_path.removeprefix("recipe/")))

    def load_config(self, config_path: str) -> ConfigResult:
        """Reads one file; Hydra's own loader with the checks of this module.

        Raises:
            ConfigLoadError: there is no such file.
            CompositionError: it isn't YAML in UTF-8 with a mapping at its top.
            ForbiddenKey: it holds a key that recipes must not set.
        """
        path = self.file(config_path)
        if not path.is_file():
            raise ConfigLoadError(f"Config not found: {path}")
        text = _read_text(path)
        header = ConfigSource._get_header_dict(text[:512])
        config = _parse(text, path)
        marks = read_marks(text)
        if config_path.startswith("recipe/"):
            header["package"] = "_global_"  # a recipe is the whole document, whether or not its first line says so
        _refuse_hydra_keys(config, header.get("package") or "", marks, path)
        if config_path.startswith("recipe/") and "defaults" in config:
            config["defaults"] = _choosing(OmegaConf.to_container(config["defaults"]))
        return ConfigResult(config=config, path=self.full_path(), provider=self.provider, header=header)

    def available(self) -> bool:
        """Whether the folder exists."""
        return Path(self.path).is_dir()

    def is_group(self, config_path: str) -> bool:
        """Whether a config path is a group; `hydra` never is, so that no user file can join its configuration."""
        if config_path in {"", "recipe"}:
            return True
        if config_path.partition("/")[0] in {"hydra", "recipe"} or config_path.startswith("."):
            return False
        return Path(self.path, config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        """Whether a config path is a file of this source."""
        in_group = "/" in config_path and not config_path.startswith("hydra/")
        return in_group and self.file(config_path).is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Names of the options and groups below a config path."""
        folder = Path(self.path, "" if config_path == "recipe" else config_path)
        found: list[str] = []
        for path in folder.iterdir() if folder.is_dir() else ():
            at = f"{config_path}/{path.name}" if config_path else path.name
            self._list_add_result(files=found, file_path=at, file_name=path.name, results_filter=results_filter)
        if config_path == "" and results_filter is not ObjectType.CONFIG:
            found.append("recipe")
        return sorted(set(found))


class RecipesSearchPath(SearchPathPlugin):
    """Puts the user's folders in front of the packaged presets."""

    folders: ClassVar[tuple[Path, ...]] = ()

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepends each folder to the source that Hydra was started with."""
        for folder in reversed(self.folders):
            search_path.prepend("recipes", f"recipes://{folder}", SearchPathQuery(provider="main"))


def use_folders(folders: tuple[Path, ...]) -> None:
    """Makes these folders Hydra's user folders in this process, the first one winning."""
    RecipesSearchPath.folders = folders
    for plugin in (RecipesSource, RecipesSearchPath):
        Plugins.instance().register(plugin)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompositionError(
            f"is not UTF-8 text: {error.reason} at byte {error.start}", where=str(path), fix="save it as UTF-8"
        ) from error
    except OSError as error:
        raise CompositionError(f"can't be read: {error.strerror}", where=str(path)) from error


def _parse(text: str, path: Path) -> DictConfig:
    try:
        config = OmegaConf.load(io.StringIO(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise CompositionError(f"is not YAML: {error.problem}", where=place, fix="correct the syntax there") from error
    except yaml.YAMLError as error:
        raise CompositionError(f"is not YAML: {error}", where=str(path)) from error
    except OSError:  # how OmegaConf refuses a file that holds a bare scalar
        config = OmegaConf.create([])
    if not isinstance(config, DictConfig):
        raise CompositionError(
            "must hold a mapping at its top", where=str(path), fix="write 'key: value' lines, such as 'name: my_model'"
        )
    return config


def _refuse_hydra_keys(config: DictConfig, package: str, marks: Marks, path: Path) -> None:
    """Refuses what would let a recipe steer Hydra: it would run code before the recipe is even validated."""
    package = package.removeprefix("_global_").strip(".")
    for key in marks:
        names = tuple(str(part) for part in key)
        at = f"{path}:{marks[key]}"
        if "_target_" in names:
            raise ForbiddenKey(
                "'_target_' is not allowed in a recipe", where=at, fix="name a registered plugin instead"
            )
        full = (*package.split("."), *names) if package and names[0] != "defaults" else names
        if full[0] == "hydra" and len(full) > 1 and not _is_open(full[1:]):
            raise ForbiddenKey(
                f"'{'.'.join(full)}' is not allowed in a recipe",
                where=at,
                fix="of Hydra's own keys, a recipe may set hydra.mode and hydra.sweeper.params, and choose a launcher",
            )
    for index, entry in enumerate(config.get("defaults") or []):
        for choice in map(str, entry if isinstance(entry, DictConfig) else [entry]):
            group = choice.split()[-1].lstrip("/")
            if group.split("@")[-1].removeprefix("_global_.").startswith("hydra") and group not in CHOOSABLE:
                raise ForbiddenKey(
                    f"the defaults entry '{choice}' is not allowed in a recipe",
                    where=f"{path}:{marks[('defaults', index)]}",
                    fix=f"a recipe may only choose {' or '.join(CHOOSABLE)}",
                )


def _is_open(key: tuple[str, ...]) -> bool:
    """Whether a recipe may set a key below `hydra`: the mode and a sweeper's plain parameters, which name no code."""
    return key == ("mode",) or (key[0] == "sweeper" and (len(key) == 1 or key[1] in _SWEEPER_KEYS))


def _choosing(defaults: Any) -> list[Any]:
    """A recipe's defaults list, its groups of the language turned into choices for the primary config's places."""
    kept: list[Any] = []
    choices: list[Any] = []
    for entry in defaults:
        key = next(iter(entry)) if isinstance(entry, dict) and len(entry) == 1 else None
        if key in {f"/{group}" for group in GROUPS}:
            choices.append({f"override {key}": entry[key]})
        elif isinstance(key, str) and key.startswith("override "):
            choices.append(entry)
        else:
            kept.append(entry)
    return [*kept, *choices]
