"""A page for each error id: what it means, its usual causes, how to fix it, and an example as a run prints it.

The pages are Markdown files beside this one, so that they travel with the package; docs/errors.md is made of them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def page(error_id: str) -> str:
    """The Markdown page of an error, by its id in capitals.

    Raises:
        FileNotFoundError: there is no such error.
    """
    return files(__name__).joinpath(f"{error_id}.md").read_text("utf-8")


def title(error_id: str) -> str:
    """What an error means in one line, without the full stop."""
    return page(error_id).partition("\n")[0].partition(": ")[2]


def error_ids() -> tuple[str, ...]:
    """Every id that has a page, sorted."""
    names = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in names if name.endswith(".md")))
