"""JSON that every reader understands alike: no key twice, no NaN, no number that is too large. It knows no manifest."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn, TextIO

_CHUNK = 1 << 16
_BEHIND = frozenset(", ]\t\n\r")
_SPACE = re.compile(r"[ \t\n\r]*")


def strict_json(text: str) -> Any:
    """The value of a JSON text that every reader understands alike.

    Raises:
        ValueError: the text isn't JSON, holds a key twice, NaN, or a number that is too large.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)


def strict_items(stream: TextIO) -> Iterator[Any]:
    """The items of a JSON list, each as soon as it is read, as `strict_json` gives them.

    Raises:
        ValueError, RecursionError: as of `strict_json`, where it is found; or it is no list.
    """
    text = _Text(stream)
    text.take("[")
    if text.sign() != "]":
        yield text.value()
        while text.sign() == ",":
            text.take(",")
            yield text.value()
    text.take("]")
    if text.sign():
        raise ValueError("there is more behind the list")


class _Text:
    """A JSON text that is read as far as it is needed, and forgotten behind that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text, self._at = "", 0
        decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
        self._decoded = decoder.raw_decode

    def sign(self) -> str:
        """The next character that is no space, which stays; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text) or not self._has_more():
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        """Goes behind a character that must be next."""
        if self.sign() != sign:
            raise ValueError(f"a list has '{sign}' where this one has '{self.sign()}'")
        self._at += 1

    def value(self) -> Any:
        """The next value."""
        self.sign()
        while True:
            try:
                value, end = self._decoded(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._has_more():
                    raise ValueError(error.msg) from error  # its line and column are those of what is read so far
                continue
            if self._text[end : end + 1] in _BEHIND or not self._has_more():  # else a number may go on
                self._at = end
                return value

    def _has_more(self) -> bool:
        rest = self._text[self._at :]
        more = self._stream.read(max(_CHUNK, len(rest)))  # so that what never ends is not tried again too often
        self._text, self._at = rest + more, 0
        return bool(more)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands there twice")
    return mapping


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number
