"""Bounds and verdicts as records, and which bounds and metrics there are.

The recipe, the gate and the report all use them, so they stand in a room below all three. Nothing here reads a recipe,
judges a measurement or writes a page.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from recipekit.contracts import Record

BOUNDS: dict[str, tuple[str, ...]] = {
    "parity": ("min", "max"),
    "task": ("min", "max", "max_drop", "max_relative_drop"),
    "size": ("min", "max"),
    "latency": ("min", "max"),
    "model": ("min", "max"),
    "target": ("min", "max", "min_ratio", "max_ratio"),
}
"""Kinds of bound that each section of `acceptance` allows; `model` speaks of `float_ops` alone."""

METRICS: dict[str, tuple[str, ...]] = {
    "parity": (
        "max_abs_error",
        "mean_abs_error",
        "rmse",
        "l2",
        "cosine_similarity",
        "sqnr_db",
        "argmax_agreement",
    ),
    "size": ("bytes", "ratio"),
    "latency": ("p50_ms", "p90_ms", "mean_ms", "ratio"),
    "target": (
        "sram_kib",
        "dram_kib",
        "flash_kib",
        "on_chip_flash_kib",
        "off_chip_flash_kib",
        "inference_ms",
        "cycles",
        "npu_operators",
        "cpu_operators",
    ),
}
"""Metrics of the sections whose names are fixed; `task` takes those that `evaluation.metrics` lists."""

NEED_A_RUN = ("parity", "task", "latency")
"""Sections that bound what a converted model computes, or how fast; the others bound its file."""

SHARES = ("npu_operators", "cpu_operators")
"""Metrics of `target` that are also a share of all operators, which `min_ratio` and `max_ratio` bound."""


def is_floor(check: str) -> bool:
    """Whether the bound of a check, `size.bytes.max` for one, is the least value that passes, not the greatest."""
    return check.rpartition(".")[2].startswith("min")


class Bound(Record, frozen=True, kw_only=True):
    """Limits of one metric, in the metric's own unit; None sets no limit.

    Attributes:
        min: the least value that passes.
        max: the greatest value that passes.
        max_drop: the greatest loss of quality against the float model that passes; a gain is a negative loss.
        max_relative_drop: the same as a share of the float model's absolute value.
        min_ratio: the least share that passes.
        max_ratio: the greatest share that passes.
    """

    min: float | None = None
    max: float | None = None
    max_drop: float | None = None
    max_relative_drop: float | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None

    def limits(self) -> dict[str, float]:
        """The limits that are set, by kind, in the order of the attributes."""
        kinds = {kind: getattr(self, kind) for kind in self.__struct_fields__}
        return {kind: limit for kind, limit in kinds.items() if limit is not None}


class ModelIntent(Record, frozen=True, kw_only=True):
    """What the converted file itself must be; None asks for nothing.

    Attributes:
        input_type: dtype of every input.
        output_type: dtype of every output.
        select_tf_ops: False refuses operators that need the Flex delegate; True says they are expected.
        custom_ops: False refuses custom operators; True says they are expected.
        float_ops: bound on the number of operators that compute in float.
    """

    input_type: str | None = None
    output_type: str | None = None
    select_tf_ops: bool | None = None
    custom_ops: bool | None = None
    float_ops: Bound | None = None


class Acceptance(Record, frozen=True, kw_only=True):
    """The `acceptance` section of a recipe.

    Attributes:
        parity: by parity metric; a bound holds for every output.
        task: by task metric.
        size: by `bytes` or `ratio`, the candidate's size over that of the float32 conversion.
        latency: by metric; `ratio` is the candidate's p50 over that of the float32 conversion.
        model: what the converted file must be; None asks for nothing.
        target: by what an artifact's compiler reports.
        confidence: level, between 0 and 1, of the intervals that task and agreement bounds are judged by; None judges
            the measured value.
        on_inconclusive: what an interval that holds the limit leads to.
    """

    parity: dict[str, Bound] = field(default_factory=dict)
    task: dict[str, Bound] = field(default_factory=dict)
    size: dict[str, Bound] = field(default_factory=dict)
    latency: dict[str, Bound] = field(default_factory=dict)
    model: ModelIntent | None = None
    target: dict[str, Bound] = field(default_factory=dict)
    confidence: float | None = None
    on_inconclusive: Literal["reject", "accept"] = "reject"


class Check(Record, frozen=True, kw_only=True):
    """One limit against one measured value.

    Attributes:
        name: section, metric and kind of bound: `parity.sqnr_db.min`, `model.input_type`.
        limit: what the recipe asks for; None for a whole section that sets no bound and that nobody measured.
        value: what was measured; None where nobody did.
        margin: how far the value is on the right side of the limit, in the metric's unit; at least 0 when passed,
            None for limits that aren't numbers.
        verdict: `inconclusive` where the interval judges and holds the limit, `not-judged` where nobody measured.
        interval: confidence interval (low, high) of the value; None where there is none.
        detail: which output was worst, which operators are in the way ...; empty where there is nothing to say.
    """

    name: str
    limit: float | bool | str | None
    value: float | bool | str | None
    margin: float | None
    verdict: Literal["pass", "fail", "inconclusive", "not-judged"]
    interval: tuple[float, float] | None = None
    detail: str = ""


class Verdict(Record, frozen=True, kw_only=True):
    """What the gate says of a candidate, with every check behind it in the recipe's order of sections."""

    status: Literal["accepted", "rejected", "not-judged"]
    checks: tuple[Check, ...]
