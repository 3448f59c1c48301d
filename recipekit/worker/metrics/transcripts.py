"""Outputs as text: which token each step says, and how tokens are put together. It knows no metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


class Decoding:
    """How an output becomes text.

    The output holds, a sample, scores of shape (steps, tokens), of which the highest counts, or token indices of shape
    (steps,). `argmax` takes each step's token up to the first `end`. `ctc` is the greedy (best path) decoding of
    connectionist temporal classification, as `tf.nn.ctc_greedy_decoder` with `merge_repeated`: repeated tokens count
    once, then `blank` is dropped.
    """

    def __init__(
        self,
        vocabulary: Sequence[str] | str,
        method: str = "ctc",
        blank: int | None = None,
        end: str | None = None,
        skip: Sequence[str] = (),
        separator: str = "",
        output: str | None = None,
    ) -> None:
        """Sets the decoding up.

        Args:
            vocabulary: the tokens' texts by index, without the blank where that is the last index; or the path of a
                text file with one a line.
            method: `ctc` or `argmax`.
            blank: index of CTC's blank; None takes the last one, as TensorFlow does.
            end: the token that ends a text and is no part of it; read by `argmax` alone.
            skip: tokens that are no part of the text, such as padding.
            separator: between the tokens.
            output: the output's name; needed where the model has several.

        Raises:
            EvaluationError: there is no such decoding or token, or the vocabulary can't be read.
        """
        if method not in _DECODINGS:
            raise EvaluationError(
                f"there is no decoding '{method}'", where=_WHERE, fix=f"use {' or '.join(_DECODINGS)}"
            )
        self._tokens = _read(Path(vocabulary)) if isinstance(vocabulary, str) else tuple(vocabulary)
        for token in (*skip, *([] if end is None else [end])):
            if token not in self._tokens:
                raise EvaluationError(
                    f"the vocabulary has no token '{token}'{did_you_mean(token, self._tokens)}",
                    where=_WHERE,
                    fix="name tokens as the vocabulary spells them",
                )
        self._ctc = method == "ctc"
        self._blank, self._end, self._skip = blank, end, frozenset(skip)
        self._separator = separator
        self._output = output

    def texts(self, outputs: Outputs) -> list[str]:
        """The text that each sample's output says.

        Raises:
            EvaluationError: the output has another form, or says a token that the vocabulary lacks.
        """
        steps = chosen(outputs, self._output)
        if steps.ndim not in (2, 3):
            raise EvaluationError(
                f"an output of shape {steps.shape[1:]} a sample is neither (steps, tokens) nor (steps,)",
                where=_WHERE,
                fix="name an output with scores or indices of tokens",
            )
        blank = self._blank
        if blank is None:
            blank = (steps.shape[2] if steps.ndim == 3 else len(self._tokens) + 1) - 1
        return [self._text(sample, blank) for sample in steps]

    def _text(self, sample: npt.NDArray[Any], blank: int) -> str:
        indices: Iterable[int] = (sample.argmax(axis=-1) if sample.ndim == 2 else sample.astype(np.intp)).tolist()
        if self._ctc:
            indices = [index for index, _ in groupby(indices) if index != blank]
        tokens: Iterable[str] = map(self._token, indices)
        if not self._ctc and self._end is not None:
            tokens = takewhile(lambda token: token != self._end, tokens)
        return self._separator.join(token for token in tokens if token not in self._skip)

    def _token(self, index: int) -> str:
        if not 0 <= index < len(self._tokens):
            raise EvaluationError(
                f"the model says token {index}, but the vocabulary has {len(self._tokens)} tokens",
                where=_WHERE,
                fix="complete `vocabulary`, or set `blank`",
            )
        return self._tokens[index]


def references(labels: npt.NDArray[Any]) -> list[list[str]]:
    """Labels as texts, one or several a sample.

    Raises:
        DatasetError: a label is no text.
    """
    rows = [np.atleast_1d(label) for label in labels]
    if any(row.dtype.kind != "U" or row.ndim != 1 for row in rows):
        raise DatasetError(
            f"{described(labels)} are no texts",
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
