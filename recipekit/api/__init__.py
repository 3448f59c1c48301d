"""The verbs as functions, for programs, notebooks and tests; each gives a frozen result that shows itself.

A function finds the project from the current folder upwards, or from `project`; prints nothing unless `progress` asks
for it; touches no signal handler; and raises the errors of `recipekit.errors`. A verdict is no error: `run` gives a
rejected model, too, and `require_accepted` insists.
"""

from recipekit.api.audits import (
    DiffResult,
    InspectResult,
    ReproduceResult,
    VerifyResult,
    diff,
    inspect,
    reproduce,
    verify,
)
from recipekit.api.builds import lint_samples, resume, run, sweep
from recipekit.api.linted import LintResult
from recipekit.api.progress import Progress
from recipekit.api.recipes import ShowResult, ValidateResult, list_recipes, show, validate, validate_all
from recipekit.api.records import SignResult, export, sign
from recipekit.api.results import RunResult, SweepResult
from recipekit.errors import NotAccepted, RecipekitError

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
