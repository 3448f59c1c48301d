"""JSON that names files, written so that it stays right when the files move, to another machine too.

The beginning of each path is replaced by a word for the folder. It knows neither stages nor what the files are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_MARK = "\x00"
"""Goes before the word; no text of a model or a file holds it."""


def portable(value: Any, places: Mapping[str, str]) -> Any:
    """JSON with a word in the place of each path's beginning.

    Args:
        value: the JSON.
        places: absolute paths of folders, by the word that stands for each.
    """

    def kept(text: str) -> str:
        for word, path in places.items():
            if text == path or text.startswith(f"{path}/"):
                return f"{_MARK}{word}{text[len(path) :]}"
        return text

    return _mapped(value, kept)


def placed(value: Any, places: Mapping[str, str]) -> Any:
    """The reverse of `portable`, for where the folders are now."""

    def found(text: str) -> str:
        if not text.startswith(_MARK):
            return text
        word, slash, rest = text.removeprefix(_MARK).partition("/")
        return f"{places[word]}{slash}{rest}"

    return _mapped(value, found)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return value
