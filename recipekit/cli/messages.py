"""How an error looks at the edge: its id, its message, and where to learn more, in as many lines as it takes."""

from __future__ import annotations

from recipekit.errors import RecipekitError


def told(error: RecipekitError) -> str:
    """The lines that say an error, the last of them ended."""
    return f"error {error.id}: {error}\n{more(error.id)}"


def more(error_id: str) -> str:
    """The line that says how to learn more of an error; once is enough, however many there are of its kind."""
    return f"  more: recipekit explain {error_id}\n"
