"""What the verbs' parsers have in common: the project, overrides anywhere on the line, and errors as ours."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NoReturn

from recipekit.errors import ProjectError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.project import Project, find_project


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        """Raises what argparse found wrong."""
        raise UsageError(f"{message}{self._nearest(message)}", where="command line", fix=f"see {self.prog} --help")

    def _nearest(self, message: str) -> str:
        """The option or the value that was probably meant by one that argparse doesn't know."""
        unknown = re.search(r"unrecognized arguments: .*?(--?\w[\w-]*)", message)
        if unknown:
            return did_you_mean(unknown[1], self._option_string_actions)
        choice = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        return did_you_mean(choice[1], re.findall(r"[\w-]+", choice[2])) if choice else ""


def make_parser(verb: str, description: str, example: str, *, overrides: bool = True) -> Parser:
    """A verb's parser with the options that every verb about recipes has.

    Args:
        verb: its name.
        description: what it does, one sentence.
        example: a command line that works.
        overrides: whether `key=value` arguments follow.
    """
    parser = Parser(
        prog=f"recipekit {verb}",
        description=description,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--recipes", metavar="DIR", type=Path, help="the recipes folder (default: found from here up)")
    parser.add_argument(
        "--config-dir", "-cd", metavar="DIR", type=Path, help="one more folder of recipes and options, looked up last"
    )
    if overrides:
        parser.add_argument("overrides", nargs="*", metavar="key=value", help="recipe=NAME and Hydra overrides")
    return parser


def project_of(options: argparse.Namespace) -> Project:
    """The project that the options mean.

    Raises:
        ProjectError: there is none.
        UsageError: `--config-dir` names no folder.
    """
    project = find_project(Path.cwd(), options.recipes)
    return project if options.config_dir is None else project.with_config_dir(options.config_dir)


def near(path: Path) -> Path:
    """A path as seen from the current folder, where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def any_project_of(options: argparse.Namespace) -> Project | None:
    """The project that the options mean, for verbs that do without one; None where there is none from here up.

    Raises:
        ProjectError: there is no such recipes folder as the user names, or a setting is wrong.
        UsageError: `--config-dir` names no folder.
    """
    try:
        return project_of(options)
    except ProjectError as error:
        if options.recipes is None and error.where == str(Path.cwd()):
            return None
        raise
