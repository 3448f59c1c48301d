from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.artifacts import read_labels
from recipekit.contracts import Signature, TensorSpec
from recipekit.errors import DatasetError


def outputs(**shapes: tuple[int | None, ...]) -> dict[str, Signature]:
    specs = tuple(TensorSpec(name=name, shape=shape, dtype="float32") for name, shape in shapes.items())
    return {"serving_default": Signature(inputs=(), outputs=specs)}


@pytest.mark.parametrize(
    ("text", "signatures"),
    [
        ("a\nb\nc\n", outputs(scores=(1, 3))),
        ("\ufeffa\r\nb\r\nc\r\n\r\n", outputs(scores=(1, 3))),
        ("a\nb\nc", outputs(boxes=(1, 10, 4), scores=(1, 10, 3))),
        ("no\nyes\n", outputs(score=(1, 1))),
        ("a\nb\n", outputs(scores=(1, None))),
    ],
)
def test_a_file_with_a_line_for_each_class_is_given_as_it_is(
    text: str, signatures: dict[str, Signature], tmp_path: Path
) -> None:
    (tmp_path / "labels.txt").write_bytes(text.encode())
    assert read_labels("labels.txt", tmp_path, signatures) == text.encode()


def test_without_a_file_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert read_labels(None, tmp_path, outputs(scores=(1, 3))) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a\nb\n", r"labels.txt: has 2 labels, and output 'boxes' has 4, output 'scores' has 3"),
        (b"a\n\nc\n", "line 2 is empty"),
        (b"\xff\n", "holds no labels"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_both_counts(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        read_labels("labels.txt", tmp_path, outputs(boxes=(1, 10, 4), scores=(1, 10, 3)))
