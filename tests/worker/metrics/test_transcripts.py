"""Decoding of outputs into text, the greedy one held against a plain reading of its definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.metrics.transcripts import Decoding, references


def said(indices: list[int], tokens: int | None = None, **parameters: Any) -> str:
    """What one sample's indices say, as scores of `tokens` tokens where that is given."""
    array = np.array([indices]) if tokens is None else np.eye(tokens)[[indices]]
    return Decoding(**{"vocabulary": ["a", "b", " "], **parameters}).texts({"y": array})[0]


def test_ctc_counts_repeated_tokens_once_and_drops_blanks() -> None:
    assert said([0, 0, 3, 0, 2, 1, 1, 3], tokens=4) == said([0, 0, 3, 0, 2, 1, 1, 3]) == "aa b"
    assert said([1, 0, 1, 1], vocabulary=["_", "a"], blank=0) == "aa"


@given(indices=st.lists(st.integers(0, 3), max_size=12))
def test_ctc_is_what_its_definition_says(indices: list[int]) -> None:
    kept = [index for place, index in enumerate(indices) if place == 0 or indices[place - 1] != index]
    expected = "".join("ab "[index] for index in kept if index != 3)
    assert Decoding(["a", "b", " "]).texts({"y": np.array([indices], int).reshape(1, -1)}) == [expected]


def test_argmax_takes_every_token_up_to_the_end() -> None:
    words: dict[str, Any] = {"vocabulary": ["<pad>", "</s>", "the", "cat"], "method": "argmax", "separator": " "}
    assert said([2, 3, 3, 1, 2], end="</s>", **words) == "the cat cat"
    assert said([0, 2, 0, 3], skip=["<pad>"], **words) == "the cat"
    assert said([2, 3], tokens=4, **words) == "the cat"


def test_a_vocabulary_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text("a\n \nb\n")
    assert said([0, 1, 2], vocabulary=str(tmp_path / "tokens.txt")) == "a b"
    with pytest.raises(EvaluationError, match="the vocabulary can't be read"):
        Decoding(str(tmp_path / "absent.txt"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "beam"}, "no decoding 'beam'"),
        ({"end": "c"}, "no token 'c'"),
        ({"skip": ["aa"]}, "no token 'aa'"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        said([0], **parameters)


def test_a_token_that_the_vocabulary_lacks_is_named() -> None:
    with pytest.raises(EvaluationError, match="says token 5, but the vocabulary has 3 tokens"):
        said([0, 5])


def test_an_output_of_another_form_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"an output of shape \(\)"):
        Decoding(["a"]).texts({"y": np.zeros(3)})


def test_a_reference_is_a_text_or_several() -> None:
    assert references(np.array(["a b", "c"])) == [["a b"], ["c"]]
    several = np.empty(2, object)
    several[:] = [np.array(["a", "b"]), np.array("c")]
    assert references(several) == [["a", "b"], ["c"]]
    with pytest.raises(DatasetError, match="are no texts"):
        references(np.array([1, 2]))
