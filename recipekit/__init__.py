"""recipekit: TensorFlow Lite conversion as config as code.

The verbs of the command line as functions: `recipekit.run("mobilenet_int8")` and the others of `__all__`, described
in docs/api.md. Importing the package imports none of them; each is there when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipekit.api import *

__version__ = "0.1.0"

__all__ = [
    "DiffResult",
    "InspectResult",
    "LintResult",
    "NotAccepted",
    "Progress",
    "RecipekitError",
    "ReproduceResult",
    "RunResult",
    "ShowResult",
    "SignResult",
    "SweepResult",
    "ValidateResult",
    "VerifyResult",
    "__version__",
    "diff",
    "export",
    "inspect",
    "lint_samples",
    "list_recipes",
    "reproduce",
    "resume",
    "run",
    "show",
    "sign",
    "sweep",
    "validate",
    "validate_all",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'recipekit' has no attribute '{name}'")
    return getattr(importlib.import_module("recipekit.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
