"""The overrides of a sweep that goes on: those that it began with, its launcher chosen anew where somebody does."""

from __future__ import annotations

from collections.abc import Sequence

from recipekit.compose.overrides import read_overrides
from recipekit.errors import UsageError

_CHOICE = "hydra/launcher"
_SETTINGS = "hydra.launcher."


def relaunched(begun: Sequence[str], given: Sequence[str]) -> list[str]:
    """The overrides of a sweep with those of another launcher in the place of its own.

    Args:
        begun: what it began with.
        given: what is said now: `hydra/launcher=NAME`, which also takes back all settings of the launcher before, and
            `hydra.launcher.KEY=VALUE`. Where children run changes nothing of what they are.

    Raises:
        UsageError, ForbiddenKey: something else is said.
    """
    keys = {override.key: override.text for override in read_overrides(given)}
    for key, text in keys.items():
        if not (key == _CHOICE or key.startswith(_SETTINGS)):
            raise UsageError(
                f"'{text}' would make another sweep of it",
                where="command line",
                fix=f"leave it out, or begin a sweep of its own; {_CHOICE}=NAME and {_SETTINGS}KEY=VALUE may be chosen",
            )
    kept = (text for text in begun if not _is_replaced(_key(text), keys))
    return [*kept, *given]


def _is_replaced(key: str, keys: dict[str, str]) -> bool:
    return key in keys or (_CHOICE in keys and key.startswith(_SETTINGS))


def _key(text: str) -> str:
    return text.partition("=")[0].lstrip("+~")
