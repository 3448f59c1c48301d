"""Figures of a candidate: where its bytes are, where its errors come from, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recipekit.contracts import EXACT_SQNR_DB, Figure, LatencyRuns, Probe
from recipekit.contracts.figures import ProbedOperator, Table
from recipekit.worker.figures.charts import latencies, sizes_in_order, tensor_errors

_MARKED = 5
_MOST_ROWS = 60
_BINS = 24
_SHOWN_SHARE = 0.9
"""Runs slower than both models' at this share would squeeze all others into a few bins; they are counted in words."""


def layer_errors(probe: Probe) -> Iterator[Figure]:
    """How far each operator's result is from the float32 conversion's."""
    ratios = [operator.sqnr_db for operator in probe.operators]
    compared = [at for at, ratio in enumerate(ratios) if ratio is not None]
    if not compared:
        return
    worst = sorted(compared, key=lambda at: (ratios[at], at))
    finding = (
        f"{len(compared)} of {len(ratios)} operators could be compared by the name of their result, on"
        f" {probe.samples} {'sample' if probe.samples == 1 else 'samples'}. {_worst_in_words(probe, worst)}"
    )
    title = "Signal-to-quantization-noise ratio along the model"
    shown = worst[:_MOST_ROWS]
    table = Table(
        caption="Operators by their ratio, the worst first" + _cut(len(worst)),
        columns=("Layer or tensor", "Operator", "Place#", "SQNR, dB#"),
        rows=tuple(
            (_name(probe.operators[at]), probe.operators[at].op, str(at + 1), _decibels(ratios[at])) for at in shown
        ),
    )
    limited = [None if ratio is None or abs(ratio) == EXACT_SQNR_DB else ratio for ratio in ratios]
    differ = [ratio for ratio in limited if ratio is not None]
    drawing = tensor_errors(limited, worst[:_MARKED], f"{title}. {finding}") if len(differ) > 1 else ""
    yield Figure(section="layers", title=title, finding=finding, drawing=drawing, table=table)


def _worst_in_words(probe: Probe, worst: Sequence[int]) -> str:
    first = probe.operators[worst[0]]
    if first.sqnr_db == EXACT_SQNR_DB:
        return "All of them are exact."
    return f"The worst is {_name(first)} ({first.op}) with {_decibels(first.sqnr_db)} dB."


def sizes(probe: Probe) -> Iterator[Figure]:
    """What each layer takes of the file, the largest first."""
    layers: dict[str, list[ProbedOperator]] = {}
    for operator in probe.operators:
        if operator.bytes:
            layers.setdefault(_name(operator), []).append(operator)
    if not layers:
        return
    totals = {name: sum(operator.bytes for operator in operators) for name, operators in layers.items()}
    ordered = sorted(totals, key=lambda name: -totals[name])
    structure = probe.size - sum(totals.values())
    largest = ordered[0]
    finding = (
        f"{len(ordered)} layers hold constants. The largest, {largest}, takes {totals[largest]:,} of {probe.size:,}"
        f" bytes ({100 * totals[largest] / probe.size:.1f} %); what no operator reads, the file's structure, takes"
        f" {structure:,} bytes."
    )
    rows, shares = [], []
    for name in ordered[:_MOST_ROWS]:
        before = [operator.float32_bytes for operator in layers[name]]
        known = [size for size in before if size is not None]
        kinds = ", ".join(dict.fromkeys(operator.op for operator in layers[name]))
        float32 = f"{sum(known):,}" if len(known) == len(before) else "—"
        rows.append((name, kinds, float32, f"{totals[name]:,}", f"{100 * totals[name] / probe.size:.1f} %"))
        shares.append(totals[name] / totals[largest])
    rows.append(("Structure of the file", "", "—", f"{structure:,}", f"{100 * structure / probe.size:.1f} %"))
    shares.append(min(1.0, structure / totals[largest]))
    table = Table(
        caption="Constants of the converted model by layer, the largest first" + _cut(len(ordered)),
        columns=("Layer or tensor", "Operators", "Float32, bytes#", "Bytes#", "Share of the file#"),
        rows=tuple(rows),
        shares=tuple(shares),
    )
    title = "Size by layer"
    drawing = sizes_in_order([operator.bytes for operator in probe.operators], f"{title}. {finding}")
    yield Figure(section="size", title=title, finding=finding, drawing=drawing, table=table)


def timing(runs: LatencyRuns) -> Iterator[Figure]:
    """How the single runs of both models spread."""
    both = sorted((*runs.float32, *runs.candidate))
    highest = max(_quantile(times, _SHOWN_SHARE) for times in (runs.float32, runs.candidate))
    hidden = sum(time > highest for time in both)
    if highest <= both[0]:
        return
    width = (highest - both[0]) / _BINS
    edges = [both[0] + at * width for at in range(_BINS + 1)]
    float32, converted = (binned(times, both[0], width, highest) for times in (runs.float32, runs.candidate))
    finding = (
        f"Float32 runs take {_spread(runs.float32)}, converted ones {_spread(runs.candidate)} milliseconds (fastest,"
        f" median, slowest). {f'{hidden} slower runs lie beyond the right edge.' if hidden else ''}"
    ).strip()
    title = "Latency of single runs"
    shares = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
    rows = tuple(
        (_share_name(share), f"{_quantile(runs.float32, share):.4f}", f"{_quantile(runs.candidate, share):.4f}")
        for share in shares
    )
    table = Table(
        caption="So many of the runs are as fast or faster, in milliseconds",
        columns=("Share of the runs", "Float32#", "Converted#"),
        rows=rows,
    )
    drawing = latencies(edges, float32, converted, f"{title}. {finding}")
    yield Figure(section="latency", title=title, finding=finding, drawing=drawing, table=table)


def binned(times: Sequence[float], low: float, width: float, high: float) -> list[int]:
    """Counts of the times up to `high` in bins of one width."""
    counts = [0] * _BINS
    for time in times:
        if time <= high:
            counts[min(_BINS - 1, int((time - low) / width))] += 1
    return counts


def _spread(times: Sequence[float]) -> str:
    return ", ".join(f"{_quantile(times, share):.3g}" for share in (0.0, 0.5, 1.0))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest of some ordered values, so that what is shown was measured."""
    return ordered[round(share * (len(ordered) - 1))]


def _share_name(share: float) -> str:
    return {0.0: "Fastest", 0.5: "Median", 1.0: "Slowest"}.get(share, f"{100 * share:.0f} %")


def _name(operator: ProbedOperator) -> str:
    """The layer, or the part of a tensor's name that says most: the last one of the outermost operation."""
    return operator.layer or operator.tensor.partition(";")[0][-60:] or operator.op


def _decibels(ratio: float | None) -> str:
    return "—" if ratio is None else "exact" if ratio == EXACT_SQNR_DB else f"{ratio:.1f}"


def _cut(count: int) -> str:
    return f", {_MOST_ROWS} of {count}" if count > _MOST_ROWS else ""
