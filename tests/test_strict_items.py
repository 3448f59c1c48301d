"""A JSON list that is read item by item is the list that is read at once, and what is none is none."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.manifest import strict_items, strict_json

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
LISTS = st.lists(VALUES, max_size=5)
INDENTS = st.sampled_from([None, 0, 2])


class Trickle(io.StringIO):
    """Gives some characters at a time, however many are asked for."""

    at_once = 1

    def read(self, size: int | None = -1, /) -> str:
        return super().read(self.at_once)


def items(text: str, at_once: int) -> list[Any]:
    stream = Trickle(text)
    stream.at_once = at_once
    return list(strict_items(stream))


@given(LISTS, INDENTS, st.integers(1, 9))
def test_the_items_are_those_of_the_list_however_it_comes(value: list[Any], indent: int | None, at_once: int) -> None:
    assert items(f" {json.dumps(value, indent=indent)}\n", at_once) == value


@given(LISTS, INDENTS, st.integers(1, 9), st.data())
def test_a_text_that_was_damaged_is_refused_where_it_is_refused_as_a_whole(
    value: list[Any], indent: int | None, at_once: int, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent)
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.sampled_from([*'[]{}",:1-e.0 ', "NaN", "1e999", ""])) + text[at + 1 :]
    try:
        expected = strict_json(text)
    except ValueError:
        expected = None
    if isinstance(expected, list):
        assert items(text, at_once) == expected
    else:
        with pytest.raises(ValueError, match=r"."):
            items(text, at_once)


def test_an_item_is_there_before_the_next_one_is_read() -> None:
    found = strict_items(io.StringIO("[" + ", ".join(json.dumps("x" * 40_000) for _ in range(4)) + ", oops"))
    assert [next(found) for _ in range(4)] == ["x" * 40_000] * 4
    with pytest.raises(ValueError, match="Expecting value"):
        next(found)
