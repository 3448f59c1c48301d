"""docs/tutorial.md keeps its word: from an empty folder to a verified file, by nothing but what the page says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pages import page, run_page

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def test_the_tutorial_ends_with_an_accepted_file(tmp_path: Path) -> None:
    run_page(page("tutorial.md"), tmp_path)
    results = json.loads((tmp_path / "outputs" / "digits_int8" / "latest" / "results.json").read_text())
    assert (results["verdict"], results["version"]) == ("accepted", "1.1.0")
    verdicts = [json.loads(path.read_text())["verdict"] for path in tmp_path.glob("outputs/*/1.0.0/*/results.json")]
    assert sorted(verdicts) == ["accepted", "rejected"]
