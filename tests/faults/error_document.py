"""docs/errors.md, made of the pages that `recipekit explain` prints."""

from __future__ import annotations

import re
from pathlib import Path

from recipekit.error_pages import error_ids, page, title

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

_HEAD = """\
# Errors

Every error that recipekit raises on purpose has an id, which never changes its meaning, and an exit code. A message
says what is wrong, where, and the fix; its last line says where to read on: `recipekit explain RK304` prints the part
of this page about RK304, `recipekit explain` a line for each id, and `--format json` gives either to a program.

The examples are what the commands print: `pytest --update-goldens tests/faults/test_error_pages.py` runs them and
writes this page from the pages in `recipekit/error_pages`.

| id | meaning |
|---|---|
"""


def document() -> str:
    """The whole page."""
    rows = [f"| [{error_id}](#{error_id.lower()}) | {title(error_id)} |\n" for error_id in error_ids()]
    sections = [_section(error_id) for error_id in error_ids()]
    return _HEAD + "".join(rows) + "\n" + "\n".join(sections)


def _section(error_id: str) -> str:
    """A page one level down, under a heading that a link can name, the other pages as links."""
    text = page(error_id).partition("\n")[2]
    parts = re.split(r"(^```.*?^```\n)", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [re.sub(r"\bdocs/(\w+\.md)", r"[\1](\1)", part.replace("\n## ", "\n### ")) for part in parts[::2]]
    return f"## {error_id}\n\n**{title(error_id)}**\n{''.join(parts)}"
