"""A search for the best child of a sweep: which one comes next is chosen by what has ended before.

Optuna chooses. It is imported here alone, and only where a search is asked for.
"""

from recipekit.searching.opening import Study, open_study

__all__ = ["Study", "open_study"]
