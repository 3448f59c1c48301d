"""`recipekit completion`: the script that has a shell complete our command lines, and the answers to its questions.

A script asks `recipekit completion --answer` what could stand where the cursor is; each line of the answer is a word
and, behind a tab, what it means where that is known. `:files` asks the shell for its own names of files besides.
"""

from __future__ import annotations

import shlex
import sys
from importlib.resources import files

from recipekit.cli.arguments import Parser
from recipekit.cli.candidates import candidates

_SHELLS = ("bash", "zsh", "fish")


def main(argv: list[str]) -> int:
    """Prints a shell's script, or what could be typed next."""
    if argv[:1] == ["--answer"]:
        for word, meaning in candidates(_words(argv[1:])):
            sys.stdout.write(f"{word}\t{meaning}\n" if meaning else f"{word}\n")
        return 0
    parser = Parser(
        prog="recipekit completion",
        description="Print the script that completes commands, options, recipes, groups, keys and values in a shell.",
        epilog='example: recipekit completion bash  (in ~/.bashrc: eval "$(recipekit completion bash)")',
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    options = parser.parse_args(argv)
    sys.stdout.write(files("recipekit.cli").joinpath("shells", f"completion.{options.shell}").read_text("utf-8"))
    return 0


def _words(question: list[str]) -> list[str]:
    """The words behind the command's name up to the cursor, the last one being typed, maybe empty."""
    if question[:1] != ["--line"]:
        return question[1:] or [""]
    (line,) = question[1:2] or [""]
    try:
        words = shlex.split(line)
    except ValueError:  # an open quote
        words = line.split()
    return [*words[1:], *([""] if line[-1:].isspace() or len(words) < 2 else [])]
