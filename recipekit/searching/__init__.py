"""Searches: Optuna chooses each child of a sweep by the results of those before it.

Optuna is imported in this room alone, and only where a search is asked for.
"""

from recipekit.searching.opening import Study, open_study

__all__ = ["Study", "open_study"]
