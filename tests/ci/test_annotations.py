"""GitHub's workflow commands: escaped as its runner takes them apart, at the file and line that a message names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.ci.annotations import Annotation, at, in_error


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "models" / "digits"
    (root / "recipes" / "converter").mkdir(parents=True)
    (root / "recipes" / "x.yaml").write_text("a: 1\n")
    (root / "recipes" / "converter" / "my, own.yaml").write_text("a: 1\n")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    return root


def unescaped(text: str) -> str:
    for code, letter in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, letter)
    return text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it reads no file
@given(st.text(), st.text(min_size=1), st.integers(1, 10**6))
def test_a_command_is_one_line_that_gives_back_what_went_in(message: str, file: str, line: int) -> None:
    command = Annotation("a: b, c", message, file, line).command()
    assert "\n" not in command
    assert "\r" not in command
    parts = re.fullmatch(r"::error file=([^,:]*),line=(\d+),title=a%3A b%2C c::(.*)", command, re.DOTALL)
    assert parts is not None
    assert (unescaped(parts[1]), int(parts[2]), unescaped(parts[3])) == (file, line, message)


def test_each_fault_of_a_recipe_stands_at_its_line_as_the_checkout_names_the_file(project: Path) -> None:
    text = (
        "the recipe has 4 faults:\n  command line: seed=-1: 'seed' must be at least 0\n"
        "  recipes/converter/my, own.yaml:3: unknown key 'b'\n  recipes/x.yaml:12:7: is not YAML: a: b\n"
        "  packaged converter/int8.yaml:2: 'c' has no meaning\n  fix: correct it"
    )
    found = list(in_error(text, "RK201", project))
    assert [(it.file, it.line, it.column, it.message) for it in found] == [
        ("", 0, 0, "command line: seed=-1: 'seed' must be at least 0"),
        ("models/digits/recipes/converter/my, own.yaml", 3, 0, "unknown key 'b'"),
        ("models/digits/recipes/x.yaml", 12, 7, "is not YAML: a: b"),
        ("", 2, 0, "packaged converter/int8.yaml:2: 'c' has no meaning"),
    ]
    assert (
        found[1]
        .command()
        .startswith("::error file=models/digits/recipes/converter/my%2C own.yaml,line=3,title=RK201::")
    )
    assert found[3].command().startswith("::error title=RK201::packaged")


def test_a_child_of_a_sweep_in_front_of_a_place_is_no_part_of_the_file(project: Path) -> None:
    (found,) = in_error("converter=none seed=-1 (and 2 more): recipes/x.yaml:9: bad", "RK201", project)
    assert (found.file, found.line, found.message) == ("models/digits/recipes/x.yaml", 9, "bad")


def test_an_error_without_a_place_is_told_whole(project: Path) -> None:
    (found,) = in_error("the converter refused\n  fix: another scheme", "RK401", project)
    assert found.command() == "::error title=RK401::the converter refused%0A  fix: another scheme"


def test_a_bound_stands_where_it_was_written(project: Path) -> None:
    assert at("recipes/x.yaml:4", "fail", "too large", project).command() == (
        "::error file=models/digits/recipes/x.yaml,line=4,title=fail::too large"
    )
    assert at("command line: a.b=4", "fail", "too large", project).file == ""
