"""From the command line to a verb, and the only place where errors become messages and exit codes.

Nothing but the standard library is imported before a verb is known, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

from recipekit import __version__
from recipekit.cli.interruption import Terminated, catch_signals, signals_held
from recipekit.errors import EnvironmentFault, UsageError
from recipekit.nearest import did_you_mean

VERBS = {
    "init": "write a first recipe for a model, from what its file says",
    "doctor": "say what could stand in the way here, or of one model",
    "list": "name the project's recipes and the options of every group",
    "show": "print a composed recipe, each value with the file and line that set it",
    "validate": "check recipes without running them",
    "lint": "look for faults in calibration and evaluation samples without converting",
    "run": "build a recipe: convert, compare, judge, publish (-m for a sweep)",
    "report": "say where the page of an output or a sweep is, open it, or make one of several",
    "cache": "say what the stage store holds, or remove what was long unused",
    "inspect": "say what a model holds, and which build a .tflite file comes from",
    "diff": "compare two recipes, outputs or .tflite files",
    "verify": "check an output: files, records, verdict and signatures",
    "sign": "sign an output's manifest and verdict with your own key",
    "reproduce": "build an output again from its manifest alone and compare byte for byte",
    "export": "write an output's record as CycloneDX ML-BOM or model card",
    "explain": "say what an error id means, its causes and the way out",
    "schema": "print the JSON Schema of recipes, or set up an editor with it",
    "completion": "print the script that completes command lines in bash, zsh or fish",
}
"""What each is for, in the order in which one comes to need them."""

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
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from recipekit.cli.streams import open_closed_streams  # noqa: PLC0415  few close them

        open_closed_streams()
    try:
        catch_signals()
        code = _dispatch(arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt, Terminated) as error:  # noqa: BLE001  the edge: defects are reported, not dumped
        from recipekit.cli.ending import ended_by  # noqa: PLC0415  help needs none of it

        return ended_by(error, debug=debug)
    return code


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["-sc"] or arguments[:1] == ["--shell-completion"]:
        return _complete(arguments)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(HELP.format(verbs="\n".join(f"  {verb:<10}  {what}" for verb, what in VERBS.items())))
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
        with signals_held():
            _imported("recipekit.cli.ending")
            command = _imported(f"recipekit.cli.{verb}")
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"the module '{error.name}' is not installed, and recipekit needs its package",
            where="environment",
            fix="pip install --force-reinstall recipekit",
        ) from error
    code: int = command.main(rest)
    return code


def _imported(module: str) -> Any:
    """A module, which stays as long as the process: the garbage collector rests meanwhile and leaves it alone later."""
    if module in sys.modules:
        return sys.modules[module]
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


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
