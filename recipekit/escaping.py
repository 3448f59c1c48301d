"""Text from elsewhere, made harmless before it is shown: a file's name or message may hold what moves a cursor."""

from __future__ import annotations


def escaped(text: str) -> str:
    """A text on one line: line ends, other control characters and what isn't UTF-8 become escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def escaped_lines(text: str) -> str:
    """The same of a text of several lines, whose line ends stay."""
    return "\n".join(map(escaped, text.split("\n")))
