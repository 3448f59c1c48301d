"""Pages for people: one self-contained HTML file for a run and one for a sweep."""

from recipekit.report.origin import Making
from recipekit.report.page import render_run
from recipekit.report.sweep_page import render_sweep

__all__ = ["Making", "render_run", "render_sweep"]
