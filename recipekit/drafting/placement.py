"""Where a first recipe goes, and how it gets there: whole or not at all, and over nobody's file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recipekit import fsio
from recipekit.drafting.draft import shown_from
from recipekit.errors import UsageError

_IGNORED = "outputs/\n"
_MODELS = "models"


class Placement:
    """Files to be written into a project; `write` puts all of them there, or none."""

    def __init__(self, root: Path, recipes: Path, *, force: bool) -> None:
        """Plans nothing yet.

        Args:
            root: of the project; absolute.
            recipes: its recipes folder, which may not be there yet.
            force: whether a recipe of the same name may be replaced.
        """
        self.root = root
        self._recipes = recipes
        self._force = force
        self._texts: dict[Path, str] = {}
        self._copies: dict[Path, Path] = {}

    def add_recipe(self, name: str, text: str) -> Path:
        """Plans a recipe, and in a new project what keeps outputs out of git.

        Raises:
            UsageError: there is one of that name.
        """
        path = self._recipes / f"{name}.yaml"
        if path.exists() and not self._force:
            raise UsageError(
                "is there already",
                where=shown_from(path, self.root),
                fix="choose another name with --name, or let it be replaced with --force",
            )
        self._texts[path] = text
        ignore = self.root / ".gitignore"
        if not self._recipes.exists() and not ignore.exists():
            self._texts[ignore] = _IGNORED
        return path

    def add_copy(self, model: Path) -> Path:
        """Plans a copy of a model in the project's folder of models.

        Raises:
            UsageError: there is a file of that name.
        """
        target = self.root / _MODELS / model.name
        if target.exists():
            raise UsageError(
                "is there already",
                where=shown_from(target, self.root),
                fix="name that one, or rename the model; a model is never replaced",
            )
        self._copies[target] = model
        return target

    def write(self, check: Callable[[], None]) -> list[str]:
        """Writes all files, and takes them away again where that fails or they turn out wrong.

        Args:
            check: looks at what was written, and raises if it is wrong.

        Returns:
            The paths, as seen from the project root.

        Raises:
            OutputFault: a file can't be written.
        """
        before = {path: path.read_bytes() for path in self._texts if path.exists()}
        made: list[Path] = []
        try:
            with fsio.reported(self.root):
                for target, model in self._copies.items():
                    self._make_folder(target.parent, made)
                    made.append(target)
                    (shutil.copytree if model.is_dir() else shutil.copyfile)(model, target)
                for path, text in self._texts.items():
                    self._make_folder(path.parent, made)
                    if path not in before:
                        made.append(path)
                    path.write_text(text, encoding="utf-8")
            check()
        except BaseException:
            for path, content in before.items():
                path.write_bytes(content)
            for path in reversed(made):
                _remove(path)
            raise
        return [shown_from(path, self.root) for path in (*self._copies, *self._texts)]

    def _make_folder(self, folder: Path, made: list[Path]) -> None:
        missing = [it for it in (folder, *folder.parents) if not it.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        made.extend(reversed(missing))


def _remove(path: Path) -> None:
    """Takes away what was written; a folder that somebody else has put something into stays."""
    with suppress(OSError):
        if path.is_dir() and path.parent.name == _MODELS:
            shutil.rmtree(path)
        elif path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
