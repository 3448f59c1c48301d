"""The files that one composition is made of, so that the packaged ones are read once a process.

It knows what Hydra loads for a config path, and nothing of choices or overrides.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from hydra._internal.config_repository import ConfigRepository
from hydra.core.default_element import GroupDefault, InputDefault, ResultDefault
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import Container, OmegaConf, flag_override

from recipekit.compose.reach import is_hydras
from recipekit.compose.session import PRIMARY
from recipekit.compose.sources import RecipesSource

PRESETS = Path(__file__).resolve().parents[1] / "presets"
"""The packaged options."""

_PICKLED: dict[str, bytes] = {}
"""What the packaged files hold, by their config path; they don't change while a process runs."""


class Repository(ConfigRepository):
    """The files that one composition is made of: packaged ones from memory, and nothing of Hydra's own."""

    def __init__(self, sources: list[ConfigSource]) -> None:
        self.sources = sources
        self._loaded: dict[str, ConfigResult | None] = {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        """A file's content, the same object for the whole composition."""
        if config_path not in self._loaded:
            self._loaded[config_path] = self._load(config_path)
        return self._loaded[config_path]

    def sets_hydra(self, default: ResultDefault) -> bool:
        """Whether a file holds a node for Hydra."""
        result = self.load_config(default.config_path or "")
        return result is not None and "hydra" in result.config

    def placed(self, default: ResultDefault) -> Container:
        """A file's content below its package, as Hydra embeds it, but moved there: it is in no other place."""
        result = self.load_config(default.config_path or "")
        assert result is not None  # for type checkers: the defaults list holds what was found
        package = result.header["package"] if default.package is None else default.package
        if not package:
            return result.config
        self._loaded.pop(default.config_path or "")
        placed = OmegaConf.create()
        with flag_override(placed, "no_deepcopy_set_nodes", True):
            OmegaConf.update(placed, package, result.config, merge=False)
        return placed

    def _load(self, config_path: str) -> ConfigResult | None:
        if any(isinstance(source, RecipesSource) and source.is_config(config_path) for source in self.sources):
            return super().load_config(config_path)
        if config_path not in _PICKLED:
            _PICKLED[config_path] = pickle.dumps(super().load_config(config_path))
        result: ConfigResult | None = pickle.loads(_PICKLED[config_path])  # noqa: S301  pickled by this process
        if result is not None and config_path == PRIMARY:
            result.defaults_list = [default for default in result.defaults_list or () if not _chooses_hydras(default)]
        return result


def _chooses_hydras(default: InputDefault) -> bool:
    return isinstance(default, GroupDefault) and is_hydras(default.group or "")
