from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.contracts import CustomLayersSpec
from recipekit.errors import PluginError
from recipekit.worker.layers import custom_objects, generation

_MODULE = """
class Plain:
    pass

class Named:
    pass
"""


def test_a_named_object_is_offered_under_the_name_that_the_recipe_gives_it(tmp_path: Path) -> None:
    (tmp_path / "named_objects.py").write_text(_MODULE)
    spec = CustomLayersSpec(modules=("named_objects.py",), objects={"Other": "named_objects.py:Named"})
    objects = custom_objects(spec, tmp_path)
    assert {name: found.__name__ for name, found in objects.items()} == {"Other": "Named"}


def test_a_class_that_is_no_layer_belongs_to_no_keras() -> None:
    assert generation(Path) is None


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no such module file") as caught:
        custom_objects(CustomLayersSpec(modules=("absent.py",)), tmp_path)
    assert "absent.py" in caught.value.where
