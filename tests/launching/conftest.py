"""Engines that the tests of launchers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.launching.ray_cluster import RayCluster, ray_cluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[RayCluster]:
    """A Ray head of one processor that asks for a token."""
    with ray_cluster() as started:
        yield started
