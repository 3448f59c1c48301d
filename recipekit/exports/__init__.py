"""An output's record in other people's formats, made from its manifest and results, never written by hand.

The same output gives the same bytes. The room opens no file and judges nothing.
"""

from collections.abc import Callable, Mapping

from recipekit import digests
from recipekit.exports.cyclonedx import ml_bom
from recipekit.exports.model_card import model_card
from recipekit.exports.published import Published

__all__ = ["FORMATS", "Published", "ml_bom", "model_card"]

FORMATS: Mapping[str, Callable[[Published], str]] = {
    "cyclonedx": lambda output: digests.pretty_json(ml_bom(output)),
    "model-card": model_card,
}
"""The text of each format, by its name."""
