"""What makes a result show itself in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from recipekit.report import Panel, panel_html, panel_markdown


class Shown(ABC):
    """A result with a panel; the two methods are the names that IPython looks for."""

    @abstractmethod
    def _panel(self) -> Panel:
        """What a notebook shows."""

    def _repr_html_(self) -> str:
        return panel_html(self._panel())

    def _repr_markdown_(self) -> str:
        return panel_markdown(self._panel())


def near(path: Path) -> str:
    """A path as it reads from the current folder, where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def address(path: Path) -> str:
    """What a link to a file says: relative below the current folder, which is the notebook's, else a file URI."""
    return near(path) if path.is_relative_to(Path.cwd()) else path.as_uri()
