"""`docs/reproduce.md` keeps its word: its commands run, end as they say and print what they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from recipekit.cli.reproduce import _parser
from tests.e2e.conftest import ROOT, recipekit
from tests.test_readme import _shape, blocks

PAGE = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")
COMMANDS = [
    (shlex.split(command)[1:], printed)
    for block in blocks(PAGE, "console")
    for command, _, printed in (entry.partition("\n") for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:])
]


def shape(text: str) -> list[str]:
    """Words of each line; digests, numbers and the folder above the outputs are left open."""
    text = re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", re.sub(r"\S*(?=outputs/)", "", text))
    return sorted(_shape(text))


@pytest.mark.tensorflow
@pytest.mark.slow
def test_the_commands_do_what_the_page_shows(shipped: Path) -> None:
    ran = [(arguments, printed) for arguments, printed in COMMANDS if not any("/backup" in word for word in arguments)]
    assert [arguments[0] for arguments, _ in ran] == ["run", "reproduce", "reproduce"]
    for arguments, printed in ran:
        done = recipekit(shipped, arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        if printed:
            assert shape(done.stdout) == shape(printed)


def test_every_option_is_explained() -> None:
    (other,) = [arguments for arguments, _ in COMMANDS if any("/backup" in word for word in arguments)]
    assert _parser().parse_args(other[1:]).inputs == [Path("/backup/models")]
    options = {word for action in _parser()._actions for word in action.option_strings if word.startswith("--")}
    assert {option for option in options - {"--help"} if option not in PAGE} == set()
