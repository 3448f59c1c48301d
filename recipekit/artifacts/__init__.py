"""Extra files beside a published model: written from what the stages made, or as text of the published bytes.

It knows neither stages nor manifests; what it writes is listed by whoever publishes it.
"""

from recipekit.artifacts.files import Artifacts, Published, write_artifacts, write_with_key
from recipekit.artifacts.labels import read_labels

__all__ = ["Artifacts", "Published", "read_labels", "write_artifacts", "write_with_key"]
