"""`recipekit diff` says what is different class by class, and ends as scripts need it."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from rich.console import Console

from recipekit.audit.difference import Difference
from recipekit.cli import main
from recipekit.cli.tables import short_name
from recipekit.project import Project
from tests.models import built_flatbuffers as built
from tests.published_outputs import Output, publish

pytestmark = pytest.mark.slow


def test_two_outputs_are_shown_class_by_class(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(Output().with_config(seed=8), model=built.classifier(between=built.negated), verdict="rejected")
    a, b = publish(project.outputs), publish(project.outputs, other)
    assert main(["diff", str(a), str(b)]) == 0
    shown = capsys.readouterr().out
    words = " ".join(shown.split())
    places = [shown.index(title) for title in ("inputs: what decides", "model: what the file", "results: what was")]
    assert places == sorted(places)
    assert "configuration seed 7 8" in words
    assert "operators NEG 0 1 +1" in words
    assert "verdict verdict accepted rejected" in words


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_terminal_is_too_narrow_for_what_both_have(
    columns: int, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("recipekit.cli.diff.data_console", lambda: Console(width=columns, highlight=False))
    assert main(["diff", "digits", "letters"]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    (line,) = (line for line in shown.splitlines() if line.startswith("  description"))
    assert "Handwritten digits" in line
    assert ("set in" in shown) == (columns == 120)


def test_a_class_without_difference_says_so_and_one_that_is_not_compared_is_left_out(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = publish(project.outputs), publish(project.outputs, Output().with_config(seed=8))
    assert main(["diff", str(a), str(b)]) == 0
    assert "model: what the file became (no difference)" in capsys.readouterr().out
    assert main(["diff", "digits", "digits"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no difference"


@pytest.mark.parametrize(("named", "code"), [("letters", 6), ("digits", 0)])
def test_the_exit_code_tells_of_a_difference_if_it_is_asked_to(project: Project, named: str, code: int) -> None:
    assert main(["diff", "digits", named, "--exit-code"]) == code
    assert main(["diff", "digits", named]) == 0


def test_the_largest_changes_are_shown_and_all_on_demand(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    many = Output().with_config(converter={f"key{number:02}": number for number in range(12)})
    a, b = publish(project.outputs), publish(project.outputs, many)
    assert main(["diff", str(a), str(b)]) == 0
    shown = capsys.readouterr().out
    assert "5 more (--all)" in shown
    assert "key11" not in shown
    assert main(["diff", str(a), str(b), "--all"]) == 0
    assert "key11" in capsys.readouterr().out


def test_the_data_has_a_stable_shape(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = publish(project.outputs), publish(project.outputs, Output().with_config(seed=8))
    assert main(["diff", str(a), str(b), "--format", "json"]) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert list(found) == ["schema", "a", "b", "inputs", "model", "results"]
    assert found["inputs"] == [
        {
            "group": "configuration",
            "name": "seed",
            "a": 7,
            "b": 8,
            "weight": 0.125,
            "a_origin": "command line: seed=7",
            "b_origin": "command line: seed=7",
        }
    ]
    assert msgspec.json.decode(text, type=Difference).found


def test_what_cannot_be_compared_is_a_usage_error(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = publish(project.outputs)
    assert main(["diff", "digits", str(folder / "model.tflite")]) == 2
    assert "nothing in common" in capsys.readouterr().err
    assert main(["diff", "digit", "digits"]) == 2
    assert "did you mean 'digits'" in capsys.readouterr().err
    assert main(["diff", "wrong", "digits"]) == 2
    assert "acceptence" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("m/conv_relu/Relu6;m/conv_bn/batchnorm/add_1;m/conv/convolution;m/conv_bn/batchnorm/sub1", "conv"),
        ("model/encoder/layer_0/query/MatMul", "encoder/layer_0/query"),
        ("dense/MatMul", "dense"),
        ("tfl.quantize", "tfl.quantize"),
        ("StatefulPartitionedCall:0", "StatefulPartitionedCall:0"),
        ("", ""),
    ],
)
def test_an_operator_goes_by_its_layer(name: str, short: str) -> None:
    assert short_name(name) == short
