"""What is said of a model follows from its description alone; a fault is what a run would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recipekit.contracts import ForeignPart
from recipekit.diagnosis.model import model
from tests.drafting.descriptions import described

ROW = ("x", "float32", (-1, 3))

CASES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "beyond 2 GiB": ({"bytes": 2**31}, "size", "fault", "a .tflite holds at most 2,147,483,648"),
    "quantized": ({"kind": "tflite", "quantized": True}, "quantized", "fault", "quantized already"),
    "code": ({"foreign": (ForeignPart(name="Lambda", path="m/l", what="a Lambda"),)}, "unsafe", "fault", "'m/l'"),
    "unknown": ({"foreign": (ForeignPart(name="shop>Step", path="m/s"),)}, "custom", "warning", "shop>Step"),
    "loop": ({"recurrent": ("lstm",)}, "recurrent", "warning", "lstm"),
    "no kernel": ({"needs_select_tf_ops": ("Erf",)}, "operators", "warning", "no kernel for Erf"),
    "batch": ({}, "inputs", "ok", "input_shapes: {x: [1, 3]}"),
}


@pytest.mark.parametrize(("facts", "topic", "state", "says"), CASES.values(), ids=list(CASES))
def test_each_trouble_has_a_line_and_a_fix(
    tmp_path: Path, facts: dict[str, Any], topic: str, state: str, says: str
) -> None:
    found = {finding.topic: finding for finding in model(described(ROW, **facts), tmp_path)}
    assert found[topic].state == state
    assert says in found[topic].text
    assert bool(found[topic].fix) == (state != "ok")
    assert found[topic].exit_code == (5 if state == "fault" else 0)
    others = {name for name, finding in found.items() if finding.state != "ok"}
    assert others <= {topic}


def test_texts_and_open_sizes_are_warned_of(tmp_path: Path) -> None:
    inputs = ("words", "string", (-1,)), ("image", "float32", (-1, -1, -1, 3))
    found = [finding for finding in model(described(*inputs), tmp_path) if finding.state != "ok"]
    assert [finding.topic for finding in found] == ["inputs", "inputs"]
    assert "image: [1, 224, 224, 3]" in found[0].fix
    assert "tokenize before the model" in found[1].fix
