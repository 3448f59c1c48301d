"""`recipekit explain` prints the page of an error, lists all, and knows what a mistyped id means."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from recipekit import error_pages
from recipekit.cli import main
from recipekit.errors import by_id
from recipekit.project import Project


@pytest.mark.parametrize("typed", ["RK304", "rk304", "304"])
def test_an_id_gets_its_page_as_it_is_where_there_is_no_terminal(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", typed]) == 0
    assert capsys.readouterr().out == error_pages.page("RK304")


def test_without_an_id_every_error_gets_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == sorted(by_id())
    assert "RK402  The model uses operators that the chosen op sets lack" in lines


def test_json_has_the_name_and_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "RK304", "--format", "json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert (one["id"], one["name"], one["exit_code"]) == ("RK304", "CustomLayerError", 5)
    assert one["text"] == error_pages.page("RK304")
    assert main(["explain", "--format", "json"]) == 0
    assert one in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("typed", "meant"), [("RK305x", "RK305"), ("403", "RK4"), ("KR304", "RK304")])
def test_an_unknown_id_gets_the_nearest(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", typed]) == 2
    told = capsys.readouterr().err
    assert f"there is no error '{typed}'; did you mean '{meant}" in told
    assert told.endswith("  more: recipekit explain RK101\n")


def test_a_terminal_gets_it_rendered() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "recipekit.cli", "explain", "RK304"]
    with subprocess.Popen(command, stdout=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}) as child:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how a pseudo-terminal of Linux says that nobody writes to it any more
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert child.returncode == 0
    assert b"\x1b[1" in shown
    assert b"Usual causes" in shown
    assert b"## Usual causes" not in shown


def test_errors_of_many_recipes_point_to_each_page_once(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("wrong", "wrong_too"):
        (project.recipes / f"{name}.yaml").write_text("seed: -1\n")
    (project.recipes / "cut.yaml").write_text("a: [\n")
    assert main(["validate", "--all"]) == 2
    told = capsys.readouterr().err
    assert told.count("error RK201") == 2
    assert told.endswith("  more: recipekit explain RK202\n  more: recipekit explain RK201\n")
