"""The figures of a page, as the stage that draws has left them.

They are read once and put into HTML once, however many builds have them in common. Nothing is drawn here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from recipekit.contracts import Figure, Illustrations
from recipekit.report.rendering import templates

if TYPE_CHECKING:
    import markupsafe

_SECTIONS = ("outputs", "worst", "classes", "latency", "size", "layers")


def sections(illustrations: Illustrations | None) -> dict[str, markupsafe.Markup]:
    """The figures of each part of the page, by the part's name, empty for a part that has none.

    Args:
        illustrations: what was drawn; None for nothing.

    Raises:
        OSError: the file can't be read.
    """
    import markupsafe  # noqa: PLC0415  see `rendering.templates`

    drawn = {} if illustrations is None else _sections(illustrations.path, illustrations.sha256)
    return {section: drawn.get(section, markupsafe.Markup()) for section in _SECTIONS}


@lru_cache(maxsize=16)
def _sections(path: str, sha256: str) -> dict[str, markupsafe.Markup]:  # noqa: ARG001  a path alone may be used again
    figures = msgspec.json.decode(Path(path).read_bytes(), type=tuple[Figure, ...])
    template = templates().get_template("figures.html")
    import markupsafe  # noqa: PLC0415  see `rendering.templates`

    named: dict[str, list[Figure]] = {}
    for figure in figures:
        named.setdefault(figure.section, []).append(figure)
    return {
        section: markupsafe.Markup(template.render(section=section, figures=of_section))  # noqa: S704  escaped
        for section, of_section in named.items()
    }
