"""A merged recipe as plain data, in which a sweep's simple values are set without OmegaConf.

OmegaConf takes milliseconds to copy a recipe, set one number in it and turn it into plain data again. Most children of
a sweep are the same recipe with other numbers and words, so the plain data are made once and copied. Whatever needs
OmegaConf, such as an interpolation or a value that it would refuse, is left to it.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

_KEY = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*")
_MISSING = "???"


class Plain(NamedTuple):
    """A merged recipe without OmegaConf.

    Attributes:
        pickled: its mapping; a copy is unpickled faster than it is made.
        is_settled: whether no value stands for another one or is missing.
    """

    pickled: bytes
    is_settled: bool

    def with_values(self, values: Sequence[Override]) -> dict[str, Any] | None:
        """A copy with values overridden in it; None where OmegaConf has to say what that means."""
        mapping: dict[str, Any] = pickle.loads(self.pickled)  # noqa: S301  pickled by this process
        return mapping if all(_set(mapping, override) for override in values) else None


@lru_cache(maxsize=256)
def plain(merged: bytes) -> Plain:
    """The plain data of a merged recipe, which comes pickled as `Layers` keep it."""
    mapping = OmegaConf.to_container(pickle.loads(merged), resolve=False)  # noqa: S301  pickled by this process
    return Plain(pickle.dumps(mapping), _is_settled(mapping))


def _set(mapping: dict[str, Any], override: Override) -> bool:
    """Sets a forced override's value as OmegaConf does; False where it is no plain value, or not in mappings."""
    value = override.value()
    if not (override.is_force_add() and _KEY.fullmatch(override.key_or_group) and _is_plain_scalar(value)):
        return False
    *sections, last = override.key_or_group.split(".")
    section = mapping
    for key in sections:
        inner = section.get(key)
        if isinstance(inner, list) or not _is_settled(inner):
            return False
        if not isinstance(inner, dict):
            inner = section[key] = {}  # a mapping takes a plain value's place
        section = inner
    section[last] = value
    return True


def _is_plain_scalar(value: Any) -> bool:
    return (value is None or isinstance(value, bool | int | float | str)) and _is_settled(value)


def _is_settled(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_settled, value.values()))
    if isinstance(value, list):
        return all(map(_is_settled, value))
    return not (isinstance(value, str) and ("${" in value or value == _MISSING))
