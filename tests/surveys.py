"""Surveys of a project's own code: how tests have a worker run what they write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recipekit.contracts import SurveyRequest
from tests.readings import dataset_spec


def survey_of(project: Path, factory: str, **kwargs: Any) -> SurveyRequest:
    """Asks for a survey of a dataset that a function of the project makes.

    Args:
        project: holds the function's file.
        factory: its address, such as `misbehaving.py:samples`.
        **kwargs: what it is called with.
    """
    return SurveyRequest(dataset=dataset_spec("python", project, params={"factory": factory, "kwargs": kwargs}))
