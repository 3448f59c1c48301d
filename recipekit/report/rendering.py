"""What every page is rendered with: the templates, and how numbers and verdicts read. It knows no page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from recipekit.acceptance import is_floor
from recipekit.contracts import EXACT_SQNR_DB

if TYPE_CHECKING:
    import jinja2
    import markupsafe

_ABSENT = "—"

VERDICTS = {
    "accepted": ("good", "✓ Accepted"),
    "rejected": ("bad", "✕ Rejected"),
    "not-judged": ("open", "? Not judged"),
    "pass": ("good", "✓ pass"),
    "fail": ("bad", "✕ fail"),
    "inconclusive": ("open", "? inconclusive"),
    "failed": ("bad", "✕ Failed"),
}
"""CSS class and words of each verdict; the words carry the meaning without the colour."""


@cache
def templates() -> jinja2.Environment:
    """The templates of `templates/`, with filters for what they show."""
    import jinja2  # noqa: PLC0415  a run that finds its output renders nothing

    from recipekit.report.compiled_templates import compiled_templates  # noqa: PLC0415  it imports jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        auto_reload=False,
        bytecode_cache=compiled_templates(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, decibels=_decibels, ratio=_ratio, milliseconds=_milliseconds)
    environment.filters.update(bound=bound, measured=measured, layer_summary=_layer_summary, layer_fate=_layer_fate)
    environment.globals["verdicts"] = VERDICTS
    return environment


def part(template: str, facts: Mapping[str, Any]) -> markupsafe.Markup:
    """A part of a page, rendered once for the children of a sweep that have it in common."""
    return _rendered_part(template, msgspec.json.encode(facts))


@lru_cache(maxsize=64)
def _rendered_part(template: str, facts: bytes) -> markupsafe.Markup:
    import markupsafe  # noqa: PLC0415  see `templates`

    return markupsafe.Markup(templates().get_template(template).render(msgspec.json.decode(facts)))  # noqa: S704  escaped


def _layer_summary(layers: Iterable[Mapping[str, Any]]) -> str:
    counts = Counter(layer["fate"] for layer in layers)
    fates = [f"{counts[fate]} {fate}" for fate in ("kept", "folded", "fused", "removed", "unnamed") if counts[fate]]
    return f"{counts.total()} Keras layers: {', '.join(fates)}"


def _layer_fate(layer: Mapping[str, Any]) -> str:
    if layer["into"]:
        return f"{layer['fate']} into {layer['into']}"
    operators = [f"{count} {name}" if count > 1 else name for name, count in layer["operators"].items()]
    return ", ".join(operators) or str(layer["fate"])


def _number(value: float | None) -> str:
    """Six significant digits, whole numbers with thousands separators, a dash for nothing."""
    if value is None:
        return _ABSENT
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.6g}"


def _decibels(value: float | None) -> str:
    if value is None:
        return _ABSENT
    return "exact" if value >= EXACT_SQNR_DB else f"{value:.2f}"


def bound(check: Mapping[str, Any]) -> str:
    """What a check asks for, in words or with its sign of comparison."""
    limit = check["limit"]
    if limit is None:
        return _ABSENT
    if isinstance(limit, bool):
        return "allowed" if limit else "none"
    if isinstance(limit, str):
        return limit
    return f"{'≥' if is_floor(check['name']) else '≤'} {_number(limit)}"


def measured(value: float | bool | str | None) -> str:
    """A measured value as a page shows it; a boolean says whether something is there."""
    if isinstance(value, bool):
        return "present" if value else "none"
    return value if isinstance(value, str) else _number(value)


def _ratio(value: float) -> str:
    return f"{value:.3f}"


def _milliseconds(value: float) -> str:
    """Microseconds as decimals; of a small model's fractions of them three digits."""
    return _ratio(value) if value >= 0.1 else f"{value:.3g}"
