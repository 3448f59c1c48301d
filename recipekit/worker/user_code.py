"""Code of the recipe's project: imported by address, and every way it can fail turned into one typed error.

This is the only module that puts a project on the import path. It knows nothing of what the code is for.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from recipekit.errors import PluginError, RecipekitError

_PACKAGE = str(Path(__file__).resolve().parents[1])
_LIBRARIES = tuple({sysconfig.get_path(scheme) for scheme in ("stdlib", "platstdlib", "purelib", "platlib")})


def import_modules(modules: Iterable[str], root: Path) -> tuple[ModuleType, ...]:
    """Imports modules by dotted name, or by a `.py` path relative to the project root.

    Args:
        modules: `my_pkg.layers` or `layers/attention.py`; the same file is imported once a process.
        root: the project root, put first on the import path.

    Raises:
        PluginError: a module is missing, or raised or exited while it was imported.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return tuple(_import_file(name, root) if name.endswith(".py") else _import_name(name) for name in modules)


def load_object(address: str, root: Path) -> Any:
    """The object at `module:name` (or `path/to/file.py:name`), dots allowed in the name.

    Raises:
        PluginError: the address has another form, its module can't be imported, or it lacks the name.
    """
    module_name, colon, attribute = address.rpartition(":")
    if not colon or not module_name or not attribute:
        raise PluginError(f"'{address}' is not an address", fix="write it as 'package.module:name' or 'file.py:name'")
    (module,) = import_modules([module_name], root)
    try:
        return attrgetter(attribute)(module)
    except AttributeError:
        raise PluginError(
            f"'{module_name}' has no '{attribute}'", where=address, fix="correct the name or define it there"
        ) from None


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Runs code of a plugin; whatever it raises, `SystemExit` included, leaves as a PluginError with its file and line.

    Args:
        name: what the message calls the code.

    Raises:
        PluginError: the code raised or called `sys.exit`.
    """
    try:
        yield
    except RecipekitError:
        raise
    except SystemExit as error:
        raise PluginError(
            f"{name} called sys.exit({error.code!r})", where=_place(error), fix="let it return or raise instead"
        ) from error
    except Exception as error:
        raise PluginError(f"{name} raised {type(error).__name__}: {error}", where=_place(error)) from error


def _import_name(name: str) -> ModuleType:
    with guarded(f"importing '{name}'"):
        return importlib.import_module(name)


def _import_file(name: str, root: Path) -> ModuleType:
    path = (root / name).resolve()
    if not path.is_file():
        raise PluginError("there is no such module file", where=str(path), fix="correct the path in `modules`")
    inside = path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else Path(path.name)
    dotted = ".".join(inside.with_suffix("").parts)
    loaded = sys.modules.get(dotted)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(dotted, path)
    if spec is None or spec.loader is None:
        raise PluginError("is not a Python module", where=str(path), fix="name a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[dotted] = module
    try:
        with guarded(f"importing '{name}'"):
            spec.loader.exec_module(module)
    except PluginError:
        del sys.modules[dotted]
        raise
    return module


def _place(error: BaseException) -> str:
    """`file:line` of the innermost frame of the project, or of a library's where code of a library alone ran.

    Frames of recipekit and of the import system are neither.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_PACKAGE, "<frozen"))
    ]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    own = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)] or frames
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""
