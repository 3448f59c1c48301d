"""How a command ends that fails or is stopped: what is said of it, and its exit code.

It stands apart from the edge that catches errors, so that help answers without it. A verb has it before it begins:
where files or memory have run out, nothing more can be imported.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from tempfile import NamedTemporaryFile
from typing import TypeGuard

from recipekit.cli.interruption import Interrupted, farewell, stop_behind
from recipekit.cli.messages import more, told
from recipekit.errors import InternalError, OutputFault, RecipekitError
from recipekit.secrecy import redacted

_REFUSALS = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT}


def ended_by(error: BaseException, *, debug: bool) -> int:
    """Says on stderr, without secrets, what ended a command.

    Args:
        error: what was raised. What is neither ours nor an interruption is a defect, whose traceback a file gets.
        debug: whether the traceback of an error is printed, too.

    Returns:
        The exit code, as RECIPE.md section 6 lists them.
    """
    stop = Interrupted() if type(error) is KeyboardInterrupt else stop_behind(error)
    if stop is not None:
        sys.stderr.write(redacted(farewell(stop)))
        return stop.exit_code
    if debug:
        sys.stderr.write(_traceback(error))
    if _is_of_stdout(error):
        _let_stdout_go()
        if isinstance(error, BrokenPipeError):  # the reader has gone, as in `recipekit list | head -1`, and knows it
            return 1
        error = OutputFault(
            f"can't be written: {error.strerror}",
            where="stdout",
            fix="free space where it is redirected to, or redirect it elsewhere",
        )
    if isinstance(error, RecipekitError):
        sys.stderr.write(redacted(told(error)))
        return error.exit_code
    with NamedTemporaryFile("w", prefix="recipekit-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(_traceback(error))
    what = f"error RK100: a defect of recipekit: {type(error).__name__}: {error}\n"
    sys.stderr.write(f"{redacted(what)}  fix: please report it with {log.name}\n{more(InternalError.id)}")
    return InternalError.exit_code


def _is_of_stdout(error: BaseException) -> TypeGuard[OSError]:
    """Whether what was printed could not go where stdout leads: whatever else is written is told with its path."""
    return isinstance(error, OSError) and error.filename is None and error.errno in _REFUSALS


def _let_stdout_go() -> None:
    """Drops what is left over, which Python would try to print once more at the very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _traceback(error: BaseException) -> str:
    return redacted("".join(traceback.format_exception(error)))
