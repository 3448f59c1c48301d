"""Every finding can be looked up."""

from __future__ import annotations

import re
from pathlib import Path

from recipekit.lint import NAMES

DOCS = Path(__file__).parents[2] / "docs" / "calibration.md"


def test_each_name_is_documented_and_none_that_does_not_exist() -> None:
    documented = re.findall(r"^### `([a-z-]+)`$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == list(NAMES)
