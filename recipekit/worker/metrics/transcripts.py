"""Outputs as text: which token each step says, and how tokens are put together. It knows no metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.errors import DatasetError, EvaluationError
from recipekit.nearest import did_you_mean
from recipekit.worker.metrics.predictions import Outputs, chosen, described

_WHERE = "evaluation.metrics"
_DECODINGS = ("ctc", "argmax")


@dataclass(frozen=True)
class Decoding:
    """How an output becomes text.

    The output holds, a sample, scores of shape (steps, tokens), of which the highest counts, or token indices of shape
    (steps,). `argmax` takes each step's token up to the first `end`. `ctc` is the greedy (best path) decoding of
    connectionist temporal classification, as `tf.nn.ctc_greedy_decoder` with `merge_repeated`: repeated tokens count
    once, then `blank` is dropped.

    Attributes:
        vocabulary: the tokens' texts by index, without the blank where that is the last index; or a text file with one
            a line.
        method: `ctc` or `argmax`.
        blank: index of CTC's blank; None takes the last one, as TensorFlow does.
        end: the token that ends a text and is no part of it; read by `argmax` alone.
        skip: tokens that are no part of the text, such as padding.
        separator: between the tokens.
        output: the output's name; needed where the model has several.
    """

    vocabulary: Sequence[str] | str
    method: str = "ctc"
    blank: int | None = None
    end: str | None = None
    skip: Sequence[str] = ()
    separator: str = ""
    output: str | None = None

    def __post_init__(self) -> None:
        """Checks what can be checked without an output, and reads the vocabulary where it is a file."""
        if self.method not in _DECODINGS:
            raise EvaluationError(
                f"there is no decoding '{self.method}'", where=_WHERE, fix=f"use {' or '.join(_DECODINGS)}"
            )
        tokens = _read(Path(self.vocabulary)) if isinstance(self.vocabulary, str) else tuple(self.vocabulary)
        object.__setattr__(self, "vocabulary", tokens)
        for token in (*self.skip, *([] if self.end is None else [self.end])):
            if token not in tokens:
                raise EvaluationError(
                    f"the vocabulary has no token '{token}'{did_you_mean(token, tokens)}",
                    where=_WHERE,
                    fix="name tokens as the vocabulary spells them",
                )

    def texts(self, outputs: Outputs) -> list[str]:
        """The text that each sample's output says.

        Raises:
            EvaluationError: the output has another form, or says a token that the vocabulary lacks.
        """
        steps = chosen(outputs, self.output)
        if steps.ndim not in (2, 3):
            raise EvaluationError(
                f"an output of shape {steps.shape[1:]} a sample is neither (steps, tokens) nor (steps,)",
                where=_WHERE,
                fix="name an output with scores or indices of tokens",
            )
        blank = self.blank
        if blank is None:
            blank = (steps.shape[2] if steps.ndim == 3 else len(self.vocabulary) + 1) - 1
        return [self._text(sample, blank) for sample in steps]

    def _text(self, sample: npt.NDArray[Any], blank: int) -> str:
        indices: Iterable[int] = (sample.argmax(axis=-1) if sample.ndim == 2 else sample.astype(np.intp)).tolist()
        if self.method == "ctc":
            indices = [index for index, _ in groupby(indices) if index != blank]
        tokens: Iterable[str] = map(self._token, indices)
        if self.method == "argmax" and self.end is not None:
            tokens = takewhile(lambda token: token != self.end, tokens)
        return self.separator.join(token for token in tokens if token not in self.skip)

    def _token(self, index: int) -> str:
        if not 0 <= index < len(self.vocabulary):
            raise EvaluationError(
                f"the model says token {index}, but the vocabulary has {len(self.vocabulary)} tokens",
                where=_WHERE,
                fix="complete `vocabulary`, or set `blank`",
            )
        return self.vocabulary[index]


def references(labels: npt.NDArray[Any]) -> list[list[str]]:
    """Labels as texts, one or several a sample.

    Raises:
        DatasetError: a label is no text.
    """
    rows = [np.atleast_1d(label) for label in labels]
    if any(row.dtype.kind != "U" or row.ndim != 1 for row in rows):
        raise DatasetError(
            f"{described(labels)} are no texts",
            where="evaluation.dataset",
            fix="give each sample its text as its label, or an array of several",
        )
    return [row.tolist() for row in rows]


def _read(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(
            f"the vocabulary can't be read: {error}", where=str(path), fix="give a text file in UTF-8, a token a line"
        ) from error
    return tuple(text.removesuffix("\n").split("\n"))
