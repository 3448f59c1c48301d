"""Whether there are enough samples, and different ones: copies, constants, and the classes they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Set

from recipekit.contracts import ENOUGH_SAMPLES
from recipekit.lint.finding import Finding
from recipekit.lint.reading import Examined, constant_samples, read_log

_COPIES = 0.05
_ONE_CLASS = 0.9
_PER_CLASS = 4


def repetitions(dataset: Examined) -> Iterator[Finding]:
    """Samples that are copies of earlier ones: all of them, or many."""
    log = read_log(dataset.samples)
    first: dict[str, int] = {}
    copies = [index for index, digest in enumerate(log.digests) if first.setdefault(digest, index) != index]
    if not copies:
        return
    at, total = copies[0], len(log.digests)
    original = first[log.digests[at]]
    shown = f"sample {at} ('{log.ids[at]}') is sample {original} ('{log.ids[original]}')"
    if len(first) == 1:
        yield dataset.finding(
            "repeated-sample",
            f"all {total} samples are the same: {shown}",
            "let the dataset give another sample for each index; look for a generator that yields one buffer again",
            at,
            error=dataset.calibrates,
        )
    elif len(copies) > _COPIES * total:
        yield dataset.finding(
            "duplicate-samples",
            f"{len(copies)} of {total} samples repeat earlier ones: {shown}",
            f"draw different samples, or ask for {len(first)}",
            at,
        )


def constants(dataset: Examined) -> Iterator[Finding]:
    """Samples without any content, and inputs that never change."""
    samples = dataset.samples
    blank = constant_samples(samples)
    if blank:
        yield dataset.finding(
            "constant-sample",
            f"{len(blank)} of {samples.count} samples hold one value everywhere",
            "look at that sample, which says nothing of a tensor's range: a failed reading, an empty picture",
            blank[0],
        )
    if dataset.calibrates and len(set(read_log(samples).digests)) > 1:
        for tensor in samples.statistics:
            if tensor.lowest == tensor.highest and tensor.non_finite is None:
                yield dataset.finding(
                    "constant-input",
                    f"'{tensor.name}' is {tensor.lowest:.4g} in all {samples.count} samples",
                    "calibrate with the values that the input takes in use, or take it out of the model",
                )


def too_few(dataset: Examined) -> Iterator[Finding]:
    """A calibration set that is smaller than what the recipe itself says."""
    declared = dataset.requested is not None and dataset.requested < ENOUGH_SAMPLES
    if dataset.calibrates and not declared and dataset.samples.count < ENOUGH_SAMPLES:
        yield dataset.finding(
            "few-samples",
            f"{dataset.samples.count} calibration samples are few: ranges settle with {ENOUGH_SAMPLES} to 300",
            "add samples; `recipekit lint --curve` shows how far the ranges have settled",
        )


def shared_samples(calibration: Examined, evaluation: Examined) -> Iterator[Finding]:
    """Calibration samples that are judged by as well."""
    log = read_log(calibration.samples)
    judged = {digest: index for index, digest in enumerate(read_log(evaluation.samples).digests)}
    shared = [index for index, digest in enumerate(log.digests) if digest in judged]
    if shared:
        there = judged[log.digests[shared[0]]]
        yield calibration.finding(
            "evaluation-overlap",
            f"{len(shared)} of {len(log.digests)} calibration samples are evaluation samples, too: this one is"
            f" {evaluation.plugin} sample {there} ('{read_log(evaluation.samples).ids[there]}')",
            "calibrate with other samples than those that judge the model",
            shared[0],
        )


def classes(calibration: Examined | None, evaluation: Examined | None) -> Iterator[Finding]:
    """Classes that are missing where ranges come from, and sets that are nearly of one class."""
    missing = [] if calibration is None or evaluation is None else list(_missing_classes(calibration, evaluation))
    yield from missing
    sets = [dataset for dataset in (calibration, evaluation) if dataset is not None]
    known = {name for dataset in sets for name in read_log(dataset.samples).classes}
    for dataset in sets:
        if len(known) > 1 and not (missing and dataset is calibration):
            yield from _imbalance(dataset)


def _missing_classes(calibration: Examined, evaluation: Examined) -> Iterator[Finding]:
    seen, judged = read_log(calibration.samples).classes, read_log(evaluation.samples).classes
    missing = judged.keys() - seen.keys()
    if seen and 2 * len(missing) >= len(judged) > 1 and calibration.samples.count >= _PER_CLASS * len(judged):
        yield calibration.finding(
            "missing-classes",
            f"the calibration samples are of {len(seen)} classes, the evaluation has {len(judged)};"
            f" {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            "set `shuffle: true`, or draw samples of every class",
        )


def _imbalance(dataset: Examined) -> Iterator[Finding]:
    counts = read_log(dataset.samples).classes
    total = sum(counts.values())
    largest = max(counts, key=counts.__getitem__, default="")
    if total > 1 and counts[largest] >= _ONE_CLASS * total:
        yield dataset.finding(
            "class-imbalance",
            f"{counts[largest]} of {total} samples are of the class '{largest}'",
            "draw samples of every class, shuffled; what the others need isn't seen otherwise",
        )


def _listed(names: Set[str]) -> str:
    shown = sorted(names)[:5]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{', '.join(repr(name) for name in shown)}{more}"
