"""The store of stage results, which are found again by the digest of their inputs, on one machine or on many."""

from recipekit.store.collection import Collected
from recipekit.store.entry import Entry
from recipekit.store.lease import Lease
from recipekit.store.store import Store
from recipekit.store.survey import StageUse, StoreInfo

__all__ = ["Collected", "Entry", "Lease", "StageUse", "Store", "StoreInfo"]
