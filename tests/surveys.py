"""Surveys of a project's own code: how tests have a worker run what they write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recipekit.contracts import DatasetSpec, SurveyRequest


def survey_of(project: Path, factory: str, **kwargs: Any) -> SurveyRequest:
    """Asks for a survey of a dataset that a function of the project makes.

    Args:
        project: holds the function's file.
        factory: its address, such as `misbehaving.py:samples`.
        **kwargs: what it is called with.
    """
    return SurveyRequest(
        dataset=DatasetSpec(
            plugin="python",
            params={"factory": factory, "kwargs": kwargs},
            samples=None,
            shuffle=False,
            seed=0,
            preprocess=(),
            modules=(),
            project_root=str(project),
        )
    )
