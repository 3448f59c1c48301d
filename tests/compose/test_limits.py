"""A recipe file stays small: what it stands for is counted before anything is built of it."""

from __future__ import annotations

import time

import pytest

from recipekit.compose.limits import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, excess
from tests.recipe_projects import RECIPE


def bomb(depth: int, width: int) -> str:
    """Lists of aliases of lists: `width` to the power of `depth` values."""
    rows = [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * width)}]" for at in range(1, depth)]
    return "\n".join([f"a0: &a0 [{', '.join('x' * width)}]", *rows])


@pytest.mark.parametrize(
    "text",
    [RECIPE, "", "a: &x [1, 2]\nb: *x\nc: [*x, *x]\n", "a: [" * (MAX_DEPTH // 2 - 1) + "]" * (MAX_DEPTH // 2 - 1)],
)
def test_what_people_write_stays_below_every_limit(text: str) -> None:
    assert excess(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb(9, 9), "more than 10,000 values"),
        ("a: " + "[" * 3000 + "]" * 3000, "more than 64 deep"),
        ("a: " + "{b: " * 3000, "more than 64 deep"),
        ("a: " + "[" * MAX_DEPTH, "more than 64 deep"),
        ("- x\n" * (MAX_VALUES + 1), "more than 10,000 values"),
        ("#" * (MAX_CHARACTERS + 1), "longer than 1,048,576 characters"),
        ("a: &x [*x]", "holds itself at the alias '*x'"),
        ("a: &x {b: {c: *x}}", "holds itself at the alias '*x'"),
    ],
)
def test_what_would_cost_too_much_is_named_at_once(text: str, said: str) -> None:
    started = time.process_time()
    assert said in excess(text)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("text", ["a: [", "a: *nobody", "a: b: c", "\x00"])
def test_what_is_not_yaml_is_for_the_parser_to_say(text: str) -> None:
    assert excess(text) == ""


def test_aliases_count_as_often_as_they_stand() -> None:
    assert excess(bomb(3, 20)) == ""
    assert excess(bomb(3, 22)) != ""
