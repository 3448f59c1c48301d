"""`show`: every value of a composed recipe with the file and line, the override or the default behind it."""

from __future__ import annotations

import json

import pytest

from recipekit.cli.show import main
from recipekit.errors import InvalidRecipe, UsageError
from recipekit.project import Project


def test_every_value_is_printed_with_its_origin(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe=digits", "seed=7", "--format", "json"]) == 0
    rows = {".".join(map(str, row["path"])): row for row in json.loads(capsys.readouterr().out)}
    assert {key: (rows[key]["value"], rows[key]["origin"]) for key in ("name", "seed", "converter.quantization")} == {
        "name": ("digits", "recipes/digits.yaml:5"),
        "seed": (7, "command line: seed=7"),
        "converter.quantization": ("none", "packaged converter/none.yaml:1"),
    }
    assert rows["evaluation.dataset.split"] == {
        "path": ["evaluation", "dataset", "split"],
        "value": "test",
        "origin": "default",
    }


def test_the_text_has_one_aligned_line_a_value(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe=digits", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert main(["recipe=digits"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(rows)
    assert any(line.startswith('name: "digits" ') and line.endswith("# recipes/digits.yaml:5") for line in lines)


@pytest.mark.parametrize(("overrides", "error"), [(["recipe=wrong"], InvalidRecipe), (["recipe=nobody"], UsageError)])
def test_what_cannot_be_shown_is_an_error(project: Project, overrides: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        main(overrides)
