"""Where Hydra finds recipes: a flat user folder, read with care, in front of the packaged presets.

A file directly in the folder is an option of the group `recipe`; a subfolder is a group. Every file is checked when
it is read: it must be YAML in UTF-8 with a mapping at its top, and must not reach into Hydra's own configuration.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar

import yaml
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_yaml_loader

from recipekit.compose.limits import LOADER, excess
from recipekit.compose.marks import Marks, first_repeated_key, read_marks
from recipekit.compose.overrides import read_overrides
from recipekit.compose.reach import CHOOSABLE, GROUPS, closed_keys, is_hydras
from recipekit.errors import CompositionError, ForbiddenKey

_DEFAULTS_FIX = "list group options such as '- /converter: int8', recipes to extend, and _self_"

_INTRODUCTIONS = {
    **{f"/{group}": group for group in (*GROUPS, *CHOOSABLE)},
    **{f"override {group}": group for group in CHOOSABLE},  # as Hydra's manual has it, in a file that is no group's
}
"""Keys of a recipe's defaults list that choose an option of a group in the primary config."""

_LOADER: Any = get_yaml_loader() if LOADER is yaml.SafeLoader else type("Loader", (LOADER, get_yaml_loader()), {})
"""OmegaConf's loader, with the parser of libyaml where that is installed: it takes a tenth of the time."""

Header = dict[str, str | None]
"""What a file says of itself in its first lines, such as its package."""

_CHECKED: dict[tuple[str, str], tuple[str, bytes]] = {}
"""Texts that have been checked in this process, by a folder's name and config path, with what they came to."""


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
        shown = path.relative_to(Path(self.path).parent).as_posix()
        text = _read_text(path, shown)
        header, config = self._checked(config_path, text, shown)
        return ConfigResult(config=config, path=self.full_path(), provider=self.provider, header=header)

    def _checked(self, config_path: str, text: str, shown: str) -> tuple[Header, DictConfig]:
        """A file's header and content; a text that was checked before at the same place isn't checked again."""
        place = (Path(self.path).name, config_path)  # sweeps read copies of a folder, each at another path
        seen, pickled = _CHECKED.get(place, ("", b""))
        if pickled and seen == text:
            known: tuple[Header, DictConfig] = pickle.loads(pickled)  # noqa: S301  pickled by this process
            return known
        config, marks = _parse(text, shown)
        header = _header(text, shown)
        content: Any = OmegaConf.to_container(config)
        defaults = _defaults(content, marks, shown)
        if config_path.startswith("recipe/"):
            header["package"] = "_global_"  # a recipe is the whole document, whether or not its first line says so
        _refuse_code(content, header["package"] or "", defaults, marks, shown)
        if config_path.startswith("recipe/") and defaults:
            config["defaults"] = _choosing(defaults)
        if "hydra" in content:  # which groups there are is not the file's alone to say
            self._complete_parameters(config, f"{shown}:{marks.get(('hydra',), 1)}")
        else:
            _CHECKED[place] = (text, pickle.dumps((header, config)))
        return header, config

    def _complete_parameters(self, config: DictConfig, place: str) -> None:
        """Gives a sweep's parameters the form of the command line's, so that one of these replaces one of those."""
        sweeper = config["hydra"].get("sweeper") or {}
        params = sweeper.get("params") or {}
        groups = [path.name for path in Path(self.path).iterdir() if path.is_dir()]
        texts = [f"{key}={value}" for key, value in params.items()]
        keys = [override.for_hydra.partition("=")[0] for override in read_overrides(texts, groups, place)]
        if keys:
            sweeper["params"] = dict(zip(keys, params.values(), strict=True))

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
        for folder in self.folders:  # each one goes right in front of the presets, behind those before it
            search_path.prepend("recipes", f"recipes://{folder}", SearchPathQuery(provider="main"))


def use_folders(folders: tuple[Path, ...]) -> None:
    """Makes these folders Hydra's user folders in this process, the first one winning."""
    RecipesSearchPath.folders = folders
    for plugin in (RecipesSource, RecipesSearchPath):
        Plugins.instance().register(plugin)


def _read_text(path: Path, shown: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompositionError(
            f"is not UTF-8 text: {error.reason} at byte {error.start}", where=shown, fix="save it as UTF-8"
        ) from error
    except OSError as error:
        raise CompositionError(f"can't be read: {error.strerror}", where=shown) from error


def _parse(text: str, shown: str) -> tuple[DictConfig, Marks]:
    try:
        too_much = excess(text)
        if too_much:
            raise CompositionError(too_much, where=shown, fix="split it into options of groups, or write it plainly")
        config = _load(text)
    except yaml.MarkedYAMLError as error:
        repeated = first_repeated_key(text) if "duplicate key" in str(error.problem) else None
        if repeated is not None:
            key, first, second = repeated
            what = f"the key '{key}' stands there twice, in the lines {first} and {second}"
            raise CompositionError(what, where=f"{shown}:{second}", fix="keep one of them") from error
        mark = error.problem_mark
        place = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        tagged = isinstance(error, yaml.constructor.ConstructorError) and "tag" in str(error.problem)
        fix = "take the tag away: a recipe holds plain values alone" if tagged else "correct the syntax there"
        raise CompositionError(f"is not YAML: {error.problem}", where=place, fix=fix) from error
    except yaml.YAMLError as error:
        raise CompositionError(f"is not YAML: {error}", where=shown) from error
    except OSError:  # how OmegaConf refuses a file that holds a bare number
        config = OmegaConf.create([])
    marks = read_marks(text)
    if not isinstance(config, DictConfig) or (len(config) and not marks):  # OmegaConf makes a key of a bare text
        raise CompositionError(
            "must hold a mapping at its top", where=shown, fix="write 'key: value' lines, such as 'name: my_model'"
        )
    return config, marks


def _load(text: str) -> Any:
    """As OmegaConf loads a file, but parsed by libyaml; whatever isn't a plain mapping is left to OmegaConf."""
    try:
        content = yaml.load(text, Loader=_LOADER)  # noqa: S506  OmegaConf's is a safe loader
    except yaml.YAMLError:
        content = None
    return OmegaConf.create(content) if isinstance(content, dict) else OmegaConf.load(io.StringIO(text))


def _header(text: str, shown: str) -> Header:
    try:
        return ConfigSource._get_header_dict(text[:512])
    except ValueError as error:
        fix = "write '# @package _global_', or leave the line out"
        raise CompositionError(f"has a header that Hydra can't read: {error}", where=f"{shown}:1", fix=fix) from error


def _defaults(content: dict[str, Any], marks: Marks, shown: str) -> list[Any]:
    """The file's defaults list, its form checked: option names, and mappings of one group to its options."""
    defaults = content.get("defaults") or []
    if not isinstance(defaults, list):
        where = f"{shown}:{marks.get(('defaults',), 1)}"
        raise CompositionError("'defaults' must be a list", where=where, fix=_DEFAULTS_FIX)
    for index, entry in enumerate(defaults):
        key, option = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (entry, None)
        if not isinstance(key, str) or not isinstance(option, str | list | None):
            where = f"{shown}:{marks.get(('defaults', index), 1)}"
            raise CompositionError(f"the defaults entry '{entry}' has no meaning", where=where, fix=_DEFAULTS_FIX)
    return defaults


def _refuse_code(content: dict[str, Any], package: str, defaults: list[Any], marks: Marks, shown: str) -> None:
    """Refuses what would let a recipe steer Hydra: it would run code before the recipe is even validated."""
    for key, line in marks.items():
        if "_target_" in key:
            raise ForbiddenKey(
                "'_target_' is not allowed in a recipe", where=f"{shown}:{line}", fix="name a registered plugin instead"
            )
    if is_hydras(package):
        raise ForbiddenKey(
            f"the package '{package}' is not allowed in a recipe", where=f"{shown}:1", fix="leave Hydra's own alone"
        )
    for index, entry in enumerate(defaults):
        choice = next(iter(entry)) if isinstance(entry, dict) else entry
        group = choice.split()[-1].lstrip("/")
        if group not in CHOOSABLE and any(is_hydras(word.lstrip("/")) for word in choice.split()):
            raise ForbiddenKey(
                f"the defaults entry '{choice}' is not allowed in a recipe",
                where=f"{shown}:{marks.get(('defaults', index), 1)}",
                fix=f"a recipe may only choose {' or '.join(CHOOSABLE)}",
            )
    if "hydra" in content:
        _refuse_closed_keys(content["hydra"], marks, shown)


def _refuse_closed_keys(hydra: Any, marks: Marks, shown: str) -> None:
    closed = closed_keys(hydra)
    if closed is not None:
        key = ("hydra", *closed)
        line = next((marks[key[:length]] for length in range(len(key), 0, -1) if key[:length] in marks), 1)
        raise ForbiddenKey(
            f"'{'.'.join(key)}' is not allowed in a recipe",
            where=f"{shown}:{line}",
            fix="of Hydra's own keys, a recipe may set hydra.mode and hydra.sweeper.params, and choose a launcher",
        )


def _choosing(defaults: Any) -> list[Any]:
    """A recipe's defaults list, its groups of the language turned into choices for the primary config's places."""
    kept: list[Any] = []
    choices: list[Any] = []
    for entry in defaults:
        key = next(iter(entry)) if isinstance(entry, dict) and len(entry) == 1 else None
        if key in _INTRODUCTIONS:
            choices.append({f"override /{_INTRODUCTIONS[key]}": entry[key]})
        elif isinstance(key, str) and key.startswith("override "):
            choices.append(entry)
        else:
            kept.append(entry)
    return [*kept, *choices]
