"""An output to verify, made once and copied for each test."""

from __future__ import annotations

from tests.whole_outputs import output, published

__all__ = ["output", "published"]
