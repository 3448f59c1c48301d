"""`docs/reproduce.md` keeps its word: its commands run, end as they say and print what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recipekit.cli.reproduce import _parser
from tests.e2e.conftest import recipekit
from tests.pages import build_shape, commands, page

PAGE = page("reproduce.md")
COMMANDS = [(command.arguments, command.printed) for command in commands(PAGE)]


def words(text: str) -> list[str]:
    """Words of each line; the folder above the outputs is left open, too."""
    return build_shape(re.sub(r"\S*(?=outputs/)", "", text))


@pytest.mark.tensorflow
@pytest.mark.slow
def test_the_commands_do_what_the_page_shows(shipped: Path) -> None:
    ran = [(arguments, printed) for arguments, printed in COMMANDS if not any("/backup" in word for word in arguments)]
    assert [arguments[0] for arguments, _ in ran] == ["run", "reproduce", "reproduce"]
    for arguments, printed in ran:
        done = recipekit(shipped, arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        if printed:
            assert words(done.stdout) == words(printed)


def test_every_option_is_explained() -> None:
    (other,) = [arguments for arguments, _ in COMMANDS if any("/backup" in word for word in arguments)]
    assert _parser().parse_args(other[1:]).inputs == [Path("/backup/models")]
    options = {word for action in _parser()._actions for word in action.option_strings if word.startswith("--")}
    assert {option for option in options - {"--help"} if option not in PAGE} == set()
