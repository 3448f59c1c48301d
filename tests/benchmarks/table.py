"""Results as Markdown tables, and their place in a document: between two markers. It measures nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from tests.benchmarks.results import Report, Result, script_seconds

BEGIN = "<!-- benchmarks: begin -->"
END = "<!-- benchmarks: end -->"

_TIME_HEAD = ("scenario", "recipekit, s", "script, s", "ratio", "target", "met")
_DRIVER_HEAD = ("scenario", "driver, MiB", "children")
_MEMORY_HEAD = ("scenario", "recipekit, MiB", "script, MiB", "ratio", "target", "met", "largest process, MiB")


def render(report: Report) -> str:
    """The machine, the table of times, the table of memory, and that of drivers of large sweeps."""
    times = [_time_row(result, report.results) for result in report.results.values()]
    memory = [row for result in report.results.values() for row in _memory_rows(result)]
    parts = [report.machine.sentence(), _table(_TIME_HEAD, times)]
    if memory:
        parts.append(_table(_MEMORY_HEAD, memory))
    drivers = [_driver_row(result) for result in report.results.values() if result.driver]
    if drivers:
        parts.append(_table(_DRIVER_HEAD, drivers))
    return "\n\n".join(parts)


def replace_between_markers(document: str, text: str) -> str:
    """The document with `text` in place of whatever stands between the markers.

    Raises:
        ValueError: a marker is missing, or stands there twice, or they stand in the wrong order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"the document needs one line {BEGIN} and one line {END} behind it")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _time_row(result: Result, results: dict[str, Result]) -> tuple[str, ...]:
    ours, theirs = result.recipekit.seconds, script_seconds(result, results)
    extrapolated = bool(theirs) and result.script is None
    ratio = median(ours) / median(theirs) if theirs else None
    return (
        result.title,
        spread(ours, result.children),
        f"{figure(theirs[0])}, extrapolated" if extrapolated else spread(theirs, result.children),
        "" if ratio is None else f"{figure(ratio)} x",
        _target(result),
        _met(result, median(ours), ratio),
    )


def _memory_rows(result: Result) -> Iterator[tuple[str, ...]]:
    ours, theirs = result.recipekit, result.script
    if theirs is None or not ours.tree_mib or not theirs.tree_mib:
        return
    ratio = median(ours.tree_mib) / median(theirs.tree_mib)
    wanted = result.target.memory_ratio
    yield (
        result.title,
        f"{median(ours.tree_mib):.0f}",
        f"{median(theirs.tree_mib):.0f}",
        f"{figure(ratio)} x",
        f"at most {wanted:g} x" if wanted else "",
        _yes(ratio <= wanted) if wanted else "",
        f"{median(ours.largest_mib):.0f}, script {median(theirs.largest_mib):.0f}",
    )


def _driver_row(result: Result) -> tuple[str, ...]:
    return result.title, f"{median(result.recipekit.largest_mib):.0f}", f"{result.children:,}"


def spread(seconds: Sequence[float], children: int = 1) -> str:
    """Median with minimum and maximum, and what that makes for each of several children."""
    if not seconds:
        return ""
    text = figure(median(seconds))
    if len(seconds) > 1:
        text += f" ({figure(min(seconds))} to {figure(max(seconds))})"
    return text if children == 1 else f"{text}, {figure(median(seconds) / children)} each"


def figure(value: float) -> str:
    """Three significant digits, never as a power of ten."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 10 and value >= 1 else f"{value:#.3g}"


def _target(result: Result) -> str:
    target = result.target
    asked = [
        f"at most {target.ratio:g} x" if target.ratio else "",
        f"at most {target.seconds:g} s" if target.seconds else "",
    ]
    return ", ".join(filter(None, asked))


def _met(result: Result, seconds: float, ratio: float | None) -> str:
    target = result.target
    verdicts = []
    if target.ratio:
        if ratio is None:
            return "not measured"
        verdicts.append(ratio <= target.ratio)
    if target.seconds:
        verdicts.append(seconds <= target.seconds)
    return _yes(all(verdicts)) if verdicts else ""


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))
