"""docs/api.md names every function and option; its Python runs in e2e/test_shipped_pages.py."""

from __future__ import annotations

import inspect

import recipekit
from tests.pages import page

PAGE = page("api.md")


def test_every_function_stands_there_with_its_options() -> None:
    for name in recipekit.__all__:
        found = getattr(recipekit, name)
        if inspect.isfunction(found):
            words = []
            for parameter in inspect.signature(found).parameters.values():
                if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
                    words.append("*")
                words.append(parameter.name)
            assert f"| `{name}({', '.join(words)})` |" in PAGE
