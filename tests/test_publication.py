"""What an output's files hold, as far as it doesn't take a build to say so."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from recipekit.publication import as_yaml

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), JSON, max_size=4))
def test_a_recipe_is_written_as_yaml_writes_it_whole(resolved: dict[str, Any]) -> None:
    whole = yaml.dump(resolved, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    assert as_yaml(resolved) == (whole if resolved else "")
    assert (yaml.safe_load(as_yaml(resolved)) or {}) == resolved


def test_sections_with_a_value_in_common_name_it_in_full() -> None:
    shape = [1, 96, 96, 3]
    assert as_yaml({"a": shape, "b": shape}) == as_yaml({"a": list(shape), "b": list(shape)})
