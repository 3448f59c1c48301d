"""Imported by the server that `tests/commands.py` forks commands from, and by nothing else."""

from __future__ import annotations

from pathlib import Path

from recipekit.surroundings import Surroundings
from tests.installation import remember

remember(Surroundings(Path(__file__).parent))
