"""The facts of the installation, read once a process: they take half a second, and don't change while tests run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from recipekit import environment
from recipekit.surroundings import Surroundings

_REMEMBERED = {
    fact.__name__: cache(fact)
    for fact in (
        environment.packages,
        environment.packages_of,
        environment.plugin_distributions,
        environment.required_by,
        environment.source_digest,
    )
}


def remember(surroundings: Surroundings) -> None:
    """Lets this process, and its forks, ask the installation no more for what some surroundings say of it."""
    vars(environment).update(_REMEMBERED)
    for worker in ("litert", "tensorflow"):
        surroundings.tools_digest(worker)


@contextmanager
def remembered() -> Iterator[None]:
    """Asks the installation once for all such blocks."""
    before = {name: vars(environment)[name] for name in _REMEMBERED}
    vars(environment).update(_REMEMBERED)
    try:
        yield
    finally:
        vars(environment).update(before)
