"""Every finding can be looked up."""

from __future__ import annotations

import re

from recipekit.lint import NAMES
from tests.pages import page


def test_each_name_is_documented_and_none_that_does_not_exist() -> None:
    documented = re.findall(r"^### `([a-z-]+)`$", page("calibration.md"), re.MULTILINE)
    assert documented == list(NAMES)
