"""Outputs on disk: versioned folders that are written whole or not at all, and never trusted unseen."""

from recipekit.outputs.checking import Difference, differences, file_differences
from recipekit.outputs.folders import Outputs
from recipekit.outputs.shared import SharedOutputs

__all__ = ["Difference", "Outputs", "SharedOutputs", "differences", "file_differences"]
