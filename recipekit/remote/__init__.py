"""Objects at a URL that many machines share: read whole, written whole, and never two different ones by a race."""

from recipekit.remote.place import Place, check_url
from recipekit.remote.refusal import Refusal

__all__ = ["Place", "Refusal", "check_url"]
