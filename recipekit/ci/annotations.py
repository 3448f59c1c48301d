"""GitHub's workflow commands: a message with the file and line that it is about, shown beside the code.

The format and its escapes: GitHub's documentation, "Workflow commands for GitHub Actions", and the toolkit's
`packages/core/src/command.ts`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PLACE = re.compile(r"(?P<file>[^:\n]+\.ya?ml):(?P<line>\d+)(?::(?P<column>\d+))?(?:: (?P<rest>.*))?$")


class Annotation(NamedTuple):
    """One message.

    Attributes:
        title: a few words.
        message: what is wrong; may have several lines.
        file: that it is about, relative to the repository; empty for none.
        line: in that file, from 1; 0 for none.
        column: in that line, from 1; 0 for none.
        level: `error` or `warning`.
    """

    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    level: str = "error"

    def command(self) -> str:
        """The line that GitHub's runner understands."""
        place = {"file": self.file, "line": self.line or "", "col": self.column or ""} if self.file else {}
        properties = {**place, "title": self.title}
        given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
        return f"::{self.level} {given}::{_data(self.message)}"


def in_error(text: str, title: str, root: Path) -> Iterator[Annotation]:
    """The annotations of an error: one for each line of it that names a place in a recipe, else one without a place.

    Args:
        text: of the error; a place is told as `recipes/x.yaml:12:3: what is wrong`.
        title: of each.
        root: the project's, which paths are relative to.
    """
    found = [annotation for line in text.splitlines() if (annotation := _of_line(line, title, root)) is not None]
    yield from found or [Annotation(title, text)]


def at(place: str, title: str, message: str, root: Path) -> Annotation:
    """An annotation at a place such as `recipes/x.yaml:12`; one without a place where it is none in a file."""
    found = _PLACE.search(place.strip())
    if found is None:
        return Annotation(title, f"{place}: {message}" if place else message)
    return Annotation(title, message, in_repository(found["file"].strip(), root), int(found["line"]))


def in_repository(file: str, root: Path) -> str:
    """A project's file as the runner's checkout names it; empty for one that lies outside, or is packaged."""
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    path = (root / file).resolve()
    return path.relative_to(workspace).as_posix() if path.is_relative_to(workspace) and path.is_file() else ""


def _of_line(line: str, title: str, root: Path) -> Annotation | None:
    found = _PLACE.search(line)
    if found is not None and found["rest"]:
        file, column = in_repository(found["file"].strip(), root), int(found["column"] or 0)
        return Annotation(title, found["rest"] if file else line.strip(), file, int(found["line"]), column)
    return Annotation(title, line.strip()) if line.strip().startswith("command line: ") else None


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
