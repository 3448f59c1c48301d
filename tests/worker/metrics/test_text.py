"""Word error rate and BLEU, held against jiwer and sacrebleu on the whole corpus."""

from __future__ import annotations

import sys
from typing import Any

import jiwer
import numpy as np
import pytest
import sacrebleu
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recipekit.errors import DatasetError, EnvironmentFault, EvaluationError
from recipekit.worker.metrics.text import Bleu, WordErrorRate
from recipekit.worker.scoring import Resampling, score
from tests.properties import at_most

WORDS = ["The", "cat", "sat", "on", "mat.", "<pad>"]
WORDED: dict[str, Any] = {"vocabulary": WORDS, "method": "argmax", "separator": " ", "skip": ["<pad>"]}


def text_of(indices: Any) -> str:
    return " ".join(WORDS[index] for index in indices if index < 5)


def drawn(seed: int) -> tuple[Any, Any, Any]:
    """Labels, token indices that resemble them, and how often each sample counts."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, (5, 8))
    guess = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 6, truth.shape))
    weights = rng.integers(0, 3, 5).astype(np.float64)
    weights[0] = 1
    return np.array([text_of(row) for row in truth]), guess, weights


@settings(max_examples=at_most(50))
@given(seed=st.integers(0, 2**32 - 1))
def test_the_word_error_rate_is_jiwers_on_copies_of_samples(seed: int) -> None:
    labels, guess, weights = drawn(seed)
    copies = np.repeat(np.arange(5), weights.astype(int))
    expected = jiwer.wer([labels[n] for n in copies], [text_of(guess[n]) for n in copies])
    assert WordErrorRate(**WORDED).score(labels, {"y": guess}, weights) == pytest.approx(expected)


@settings(max_examples=at_most(50))
@given(seed=st.integers(0, 2**32 - 1), lowercase=st.booleans(), smooth=st.sampled_from(["exp", "floor", "none"]))
def test_bleu_is_sacrebleus_on_copies_of_samples(seed: int, lowercase: bool, smooth: str) -> None:
    labels, guess, weights = drawn(seed)
    copies = np.repeat(np.arange(5), weights.astype(int))
    assume(len(copies) > 0)
    expected = sacrebleu.corpus_bleu(
        [text_of(guess[n]) for n in copies],
        [[labels[n] for n in copies]],
        lowercase=lowercase,
        smooth_method=smooth,
    ).score
    metric = Bleu(vocabulary=WORDS, skip=["<pad>"], lowercase=lowercase, smooth_method=smooth)
    assert metric.score(labels, {"y": guess}, weights) == pytest.approx(expected)


def test_bleu_takes_the_best_of_several_references() -> None:
    labels = np.array([["The cat sat", "on mat. on mat."]])
    outputs = {"y": np.array([[3, 4, 3, 4]])}
    assert Bleu(vocabulary=WORDS).score(labels, outputs, None) == pytest.approx(100)
    with pytest.raises(DatasetError, match="holds 2 texts"):
        WordErrorRate(**WORDED).score(labels, outputs, None)


def test_transforms_are_applied_to_both_sides() -> None:
    labels, outputs = np.array(["the  CAT, sat"]), {"y": np.array([[0, 1, 2]])}
    assert WordErrorRate(**WORDED).score(labels, outputs, None) == pytest.approx(2 / 3)
    metric = WordErrorRate(**WORDED, transforms=["ToLowerCase", "RemovePunctuation"])
    assert metric.score(labels, outputs, None) == 0


def test_ctc_of_letters_is_the_default_of_the_word_error_rate() -> None:
    scores = np.eye(4)[[[0, 0, 3, 0, 2, 1]]]
    assert WordErrorRate(vocabulary=["a", "b", " "]).score(np.array(["aa c"]), {"y": scores}, None) == 0.5


def test_a_corpus_without_words_has_no_error_rate() -> None:
    assert np.isnan(WordErrorRate(**WORDED).score(np.array([""]), {"y": np.array([[5]])}, None))


def test_the_paired_bootstrap_works_with_both() -> None:
    labels, guess, _ = drawn(1)
    models = {"y": guess}, {"y": np.roll(guess, 1, axis=1)}
    for name, metric in (("word_error_rate", WordErrorRate(**WORDED)), ("bleu", Bleu(WORDS, skip=["<pad>"]))):
        result = score(name, metric, labels, models, Resampling(replicates=40, seed=0))
        assert result.paired is None
        assert len({drop for _, drop in result.replicates}) > 10
        drop = result.float_value - result.converted_value
        assert (drop if result.higher_is_better else -drop) > 0


@pytest.mark.parametrize(
    ("metric", "parameters", "message"),
    [
        (WordErrorRate, {"transforms": ["ToLower"]}, "no transform 'ToLower' here; did you mean 'ToLowerCase'"),
        (Bleu, {"tokenize": "spm"}, "no tokenizer 'spm'"),
        (Bleu, {"smooth_method": "exponential"}, "no smoothing 'exponential'"),
    ],
)
def test_names_that_mean_nothing_are_refused(metric: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        metric(vocabulary=WORDS, **parameters)


@pytest.mark.parametrize(("metric", "module"), [(WordErrorRate, "jiwer"), (Bleu, "sacrebleu.metrics.bleu")])
def test_a_missing_package_is_answered_with_the_extra(
    metric: Any, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EnvironmentFault, match="needs the package") as caught:
        metric(vocabulary=WORDS)
    assert caught.value.fix == "pip install 'recipekit[text]'"
