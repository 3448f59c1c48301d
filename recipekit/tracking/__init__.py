"""Outputs in MLflow: what was published is logged afterwards, and nothing of a build depends on it.

MLflow is imported by no other room, and only when something is logged.
"""

from recipekit.tracking.mlflow_runs import Tracker

__all__ = ["Tracker"]
