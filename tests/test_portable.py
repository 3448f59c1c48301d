"""Paths in JSON that outlive a move of their folders."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recipekit.portable import placed, portable

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
PATHS = st.sampled_from(["/a/x", "/a/x/m.tflite", "/a/xy", "/b"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | TEXTS | PATHS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_is_kept_comes_back_as_it_was(value: Any) -> None:
    places = {"artifacts": "/a/x"}
    assert placed(portable(value, places), places) == value


def test_a_path_follows_its_folder() -> None:
    kept = portable({"file": "/a/x/m.tflite", "other": "/a/xy"}, {"artifacts": "/a/x"})
    assert "/a/x/" not in str(kept)
    assert placed(kept, {"artifacts": "/c"}) == {"file": "/c/m.tflite", "other": "/a/xy"}
