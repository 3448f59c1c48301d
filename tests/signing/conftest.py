"""A project with an output that may be signed, and keys."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from recipekit.signing.keys import PrivateKey, PublicKey, load_private, load_public
from tests.signing_keys import write_keys
from tests.whole_outputs import output, published

__all__ = ["Keys", "keys", "make_keys", "others", "output", "published"]


class Keys(NamedTuple):
    """The two halves of a key."""

    private: PrivateKey
    public: PublicKey


def make_keys(folder: Path, name: str = "key", kind: str = "P-256") -> Keys:
    private, public = write_keys(folder, name, kind)
    return Keys(load_private(private, str), load_public(public))


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return make_keys(tmp_path)


@pytest.fixture
def others(tmp_path: Path) -> Keys:
    """Of somebody else."""
    return make_keys(tmp_path, "other")
