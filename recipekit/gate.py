"""The gate: what was measured against what the recipe accepts.

Pure: the same records give the same verdict, on any machine and at any time. It reads no file and no clock, knows
nothing of how anything was measured, and decides nothing about what happens to a rejected model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from math import isfinite
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from recipekit.acceptance import (
    BOUNDS,
    METRICS,
    NEED_A_RUN,
    SHARES,
    Acceptance,
    Bound,
    Check,
    ModelIntent,
    Verdict,
    is_floor,
)
from recipekit.contracts import Census, Latency, Measurement, Parity, QuantizedTensor, TargetReport, TaskScore
from recipekit.errors import EvaluationError
from recipekit.estimates import CONFIDENCE, Estimate, converted_score, parity_metric, relative_score_drop, score_drop

_SEVERITY = {"pass": 0, "inconclusive": 1, "fail": 2}

_WAY_OUT_OF_FLOAT = (
    "an operator without an integer kernel needs an equivalent by `custom_layers.replace` (docs/operators.md), one that"
    " a rule keeps in float loses `quantization: none` in `converter.rules`"
)

_TASK_ESTIMATES = {
    "min": converted_score,
    "max": converted_score,
    "max_drop": score_drop,
    "max_relative_drop": relative_score_drop,
}


def judge(acceptance: Acceptance, measurement: Measurement | None) -> Verdict:
    """Judges a candidate by every bound of the recipe.

    A parity bound holds for every output; its check shows the output that is worst off. With `acceptance.confidence`
    a number that has an interval passes where the whole interval satisfies the bound and fails where none of it does;
    otherwise the measured value decides.

    Args:
        acceptance: the bounds.
        measurement: what was measured; None where nothing could be.

    Returns:
        `not-judged` without a measurement; `accepted` where every check passed, inconclusive ones counting as
        `on_inconclusive` says, and where there is no bound at all; otherwise `rejected`. Of a candidate that was not
        run, size and file are judged: it is `rejected` where these checks say so, whatever the rest would be, and
        `not-judged` where they don't and there is a bound on the rest.

    Raises:
        EvaluationError: a measured number isn't finite, or a bound asks for something that nobody measured.
    """
    if measurement is None:
        return Verdict(status="not-judged", checks=())
    _require_finite(measurement)
    sections = {
        "parity": _parity_checks(acceptance, measurement.parity),
        "task": _task_checks(acceptance, measurement.task),
        "size": _size_checks(acceptance, measurement),
        "latency": _latency_checks(acceptance, measurement),
        "model": _model_checks(acceptance.model, measurement.census),
        "target": _target_checks(acceptance, measurement.target),
    }
    if measurement.samples is None:
        sections |= {section: _unmeasured_checks(section, acceptance, measurement.not_run) for section in NEED_A_RUN}
    checks = tuple(chain.from_iterable(sections.values()))
    return Verdict(status=_status(acceptance, checks), checks=checks)


def _status(acceptance: Acceptance, checks: tuple[Check, ...]) -> Literal["accepted", "rejected", "not-judged"]:
    enough = {"pass", "inconclusive"} if acceptance.on_inconclusive == "accept" else {"pass"}
    if any(check.verdict not in {*enough, "not-judged"} for check in checks):
        return "rejected"
    unjudged = (check for check in checks if check.verdict == "not-judged")
    return "not-judged" if any(check.limit is not None for check in unjudged) else "accepted"


# --- sections -----------------------------------------------------------------------------------------------------


def _parity_checks(acceptance: Acceptance, parity: Mapping[str, Parity]) -> Iterator[Check]:
    for metric, kind, limit in _limits("parity", acceptance.parity):
        name = f"parity.{metric}.{kind}"
        estimates = _by_output(metric, parity, acceptance.confidence or CONFIDENCE)
        if not estimates:
            raise _unmeasured(name, "no output has classes" if parity else "no output was compared")
        which = "output" if len(estimates) == 1 else f"worst of {len(estimates)} outputs:"
        yield max(
            (
                _check(name, limit, estimate, acceptance.confidence is not None, f"{which} '{output}'")
                for output, estimate in estimates.items()
            ),
            key=_how_bad,
        )


def _by_output(metric: str, parity: Mapping[str, Parity], confidence: float) -> dict[str, Estimate]:
    """A parity metric of each output that has it."""
    estimates = {output: parity_metric(measured, metric, confidence) for output, measured in sorted(parity.items())}
    return {output: estimate for output, estimate in estimates.items() if estimate is not None}


def _task_checks(acceptance: Acceptance, task: Mapping[str, TaskScore]) -> Iterator[Check]:
    for metric, kind, limit in _limits("task", acceptance.task):
        name = f"task.{metric}.{kind}"
        if metric not in task:
            raise _unmeasured(name, f"the metrics that were computed are: {', '.join(sorted(task)) or 'none'}")
        if kind == "max_relative_drop" and task[metric].float_value == 0:
            raise _unmeasured(name, "the float model's value is 0, so no drop is relative to it")
        estimate = _TASK_ESTIMATES[kind](task[metric], acceptance.confidence or CONFIDENCE)
        if acceptance.confidence is not None and estimate.interval is None:
            raise _unmeasured(name, "`confidence` needs an interval, and there are no bootstrap replicates")
        yield _check(name, limit, estimate, acceptance.confidence is not None)


def _size_checks(acceptance: Acceptance, measurement: Measurement) -> Iterator[Check]:
    values = {"bytes": measurement.size, "ratio": measurement.size_ratio}
    for metric, kind, limit in _limits("size", acceptance.size):
        yield _check(f"size.{metric}.{kind}", limit, Estimate(values[metric]))


def _latency_checks(acceptance: Acceptance, measurement: Measurement) -> Iterator[Check]:
    for metric, kind, limit in _limits("latency", acceptance.latency):
        name = f"latency.{metric}.{kind}"
        candidate = _benchmarked(name, measurement.latency)
        if metric == "ratio":
            value = candidate.p50_ms / _benchmarked(name, measurement.float32_latency).p50_ms
        else:
            value = getattr(candidate, metric)
        yield _check(name, limit, Estimate(value))


def _unmeasured_checks(section: str, acceptance: Acceptance, why: str) -> Iterator[Check]:
    """A check for each bound of a section that only a run could judge; one for the section where it sets none."""
    bounds: dict[str, float | None] = {
        f"{section}.{metric}.{kind}": limit for metric, kind, limit in _limits(section, getattr(acceptance, section))
    }
    for name, limit in (bounds or {section: None}).items():
        yield Check(name=name, limit=limit, value=None, margin=None, verdict="not-judged", detail=why)


def _model_checks(intent: ModelIntent | None, census: Census) -> Iterator[Check]:
    if intent is None:
        return
    if intent.input_type is not None:
        yield _type_check("model.input_type", intent.input_type, census.inputs)
    if intent.output_type is not None:
        yield _type_check("model.output_type", intent.output_type, census.outputs)
    if intent.select_tf_ops is not None:
        yield _presence_check("model.select_tf_ops", intent.select_tf_ops, census.select_tf_ops)
    if intent.custom_ops is not None:
        yield _presence_check("model.custom_ops", intent.custom_ops, census.custom_ops)
    if intent.float_ops is not None:
        for _, kind, limit in _limits("model", {"float_ops": intent.float_ops}):
            check = _check(f"model.float_ops.{kind}", limit, Estimate(census.float_ops))
            yield msgspec.structs.replace(check, detail=_in_float(census, failed=check.verdict == "fail"))


def _target_checks(acceptance: Acceptance, target: TargetReport | UnsetType) -> Iterator[Check]:
    for metric, kind, limit in _limits("target", acceptance.target):
        name = f"target.{metric}.{kind}"
        if target is UNSET:
            raise _unmeasured(name, "no artifact's compiler ran", "add `artifacts.vela`")
        if kind.endswith("_ratio") and metric not in SHARES:
            raise _unmeasured(name, f"`{metric}` is no share of anything", "use `min` or `max`")
        value = target.share(metric) if kind.endswith("_ratio") else getattr(target, metric)
        left = ", ".join(target.cpu_operator_names) if metric in SHARES else ""
        yield _check(name, limit, Estimate(value), detail=f"on the CPU: {left}" if left else "")


def _in_float(census: Census, *, failed: bool) -> str:
    """The operators that compute in float, where they come from as far as that is known, and the way out."""
    if census.float_places is UNSET:
        return ", ".join(census.float_op_names)
    named = ", ".join(map(str, census.float_places))
    return f"{named}; {_WAY_OUT_OF_FLOAT}" if failed else named


# --- one limit ----------------------------------------------------------------------------------------------------


def _limits(section: str, bounds: Mapping[str, Bound]) -> Iterator[tuple[str, str, float]]:
    """Metric, kind and limit of every bound of a section, refusing what the section doesn't know."""
    for metric, bound in bounds.items():
        for kind, limit in bound.limits().items():
            if kind not in BOUNDS[section] or metric not in METRICS.get(section, (metric,)):
                raise _unmeasured(f"{section}.{metric}.{kind}", f"`{section}` has no such bound")
            yield metric, kind, limit


def _check(name: str, limit: float, estimate: Estimate, by_interval: bool = False, detail: str = "") -> Check:
    """Holds one estimate against one limit; the last part of the name says from which side."""
    at_least = is_floor(name)

    def margin(value: float) -> float:
        return value - limit if at_least else limit - value

    judged = estimate.interval if by_interval and estimate.interval else (estimate.value,)
    margins = [margin(value) for value in judged]
    verdict: Literal["pass", "fail", "inconclusive"] = "inconclusive"
    if min(margins) >= 0:
        verdict = "pass"
    elif max(margins) < 0:
        verdict = "fail"
    return Check(
        name=name,
        limit=limit,
        value=estimate.value,
        margin=margin(estimate.value),
        verdict=verdict,
        interval=estimate.interval,
        detail=detail,
    )


def _type_check(name: str, limit: str, tensors: Iterable[QuantizedTensor]) -> Check:
    dtypes = {tensor.name: tensor.dtype for tensor in tensors}
    others = [f"'{tensor}' is {dtype}" for tensor, dtype in sorted(dtypes.items()) if dtype != limit]
    return Check(
        name=name,
        limit=limit,
        value=", ".join(sorted(set(dtypes.values()))),
        margin=None,
        verdict="fail" if others else "pass",
        detail=", ".join(others),
    )


def _presence_check(name: str, limit: bool, operators: tuple[str, ...]) -> Check:
    return Check(
        name=name,
        limit=limit,
        value=bool(operators),
        margin=None,
        verdict="fail" if operators and not limit else "pass",
        detail=", ".join(operators),
    )


def _how_bad(check: Check) -> tuple[int, float]:
    return _SEVERITY[check.verdict], -(check.margin or 0.0)


# --- what can't be judged -----------------------------------------------------------------------------------------


def _require_finite(measurement: Measurement) -> None:
    for name, value in _numbers(measurement):
        if not isfinite(value):
            raise EvaluationError(
                f"{name} is {value}, so the model can't be judged",
                where=f"measurement.{name}",
                fix="look for overflow, division by zero or empty classes in the model or the metric",
            )


def _numbers(measurement: Measurement) -> Iterator[tuple[str, float]]:
    """Every measured float with its name, whether a bound speaks of it or not."""
    for output, parity in measurement.parity.items():
        values = {metric: getattr(parity, metric) for metric in METRICS["parity"]}
        yield from ((f"parity.{output}.{metric}", value) for metric, value in values.items() if value is not None)
    for metric, score in measurement.task.items():
        yield f"task.{metric}.float_value", score.float_value
        yield f"task.{metric}.converted_value", score.converted_value
        yield from ((f"task.{metric}.replicates", value) for pair in score.replicates for value in pair)
    for part, latency in (("latency", measurement.latency), ("float32_latency", measurement.float32_latency)):
        if latency is not None:
            yield from ((f"{part}.{metric}", getattr(latency, metric)) for metric in latency.__struct_fields__)


def _benchmarked(name: str, latency: Latency | None) -> Latency:
    if latency is None:
        raise _unmeasured(name, "no benchmark was asked for")
    return latency


def _unmeasured(name: str, reason: str, way: str = "measure it under `evaluation`") -> EvaluationError:
    return EvaluationError(
        f"the bound {name} can't be judged: {reason}",
        where=f"acceptance.{name}",
        fix=f"{way}, or take the bound out of the recipe",
    )
