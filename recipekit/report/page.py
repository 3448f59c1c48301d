"""Results of a run as an HTML page that opens anywhere: one file, no script, no request to anything.

The page shows what the results say and judges nothing itself, and it draws nothing: figures come as they were drawn.
Templates lie as files in `templates/`; this module puts the parts of the page together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from recipekit.contracts import Illustrations, TaskScore
from recipekit.report.figures import sections
from recipekit.report.origin import Making, of_many_builds, of_this_build
from recipekit.report.rendering import part, templates

if TYPE_CHECKING:
    import markupsafe

_one_at_a_time = Lock()
"""Threads that begin together would each compile the templates, and render what their pages have in common."""


def render_run(
    results: Mapping[str, Any],
    recipe_yaml: str,
    making: Making | None = None,
    figures: Illustrations | None = None,
    missing: Sequence[str] = (),
) -> str:
    """The page of one run.

    Args:
        results: the mapping that `results.json` holds.
        recipe_yaml: the resolved recipe.
        making: how it was made; None leaves out what the results don't tell.
        figures: what was drawn for it; None for nothing.
        missing: what could not be drawn because a stage failed, a sentence each.

    Raises:
        KeyError, jinja2.UndefinedError: the results lack something that the page shows.
        OSError: the figures can't be read.
    """
    measurement = results["measurement"]
    with _one_at_a_time:
        return (
            templates()
            .get_template("run.html")
            .render(
                results=results,
                measurement=measurement,
                summary=_check_summary(results["checks"]),
                glance=list(_glance(measurement)) if measurement else [],
                measured=_measured(msgspec.json.encode(measurement), figures) if measurement else "",
                artifacts=_artifacts(measurement),
                layers=part("layers.html", {"layers": results.get("layers", [])}),
                making=None if making is None else _made(making),
                missing=missing,
                recipe_yaml=recipe_yaml,
            )
        )


def _artifacts(measurement: Mapping[str, Any] | None) -> markupsafe.Markup | str:
    """What the makers of artifacts report, where there are any."""
    reported = {key: (measurement or {}).get(key) for key in ("target", "golden_vectors")}
    return part("artifacts.html", reported) if any(reported.values()) else ""


def _made(making: Making) -> dict[str, Any]:
    """How the build was made; what it has in common with others of a sweep is rendered once."""
    own = of_this_build(making)
    recipe = [part("recipe.html", {"values": section}) for section in own["sections"]]
    return {**own, "recipe": recipe, "surroundings": part("surroundings.html", of_many_builds(making))}


@lru_cache(maxsize=16)
def _measured(measurement: bytes, figures: Illustrations | None) -> markupsafe.Markup:
    """What was measured and drawn, rendered once for the children of a sweep that have it in common."""
    import markupsafe  # noqa: PLC0415  see `rendering.templates`

    known = msgspec.json.decode(measurement)
    template = templates().get_template("measurement.html")
    return markupsafe.Markup(  # noqa: S704  escaped
        template.render(
            measurement=known, drops=_drops(known["task"]), figures=sections(figures), drawn=figures is not None
        )
    )


def _glance(measurement: Mapping[str, Any]) -> Iterator[tuple[str, float, str]]:
    """The numbers that a reader looks for first: what, value, and how it reads."""
    yield "Size, bytes", measurement["size"], "number"
    yield "Size to float32", measurement["size"] / measurement["float32_size"], "ratio"
    if measurement["parity"]:
        yield "Worst SQNR, dB", min(parity["sqnr_db"] for parity in measurement["parity"].values()), "decibels"
    for name, score in measurement["task"].items():
        yield f"{name}, float", score["float_value"], "number"
        yield f"{name}, converted", score["converted_value"], "number"
    if measurement["latency"]:
        yield "Latency p50, ms", measurement["latency"]["p50_ms"], "milliseconds"


def _check_summary(checks: Iterable[Mapping[str, Any]]) -> str:
    counts = Counter(check["verdict"] for check in checks)
    if not counts:
        return "No bound was judged."
    words = {"fail": "failed", "inconclusive": "inconclusive", "not-judged": "not judged"}
    others = [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]]
    return ", ".join([f"{counts['pass']} of {counts.total()} checks passed", *others]) + "."


def _drops(task: Mapping[str, Any]) -> dict[str, float]:
    return {metric: score.drop for metric, score in msgspec.convert(task, dict[str, TaskScore]).items()}
