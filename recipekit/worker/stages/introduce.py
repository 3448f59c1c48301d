"""The stage `introduce`: proof that a worker starts, and which versions it has imported."""

from __future__ import annotations

import importlib
from pathlib import Path

from recipekit.contracts import IntroduceRequest, Introduction


def run(request: IntroduceRequest, folder: Path) -> Introduction:
    """Imports what is asked for.

    Raises:
        ImportError: a module can't be imported.
    """
    del folder
    modules = {name: importlib.import_module(name) for name in request.modules}
    return Introduction(versions={name: str(getattr(it, "__version__", "")) for name, it in modules.items()})
