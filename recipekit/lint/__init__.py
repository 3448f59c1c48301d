"""The calibration linter: what is wrong, or looks wrong, with samples before a model is converted with them.

TensorFlow takes an empty calibration set, a wrong shape, a repeated sample or data of another scale without a word.
Findings are made of records alone: the logs and statistics of the first reading, and the float model's signature.
Nothing here opens a dataset or a model, and nothing needs NumPy.
"""

from recipekit.lint.finding import NAMES, Finding, refuse
from recipekit.lint.linter import lint
from recipekit.lint.reading import Examined

__all__ = ["NAMES", "Examined", "Finding", "lint", "refuse"]
