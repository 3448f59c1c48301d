"""Every key and list item of a YAML text has its line."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from recipekit.compose.marks import Key, read_marks

TEXT = """\
# a comment
name: digits

converter: {quantization: int8,
            flags: {x: 1}}
rules:
  - match: {op: ADD}
    quantization: none
  - plain
"""


def test_keys_and_items_have_their_lines() -> None:
    assert read_marks(TEXT) == {
        ("name",): 2,
        ("converter",): 4,
        ("converter", "quantization"): 4,
        ("converter", "flags"): 5,
        ("converter", "flags", "x"): 5,
        ("rules",): 6,
        ("rules", 0): 7,
        ("rules", 0, "match"): 7,
        ("rules", 0, "match", "op"): 7,
        ("rules", 0, "quantization"): 8,
        ("rules", 1): 9,
    }


def test_an_alias_counts_at_its_user_and_is_entered_once_at_its_anchor() -> None:
    assert read_marks("a: &x {b: 1}\nc: *x\n") == {("a",): 1, ("a", "b"): 1, ("c",): 2}


def test_a_text_without_keys_has_no_marks() -> None:
    assert read_marks("") == read_marks("# nothing\n") == read_marks("just text") == {}


def keys(value: object, path: Key = ()) -> set[Key]:
    """Every key path and item of plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {found for key, item in items for found in ((*path, key), *keys(item, (*path, key)))}


NAMES = st.text("abcxyz_", min_size=1, max_size=4).filter(lambda name: name not in {"y", "null"})
DATA = st.recursive(
    st.integers() | st.text("abc ", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(st.dictionaries(NAMES, DATA, max_size=4), st.booleans())
def test_no_key_goes_unmarked(data: dict[str, object], flow: bool) -> None:
    text = yaml.dump(data, default_flow_style=flow)
    marks = read_marks(text)
    assert set(marks) == keys(data)
    assert all(1 <= line <= text.count("\n") for line in marks.values())
