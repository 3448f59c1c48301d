"""The parent's side of the warm workers: start them, ask them, and outlive them.

A worker that aborts, hangs or outgrows its memory limit costs one stage: the caller gets a typed error with the
worker's last words, and the next request meets a fresh worker. This room knows processes, not models.
"""

from recipekit.pool.process import Limits, worker_environment
from recipekit.pool.workers import Pool, StageResult

__all__ = ["Limits", "Pool", "StageResult", "worker_environment"]
