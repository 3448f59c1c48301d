"""One finding, by a short name that never changes its meaning, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Iterable

from recipekit.contracts import Record
from recipekit.errors import DatasetError

NAMES = {
    "input-names": "a sample's tensors aren't named like the model's inputs",
    "input-dtype": "a tensor has another element type than the model's input",
    "input-shape": "a tensor has another shape than the model's input",
    "batch-dimension": "a tensor has a batch dimension of its own",
    "channel-axis": "an image lacks its channel axis, or has one that the model doesn't take",
    "channel-order": "an image has its channels first where the model takes them last, or the reverse",
    "non-finite": "a tensor holds NaN or infinity",
    "overflow-inside": "a finite sample makes a tensor inside of the model NaN or infinite",
    "repeated-sample": "every sample is the same",
    "duplicate-samples": "many samples repeat earlier ones",
    "constant-sample": "a sample holds one value everywhere",
    "constant-input": "an input has the same value in every calibration sample",
    "few-samples": "too few calibration samples for ranges that have settled",
    "evaluation-overlap": "calibration samples are among the evaluation samples",
    "missing-classes": "the calibration samples lack classes that the evaluation has",
    "class-imbalance": "nearly all samples are of one class",
    "input-range": "the values don't suit the model's own scaling layer",
    "distribution-mismatch": "calibration and evaluation samples differ grossly in their values",
    "outside-calibrated-range": "many evaluation samples hold values beyond those of the calibration samples",
}
"""Every finding, and what it says in one phrase."""

_SHOWN = 8


class Finding(Record, frozen=True, kw_only=True):
    """Something that is wrong with samples, or looks wrong.

    Attributes:
        name: one of `NAMES`.
        severity: `error`, which ends a run before it converts, or `warning`.
        dataset: the recipe's key of the dataset, `representative_dataset` or `evaluation.dataset`.
        plugin: that gives the samples.
        index: of the first sample concerned; None where it is about the whole set.
        id: of that sample; empty with it.
        what: one sentence, expected against got.
        fix: what the user can do about it.
    """

    name: str
    severity: str
    dataset: str
    plugin: str
    index: int | None = None
    id: str = ""
    what: str
    fix: str

    @property
    def place(self) -> str:
        """The dataset, and the sample where it is about one."""
        sample = "" if self.index is None else f" sample {self.index} ('{self.id}')"
        return f"{self.dataset}: {self.plugin}{sample}"

    @property
    def text(self) -> str:
        """All of it on one line, the name at its end."""
        return f"{self.place}: {self.what}; {self.fix} [{self.name}]"


def refuse(findings: Iterable[Finding]) -> None:
    """Ends a run whose samples have errors.

    Raises:
        DatasetError: with every error among the findings, or the first few of very many.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if len(errors) == 1:
        (error,) = errors
        raise DatasetError(f"{error.what} [{error.name}]", where=error.place, fix=error.fix)
    if errors:
        lines = [f"  {error.text}" for error in errors[:_SHOWN]]
        lines += [f"  and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else []
        raise DatasetError("\n".join([f"the samples have {len(errors)} faults:", *lines]))
