"""The command line: one verb a module, found and run by `dispatch`."""

from recipekit.cli.dispatch import main

__all__ = ["main"]
