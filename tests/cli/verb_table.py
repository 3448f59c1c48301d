"""The options and arguments of every verb, read off its parser: what shell completion offers."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from recipekit import cli
from recipekit.cli.arguments import Parser
from recipekit.cli.dispatch import VERBS

TABLE = Path(cli.__file__).parent / "verbs.json"


class Parsed(Exception):
    """A parser, at the moment when it would read a command line."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def parser_of(verb: str) -> argparse.ArgumentParser:
    """The parser of a verb."""

    def caught(self: Parser, *_: Any, **__: Any) -> None:
        raise Parsed(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parser, "parse_args", caught)
        patch.setattr(Parser, "parse_intermixed_args", caught)
        with pytest.raises(Parsed) as parsed:
            importlib.import_module(f"recipekit.cli.{verb}").main([])
    return parsed.value.parser


def _described(action: argparse.Action) -> dict[str, Any]:
    return {
        "help": action.help or "",
        "choices": [str(choice) for choice in action.choices or ()],
        "takes": action.nargs != 0,
    }


def verb_table() -> str:
    """The table as the package holds it."""
    table = {}
    for verb in VERBS:
        actions = parser_of(verb)._actions
        options = {name: _described(action) for action in actions for name in action.option_strings[:1]}
        options |= {name: _described(action) for action in actions for name in action.option_strings[1:]}
        arguments = [
            {"name": str(action.metavar or action.dest), "choices": [str(choice) for choice in action.choices or ()]}
            for action in actions
            if not action.option_strings
        ]
        table[verb] = {"options": dict(sorted(options.items())), "arguments": arguments}
    return json.dumps(table, indent=1) + "\n"
