"""From the command line to a verb, and the only place where errors become messages and exit codes.

Nothing but the standard library is imported before a verb is known, so that `--help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import FrameType
from typing import NoReturn

from recipekit import __version__
from recipekit.errors import EnvironmentFault, RecipekitError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.secrecy import redacted

VERBS = {
    "run": "build a recipe: convert, compare, judge, publish (-m for a sweep)",
    "validate": "check recipes without running them",
    "list": "name the project's recipes and the options of every group",
    "show": "print a composed recipe, each value with the file and line that set it",
    "cache": "say what the stage store holds, or remove what was long unused",
    "reproduce": "build an output again from its manifest alone and compare byte for byte",
    "lint": "look for faults in calibration and evaluation samples without converting",
    "verify": "check an output: files, records, verdict and signatures",
    "sign": "sign an output's manifest and verdict with your own key",
    "inspect": "say what a .tflite file holds and which build it comes from",
    "diff": "compare two recipes, outputs or .tflite files",
    "export": "write an output's record as CycloneDX ML-BOM or model card",
    "report": "say where the page of an output or a sweep is, open it, or make one of several",
}

HELP = f"""\
recipekit {__version__}: TensorFlow Lite conversion as config as code

usage: recipekit VERB [options] [key=value ...]

{{verbs}}

options:
  -h, --help     this page; after a verb, the verb's own
  --version      print the version
  --debug        print a traceback with an error

example: recipekit run recipe=mobilenet_int8
"""


class Terminated(BaseException):
    """SIGTERM, as an exception that unwinds like Ctrl-C does."""


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the arguments behind the program's name; the process's own if None.

    Returns:
        The exit code, as RECIPE.md section 6 lists them.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _raise_interrupted)
        signal.signal(signal.SIGTERM, _raise_terminated)
        code = _dispatch(arguments)
        sys.stdout.flush()
    except RecipekitError as error:
        if debug:
            sys.stderr.write(redacted(traceback.format_exc()))
        sys.stderr.write(redacted(f"error {error.id}: {error}\n"))
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: the running build published nothing; what its stages gave is kept\n")
        return 130
    except Terminated:
        sys.stderr.write("terminated: the running build published nothing; what its stages gave is kept\n")
        return 143
    except BrokenPipeError:  # the reader of our output has gone, as in `recipekit list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  the edge: a defect of recipekit is reported, not dumped
        return _defect(error, debug)
    return code


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["-sc"] or arguments[:1] == ["--shell-completion"]:
        return _complete(arguments)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(HELP.format(verbs="\n".join(f"  {verb:<10} {what}" for verb, what in VERBS.items())))
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(f"recipekit {__version__}\n")
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        raise UsageError(
            f"there is no command '{verb}'{did_you_mean(verb, VERBS)}",
            where="command line",
            fix=f"use one of {', '.join(VERBS)}",
        )
    try:
        with _signals_held():
            command = importlib.import_module(f"recipekit.cli.{verb}")
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"the module '{error.name}' is not installed, and recipekit needs its package",
            where="environment",
            fix="pip install --force-reinstall recipekit",
        ) from error
    code: int = command.main(rest)
    return code


def _complete(arguments: list[str]) -> int:
    """Shell completion: Hydra's, which knows nothing of verbs, with the verb taken out of the line."""
    words = os.environ.get("COMP_LINE", "").split(" ", 2)
    if len(words) < 3 and arguments[1:2] and arguments[1].startswith("query="):
        typed = words[1] if len(words) > 1 else ""
        sys.stdout.write(" ".join(verb for verb in VERBS if verb.startswith(typed)) + "\n")
        return 0
    if len(words) == 3:
        os.environ["COMP_LINE"] = f"{words[0]} {words[2]}"
    return _dispatch(["run", *arguments])


def _defect(error: Exception, debug: bool) -> int:
    with NamedTemporaryFile("w", prefix="recipekit-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(redacted(traceback.format_exc()))
    if debug:
        sys.stderr.write(redacted(traceback.format_exc()))
    what = f"error RK100: a defect of recipekit: {type(error).__name__}: {error}\n"
    sys.stderr.write(f"{redacted(what)}  fix: please report it with {Path(log.name)}\n")
    return 1


@contextmanager
def _signals_held() -> Iterator[None]:
    """Lets signals wait while a verb is imported: an exception in the middle can leave C extensions half made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise_interrupted(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Lets Ctrl-C end everything in order, and a second one at once: workers end with us, the next run clears up."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt


def _raise_terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
