"""The command line's overrides: what may be overridden, and how that is said to Hydra.

Users write `key=value` for every key and group of the language. Hydra wants a prefix for keys that a composed recipe
doesn't hold yet, so plain overrides of keys become forced ones; groups have their place in the primary config.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override
from hydra.errors import OverrideParseException

from recipekit.compose.reach import CHOOSABLE, GROUPS, is_hydras
from recipekit.errors import ForbiddenKey, UsageError

_OPEN_TO_COMMAND_LINE = ("hydra.mode", "hydra.sweeper.", "hydra.launcher.", *CHOOSABLE)

_OBJECTIVES = "hydra.sweeper.objectives"

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,14})?")

_NAME = re.compile(r"(?:[\w./-]*/)?(?P<recipe>[\w-]+)(?:\.ya?ml)?")

_FORMS = "write key=value, group=option, +key=value or ~key; put values with commas or spaces in quotes"


class CommandOverride(NamedTuple):
    """One override of the command line.

    Attributes:
        text: as the user wrote it, a leading `++` left out, since Hydra gives plain ones back with it.
        for_hydra: as Hydra takes it.
        key: the dotted key, or the group, that it is about.
        is_group: whether it chooses a group's option.
        paths: key paths that it sets, those inside of a mapping among them; empty for a choice.
        parsed: Hydra's reading of `text`, its prefix included.
    """

    text: str
    for_hydra: str
    key: str
    is_group: bool
    paths: tuple[tuple[str, ...], ...]
    parsed: Override

    @property
    def is_value(self) -> bool:
        """Whether it surely is about a value of the recipe; Hydra tells groups in folders of folders from keys."""
        return not (self.is_group or self.parsed.package or "/" in self.key or is_hydras(self.key))


def read_overrides(
    texts: Sequence[str], user_groups: Sequence[str] = (), place: str = "command line"
) -> tuple[CommandOverride, ...]:
    """Reads overrides in Hydra's grammar.

    Args:
        texts: as written on the command line.
        user_groups: groups of the user's folder besides those of the language.
        place: where they were written.

    Raises:
        UsageError: one of them isn't an override.
        ForbiddenKey: one of them reaches for Hydra's own configuration, or for code.
    """
    return tuple(_read(text, {"recipe", *GROUPS, *user_groups}, place) for text in texts)


def texts_for_hydra(overrides: Iterable[CommandOverride]) -> list[str]:
    """Overrides as Hydra takes them; objectives of a search replace the recipe's, where Hydra would merge both."""
    texts = []
    for override in overrides:
        texts += [f"{_OBJECTIVES}=null"] if override.key == _OBJECTIVES else []
        texts.append(override.for_hydra)
    return texts


def sweep_folder(folder: Path) -> str:
    """The override that sets Hydra's working folder of a sweep, quoted for Hydra's grammar."""
    quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
    return f"hydra.sweep.dir='{quoted}'"


@cache
def parser() -> OverridesParser:
    """Hydra's parser of overrides; it takes longer to make than it takes to read one."""
    return OverridesParser.create()


def _read(text: str, groups: set[str], place: str) -> CommandOverride:
    parsed = _parse(text, place)
    key = str(parsed.key_or_group)
    if "_target_" in text:
        where = f"{place}: {text}"
        raise ForbiddenKey("'_target_' is not allowed", where=where, fix="name a registered plugin instead")
    address = f"{key}@{parsed.package}" if parsed.package else key
    if is_hydras(address) and not (address.startswith(_OPEN_TO_COMMAND_LINE) and "@" not in address):
        raise ForbiddenKey(
            f"'{address}' is not yours to set",
            where=f"{place}: {text}",
            fix=f"of Hydra's own keys, use {', '.join(_OPEN_TO_COMMAND_LINE)}",
        )
    value = parsed.value()
    is_group = (key in groups or key in CHOOSABLE) and not _is_mapping(value)
    if is_group and not (parsed.is_sweep_override() or parsed.is_delete() or _names_options(value)):
        raise UsageError(
            f"'{text}' names no option of '{key}'",
            where=place,
            fix=f"write {key}=NAME, or ~{key} for none of them",
        )
    for_hydra = _for_hydra(text, key, is_group, parsed)
    paths = () if is_group else tuple(_paths(value, tuple(key.split("."))))
    return CommandOverride(text.removeprefix("++"), for_hydra, key, is_group, paths, parsed)


def _names_options(value: Any) -> bool:
    return all(isinstance(each, str) for each in (value if isinstance(value, list) else [value]))


def _is_mapping(value: Any) -> bool:
    """Whether a value is a mapping, or stands for several that all are."""
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    return all(isinstance(each, dict) for each in values)


def _paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, str(key)))


def _for_hydra(text: str, key: str, is_group: bool, parsed: Override) -> str:
    if parsed.is_delete() or is_hydras(key):
        return text
    bare = text.lstrip("+")
    if is_group:
        return bare if key in GROUPS else text
    return f"++{bare}" if not parsed.is_add() or parsed.is_force_add() else text


def _parse(text: str, place: str) -> Override:
    try:
        parsed = _parse_numbered(text) or _parse_text(text)
    except OverrideParseException as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"'{text}' is not an override: {reason}", where=place, fix=_forms_for(text)) from error
    if not parsed.key_or_group:
        raise UsageError(f"'{text}' is not an override: it has no key", where=place, fix=_FORMS)
    return parsed


def _forms_for(text: str) -> str:
    """What to write in the place of a text that is no override; one word is a recipe's name or file as often as not."""
    named = _NAME.fullmatch(text)
    return f"write recipe={named['recipe']} to choose that recipe; else {_FORMS}" if named else _FORMS


def _parse_text(text: str) -> Override:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parser().parse_overrides([text])[0]


def _parse_numbered(text: str) -> Override | None:
    """Hydra's reading of a key with a number; None for any other text. A sweep gives one key thousands of them."""
    head, _, value = text.partition("=")
    if _NUMBER.fullmatch(value) is None:
        return None
    try:
        zero = _with_zero(head)
    except OverrideParseException:  # which names the text that it couldn't read
        return None
    return replace(zero, _value=float(value) if "." in value else int(value), input_line=text)


@lru_cache(maxsize=256)
def _with_zero(head: str) -> Override:
    return _parse_text(f"{head}=0")
