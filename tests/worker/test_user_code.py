"""Code of a project that fails is told by the line that the user wrote, however deep in a library it failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit.errors import PluginError
from recipekit.worker.user_code import guarded, import_modules


@pytest.mark.parametrize("call", ["np.zeros(3).reshape(2, 2)", "json.loads('{')", "np.testing.assert_equal(1, 2)"])
def test_an_error_of_a_library_is_placed_where_the_project_calls_it(tmp_path: Path, call: str) -> None:
    (tmp_path / "mine.py").write_text(f"import json\n\nimport numpy as np\n\n{call}\n")
    with pytest.raises(PluginError, match=r"importing 'mine\.py' raised") as caught:
        import_modules(["mine.py"], tmp_path)
    assert caught.value.where == f"{tmp_path / 'mine.py'}:5"


def test_an_error_of_a_library_is_placed_at_its_caller() -> None:
    with pytest.raises(PluginError) as caught, guarded("reading"):
        json.JSONDecoder().decode("{")
    file, _, line = caught.value.where.rpartition(":")
    assert line.isdigit()
    assert file == __file__
