"""Errors that would make a conversion meaningless, or end it: samples that the model can't take."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from recipekit.contracts import Signature
from recipekit.fitting import UNNAMED, misfits, show_shape, sole_input
from recipekit.lint.finding import Finding
from recipekit.lint.reading import Examined, read_log


def misfit_errors(dataset: Examined, signature: Signature) -> Iterator[Finding]:
    """Names, element types, shapes: one finding for each different fault, at its first sample."""
    log = read_log(dataset.samples)
    found: dict[tuple[str, str], tuple[Finding, int]] = {}
    for kind, (first, count) in log.kinds.items():
        for fault in misfits({name: (dtype, shape) for name, dtype, shape in kind}, signature):
            finding = dataset.finding(fault.finding, fault.what, fault.fix, first, error=True)
            known, before = found.get((fault.finding, fault.what), (finding, 0))
            found[fault.finding, fault.what] = (known, before + count)
    for finding, count in found.values():
        more = f" (and {count - 1} more samples)" if count > 1 else ""
        yield msgspec.structs.replace(finding, what=f"{finding.what}{more}")


def non_finite_errors(dataset: Examined, signature: Signature) -> Iterator[Finding]:
    """NaN and infinities, at the first sample of each input that holds one."""
    for tensor in dataset.samples.statistics:
        bad = tensor.non_finite
        if bad is not None:
            name = sole_input({tensor.name: None}, signature) if tensor.name == UNNAMED else tensor.name
            more = f" (and {bad.count - 1} more samples hold such values)" if bad.count > 1 else ""
            yield dataset.finding(
                "non-finite",
                f"the input '{name}' holds {bad.value} at {show_shape(bad.position)}{more}",
                "remove or repair that sample; a model can be neither calibrated nor compared with it",
                bad.index,
                error=True,
            )
