"""The models of tests/worker/conversions.py and their conversions."""

from __future__ import annotations

from tests.worker.conversions import convert, models

__all__ = ["convert", "models"]
