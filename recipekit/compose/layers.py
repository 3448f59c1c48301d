"""A recipe's layers: the files that its choices put on top of each other, merged as Hydra merges them.

Hydra composes its own configuration with every recipe and reads each file again, which takes a tenth of a second. Here
packaged files are read and merged once in a process, and Hydra's own functions merge the recipe's files into a copy.
What they refuse, and recipes that choose among Hydra's own groups, are composed by Hydra itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose as hydra_compose
from hydra import version as hydras_version
from hydra._internal import defaults_list as hydras_lists
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.defaults_list import Overrides, create_defaults_list
from hydra.core.default_element import InputDefault, ResultDefault
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, flag_override, open_dict
from omegaconf.errors import OmegaConfBaseException

from recipekit.compose.choices import chosen_last
from recipekit.compose.overrides import parser
from recipekit.compose.plain import plain
from recipekit.compose.repository import PRESETS, Repository
from recipekit.compose.session import PRIMARY
from recipekit.compose.sources import RecipesSource

_NOTHING = OmegaConf.create()


class Layers(NamedTuple):
    """A composed recipe, kept small.

    Attributes:
        recipe: the recipe's option name, that is its file's stem.
        sweeps: whether the recipe itself asks for a sweep (`hydra.mode: MULTIRUN`).
        sources: the files in merge order with the package that each is placed under; Hydra's own left out.
        pickled: the merged recipe without Hydra's node. A copy is unpickled ten times as fast as it is made.
    """

    recipe: str
    sweeps: bool
    sources: tuple[tuple[Path, str], ...]
    pickled: bytes

    def config(self, values: Sequence[Override] = ()) -> DictConfig:
        """A copy of the merged recipe, values overridden in it.

        Args:
            values: overrides of keys, applied as Hydra applies them.

        Raises:
            HydraException: one of them can't be applied.
        """
        config: DictConfig = pickle.loads(self.pickled)  # noqa: S301  pickled by this process
        with python_errors_as_hydras():
            ConfigLoaderImpl._apply_overrides_to_config(list(values), config)
        return config

    def takes(self, values: Sequence[Override]) -> bool:
        """Whether the values can certainly be overridden in it; where this is False, `config` decides."""
        return plain(self.pickled).with_values(values) is not None

    def settled(self, values: Sequence[Override]) -> dict[str, Any] | None:
        """The mapping that `config` comes to; None where a value of it stands for another one, or may be refused."""
        recipe = plain(self.pickled)
        return recipe.with_values(values) if recipe.is_settled else None


def merge_layers(texts: Sequence[str]) -> Layers:
    """Composes one recipe, in a Hydra that is initialised for its project.

    Args:
        texts: overrides as Hydra takes them.

    Raises:
        RecipekitError: a file of the project is refused.
        HydraException, OmegaConfBaseException: Hydra can't compose it.
    """
    try:
        overrides = parser().parse_overrides(list(texts))
        if not any(override.is_sweep_override() for override in overrides):
            return _merge_without_hydra(overrides)
    except (HydraException, OmegaConfBaseException, ValueError, TypeError, AssertionError):
        pass  # Hydra says it better below, or knows how to do it
    with python_errors_as_hydras():
        config = hydra_compose(PRIMARY, list(texts), return_hydra_config=True)
    return layers_of(config, config.hydra, texts)


def layers_of(config: DictConfig, hydra: Any, texts: Sequence[str]) -> Layers:
    """A config that Hydra composed.

    Args:
        config: the whole of it, or what a job is given of it; Hydra's node is taken out where it holds one.
        hydra: Hydra's node, with the choices that were made.
        texts: the overrides that it was composed with; those of Hydra's own may be left out.
    """
    defaults = _loader().compute_defaults_list(PRIMARY, list(texts), RunMode.RUN).defaults
    recipe, sweeps = str(hydra.runtime.choices["recipe"]), hydra.mode == RunMode.MULTIRUN
    return _kept(recipe, sweeps, config, defaults)


def _merge_without_hydra(overrides: list[Override]) -> Layers:
    """The result of Hydra's composition, without merging Hydra's own configuration where nothing sets a key of it."""
    loader = _loader()
    repository = Repository(loader.get_sources())
    with _without_unused_work():
        found = create_defaults_list(repository, PRIMARY, overrides, prepend_hydra=False, skip_missing=False)
    defaults = chosen_last(found.defaults, overrides)
    files = [default for default in defaults if default.config_path != PRIMARY]
    of_hydras = any(map(Override.is_hydra_override, overrides)) or any(map(repository.sets_hydra, files))
    config: DictConfig = pickle.loads(_hydras_configuration()) if of_hydras else OmegaConf.create()  # noqa: S301  made here
    with flag_override(config, "no_deepcopy_set_nodes", True):
        for file in files:
            config.merge_with(repository.placed(file))
    OmegaConf.set_struct(config, True)
    ConfigLoaderImpl._apply_overrides_to_config(found.config_overrides, config)
    sweeps = of_hydras and config.hydra.mode == RunMode.MULTIRUN
    return _kept(str(found.overrides.known_choices["recipe"]), sweeps, config, defaults)


@contextmanager
def python_errors_as_hydras() -> Iterator[None]:
    """Turns errors of Python's that Hydra lets through, such as a word as the index of a list, into one of Hydra's."""
    try:
        yield
    except (ValueError, TypeError, AssertionError) as error:
        raise ConfigCompositionException(f"Could not override: {error}") from error


@contextmanager
def _without_unused_work() -> Iterator[None]:
    """Halves the time of Hydra's defaults list by leaving out what it does for each file without using the result.

    Hydra makes a map of all choices although a file's defaults list has no interpolation, such as
    `- /evaluation: ${source}`, and parses the version `1.2` a hundred times to know which rules apply.
    """
    maps, versions = hydras_lists._create_interpolation_map, hydras_version._get_version

    def map_where_read(overrides: Overrides, defaults_list: list[InputDefault], self_added: bool) -> DictConfig:
        chosen = (default for default in defaults_list if not default.is_self() and not default.is_override())
        if any(default.is_interpolation() for default in chosen):
            return maps(overrides, defaults_list, self_added)
        return _NOTHING

    hydras_lists._create_interpolation_map = map_where_read
    hydras_version._get_version = cache(versions)
    try:
        yield
    finally:
        hydras_lists._create_interpolation_map, hydras_version._get_version = maps, versions


@cache
def _hydras_configuration() -> bytes:
    """Hydra's own configuration with the packaged primary config merged into it, pickled."""
    loader = _loader()
    repository = ConfigRepository(loader.get_search_path())
    found = create_defaults_list(repository, PRIMARY, [], prepend_hydra=True, skip_missing=True)
    return pickle.dumps(loader._compose_config_from_defaults_list(found.defaults, repository))


def _loader() -> ConfigLoaderImpl:
    loader = GlobalHydra.instance().config_loader()
    assert isinstance(loader, ConfigLoaderImpl)  # for type checkers: Hydra has no other
    return loader


def _kept(recipe: str, sweeps: bool, config: DictConfig, defaults: Iterable[ResultDefault]) -> Layers:
    sources = tuple(_sources(defaults))
    if "hydra" in config:
        with open_dict(config):
            del config["hydra"]
    return Layers(recipe, sweeps, sources, pickle.dumps(config))


def _sources(defaults: Iterable[ResultDefault]) -> Iterator[tuple[Path, str]]:
    sources = _loader().get_sources()
    for default in defaults:
        config_path = default.config_path or ""
        if config_path != PRIMARY and not config_path.startswith("hydra/"):
            path = _file_of(sources, config_path)
            if path is not None:
                yield path, default.package or ""


def _file_of(sources: Sequence[Any], config_path: str) -> Path | None:
    for source in sources:
        if isinstance(source, RecipesSource) and source.is_config(config_path):
            return source.file(config_path)
    packaged = PRESETS / f"{config_path}.yaml"
    return packaged if packaged.is_file() else None
