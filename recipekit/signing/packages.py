"""Packages that recipekit installs only for signatures: a missing one names the extra that brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recipekit.errors import EnvironmentFault


@contextmanager
def of_extra(extra: str, user: str) -> Iterator[None]:
    """Turns an ImportError of the block into a fault that says what to install.

    Args:
        extra: of recipekit.
        user: what needs it, such as "a signature".

    Raises:
        EnvironmentFault: something that the block imports isn't there.
    """
    try:
        yield
    except ImportError as error:
        raise EnvironmentFault(
            f"{user} needs a package that is missing: {error}", fix=f"pip install 'recipekit[{extra}]'"
        ) from error
