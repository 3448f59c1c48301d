"""What a pipe gets is text that can be searched and compared: lines end where their words do."""

from __future__ import annotations

import pytest

from recipekit.cli.tables import data_console, plain_grid


@pytest.mark.parametrize("stderr", [False, True])
def test_lines_of_a_pipe_have_no_blanks_at_their_ends(stderr: bool, capsys: pytest.CaptureFixture[str]) -> None:
    grid = plain_grid(2)
    grid.add_row("a", "long words")
    grid.add_row("b", "c")
    console = data_console(stderr=stderr)
    console.print(grid)
    console.print("x  ", end="")
    out, err = capsys.readouterr()
    assert console.stderr == stderr
    told, silent = (err, out) if stderr else (out, err)
    assert told == "a  long words\nb  c\nx"
    assert silent == ""


def test_a_pipe_is_wide_enough_for_digests_whatever_the_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert data_console().width == 120
