"""Imported by the server that `tests/commands.py` forks commands from, and by nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from recipekit.surroundings import Surroundings
from tests.installation import remember

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # as in tests/spared

remember(Surroundings(Path(__file__).parent))
