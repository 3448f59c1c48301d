"""Workers, store and surroundings opened for one command, and closed behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recipekit.pipeline import Facilities
from recipekit.pool import Limits, Pool
from recipekit.project import Project
from recipekit.store import Store
from recipekit.surroundings import Surroundings


@contextmanager
def facilities_for(project: Project) -> Iterator[Facilities]:
    """What the builds of one command share. No worker starts before one is needed; all end with the block.

    Raises:
        OutputFault: the store can't be opened.
    """
    with Pool(Limits.of(project)) as pool, Store.of(project).lease() as lease:
        yield Facilities(pool, lease, Surroundings(project.root))
