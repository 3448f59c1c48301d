"""What a worker says of itself: that it started, and what it stands on."""

from __future__ import annotations

from recipekit.contracts.record import Record


class IntroduceRequest(Record, frozen=True, kw_only=True):
    """Ask a worker for the versions of modules that it has imported, or imports now."""

    modules: tuple[str, ...]


class Introduction(Record, frozen=True, kw_only=True):
    """Versions by module; empty for one that doesn't say."""

    versions: dict[str, str]
