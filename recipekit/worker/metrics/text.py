"""Metrics of texts that a model says: word error rate by jiwer, BLEU by sacrebleu.

Both are made of counts over the whole corpus, so a weight counts like copies of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.errors import DatasetError, EvaluationError
from recipekit.nearest import did_you_mean
from recipekit.worker.extras import require
from recipekit.worker.metrics.corpus import CorpusMetric
from recipekit.worker.metrics.predictions import Outputs
from recipekit.worker.metrics.transcripts import Decoding, references

_ORDER = 4
_TRANSFORMS = (
    *("ExpandCommonEnglishContractions", "RemoveKaldiNonWords", "RemovePunctuation"),
    *("ToLowerCase", "ToUpperCase"),
)
_TOKENIZERS = ("13a", "char", "intl", "none", "zh")  # the others download a model or need a further package
_SMOOTHING = ("exp", "floor", "add-k", "none")


class WordErrorRate(CorpusMetric):
    """(substitutions + deletions + insertions) / words of the references, over all samples; 0 is best.

    Labels are texts.
    """

    higher_is_better = False

    def __init__(self, vocabulary: Sequence[str] | str, transforms: Sequence[str] = (), **decoding: Any) -> None:
        """Sets the metric up.

        Args:
            vocabulary: the tokens' texts by index, or a text file with one a line, relative to the project root.
            transforms: applied to references and to what is said, by jiwer's names: `ToLowerCase`, `ToUpperCase`,
                `RemovePunctuation`, `RemoveKaldiNonWords`, `ExpandCommonEnglishContractions`.
            decoding: `method` (`ctc` by default), `blank`, `end`, `skip`, `separator`, `output`; see `Decoding`.

        Raises:
            EvaluationError: there is no such decoding, token or transform.
            EnvironmentFault: jiwer isn't installed.
        """
        super().__init__()
        self._jiwer = require("jiwer", "text", "the metric 'word_error_rate'")
        self._decoding = Decoding(vocabulary, **decoding)
        for name in transforms:
            _require_known("transform", name, _TRANSFORMS)
        self._transform = self._jiwer.Compose(
            [
                *(getattr(self._jiwer, name)() for name in transforms),
                self._jiwer.RemoveMultipleSpaces(),
                self._jiwer.Strip(),
                self._jiwer.ReduceToListOfListOfWords(),
            ]
        )

    def _counts(self, labels: npt.NDArray[Any], outputs: Outputs) -> npt.NDArray[np.float64]:
        """Of each sample: errors, words of the reference."""
        pairs = zip(references(labels), self._decoding.texts(outputs), strict=True)
        return np.array([self._count(index, *pair) for index, pair in enumerate(pairs)], np.float64)

    def _count(self, index: int, reference: Sequence[str], said: str) -> tuple[int, int]:
        if len(reference) != 1:
            raise DatasetError(
                f"the label of sample {index} holds {len(reference)} texts",
                fix="give each sample one text as its label; several are for bleu",
            )
        aligned = self._jiwer.process_words(list(reference), [said], self._transform, self._transform)
        errors = aligned.substitutions + aligned.deletions + aligned.insertions
        return errors, aligned.hits + aligned.substitutions + aligned.deletions

    def _value(self, sums: npt.NDArray[np.float64]) -> float:
        errors, words = sums
        return float(errors / words) if words else float("nan")


class Bleu(CorpusMetric):
    """Corpus BLEU of up to four words, 0 to 100. A label is a text, or an array of several that are all right."""

    def __init__(
        self,
        vocabulary: Sequence[str] | str,
        tokenize: str = "13a",
        lowercase: bool = False,
        smooth_method: str = "exp",
        **decoding: Any,
    ) -> None:
        """Sets the metric up.

        Args:
            vocabulary: the tokens' texts by index, or a text file with one a line, relative to the project root.
            tokenize: sacrebleu's tokenizer by name: `13a`, `intl`, `char`, `zh` or `none`.
            lowercase: whether case is ignored.
            smooth_method: sacrebleu's: `exp`, `floor`, `add-k` or `none`.
            decoding: `method` (`argmax` by default), `blank`, `end`, `skip`, `separator` (a space by default),
                `output`; see `Decoding`.

        Raises:
            EvaluationError: there is no such decoding, token, tokenizer or smoothing.
            EnvironmentFault: sacrebleu isn't installed.
        """
        super().__init__()
        sacrebleu: Any = require("sacrebleu.metrics.bleu", "text", "the metric 'bleu'")
        _require_known("tokenizer", tokenize, _TOKENIZERS)
        _require_known("smoothing", smooth_method, _SMOOTHING)
        self._decoding = Decoding(vocabulary, **{"method": "argmax", "separator": " ", **decoding})
        # Counts of a single sentence don't depend on the effective order; it only spares a warning.
        self._bleu = sacrebleu.BLEU(lowercase=lowercase, tokenize=tokenize, effective_order=True)
        self._smooth_method = smooth_method

    def _counts(self, labels: npt.NDArray[Any], outputs: Outputs) -> npt.NDArray[np.float64]:
        """Of each sample: right n-grams, n-grams said, words said, words of the closest reference."""
        rows = []
        for reference, said in zip(references(labels), self._decoding.texts(outputs), strict=True):
            scored = self._bleu.sentence_score(said, reference)
            rows.append([*scored.counts, *scored.totals, scored.sys_len, scored.ref_len])
        return np.array(rows, np.float64)

    def _value(self, sums: npt.NDArray[np.float64]) -> float:
        counts = np.rint(sums).astype(int).tolist()
        right, all_said, (said, expected) = counts[:_ORDER], counts[_ORDER : 2 * _ORDER], counts[2 * _ORDER :]
        scored = self._bleu.compute_bleu(right, all_said, said, expected, smooth_method=self._smooth_method)
        return float(scored.score)


def _require_known(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise EvaluationError(
            f"there is no {what} '{name}' here{did_you_mean(name, known)}",
            where="evaluation.metrics",
            fix=f"use one of {', '.join(known)}",
        )
