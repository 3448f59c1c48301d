"""Pages for people: one self-contained HTML file for a run and one for a sweep, and panels for notebooks."""

from recipekit.report.notebook import Panel, Table, check_rows, panel_html, panel_markdown
from recipekit.report.origin import Making
from recipekit.report.page import render_run
from recipekit.report.sweep_page import sweep_page

__all__ = [
    "Making",
    "Panel",
    "Table",
    "check_rows",
    "panel_html",
    "panel_markdown",
    "render_run",
    "sweep_page",
]
