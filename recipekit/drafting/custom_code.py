"""Where a project defines the classes that a model file names: source is read for their names, never run."""

from __future__ import annotations

import ast
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_DEFINITION = r"^\s*(?:class|def) %s\b"
_MOST_FILES = 2000
_MOST_FOLDERS = 5000
_LONGEST = 2**20
_SKIPPED = {"node_modules", "site-packages", "__pycache__", "outputs", "build", "dist", "tests"}
_WORK = {"fit", "train_on_batch", "save", "export"}
"""Methods that a script calls and a module doesn't: importing one that does would train, or write files."""


class Module(NamedTuple):
    """A file that defines a class or function.

    Attributes:
        path: relative to the project root.
        works_at: the line where importing it would train a model or write one; None for a module that defines alone.
    """

    path: str
    works_at: int | None

    @property
    def doubt(self) -> str:
        """What speaks against importing it; empty for nothing."""
        if self.works_at is None:
            return ""
        return f"importing {self.path} trains or saves a model (line {self.works_at}): move the class into its own file"


def modules_of(names: Sequence[str], root: Path) -> dict[str, Module]:
    """Files that define classes or functions, by the name that the model gives those.

    Of several, the first that defines alone is taken, before those that work when they are imported.

    Args:
        names: as `custom_layers.objects` spells them, such as `shop>Step`.
        root: the project root.
    """
    found: dict[str, Module] = {}
    own = {name: name.rpartition(">")[2] for name in names}
    wanted = {name: re.compile(_DEFINITION % re.escape(it), re.MULTILINE) for name, it in own.items()}
    for path in itertools.islice(_sources(root), _MOST_FILES) if wanted else ():
        text = _text(path)
        named = [name for name, definition in wanted.items() if _is_open(found.get(name)) and definition.search(text)]
        tree = _tree(text) if named else None
        if tree is None:
            continue
        defined = {it.name for it in _statements(tree) if isinstance(it, ast.ClassDef | ast.FunctionDef)}
        module = Module(path.relative_to(root).as_posix(), _works_at(tree))
        for name in named:
            if own[name] in defined and (name not in found or module.works_at is None):
                found[name] = module
    return found


def _is_open(module: Module | None) -> bool:
    return module is None or module.works_at is not None


def _sources(root: Path) -> Iterator[Path]:
    for folder, folders, names in itertools.islice(os.walk(root), _MOST_FOLDERS):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        yield from (Path(folder) / name for name in sorted(names) if name.endswith(".py"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LONGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """What an import of a module runs: its statements and those of its blocks, not what it defines, nor its `main`."""
    for block in ("body", "orelse", "finalbody", "handlers"):
        for it in getattr(tree, block, ()):
            if isinstance(it, ast.If) and "__name__" in ast.unparse(it.test):
                continue
            if isinstance(it, ast.stmt):
                yield it
            if not isinstance(it, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _statements(it)


def _works_at(tree: ast.Module) -> int | None:
    """The line of the first call that trains or writes a model when the module is imported."""
    simple = (it for it in _statements(tree) if isinstance(it, ast.Expr | ast.Assign | ast.AnnAssign))
    calls = (call for it in simple for call in ast.walk(it) if isinstance(call, ast.Call))
    return next((it.lineno for it in calls if isinstance(it.func, ast.Attribute) and it.func.attr in _WORK), None)
