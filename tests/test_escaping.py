"""What a stranger's text may do to a terminal: nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recipekit.escaping import escaped, escaped_lines


def test_control_characters_and_what_is_not_utf_8_become_escapes() -> None:
    assert escaped("a\x1b[2J\udcff\n\u202eb") == r"a\x1b[2J\udcff\n\u202eb"


def test_lines_stay_lines() -> None:
    assert escaped_lines("one\x07\ntwo\r\n") == "one\\x07\ntwo\\r\n"


@given(st.text())
def test_what_is_escaped_can_be_shown_as_it_is(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable()
    assert escaped(shown) == shown
    assert all(line.isprintable() for line in escaped_lines(text).split("\n"))
