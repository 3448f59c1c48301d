"""Each error has a page, each page an example that is real, and docs/errors.md is made of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recipekit import error_pages
from recipekit.errors import by_id
from tests.faults.error_document import DOCUMENT, document
from tests.faults.error_examples import EXAMPLES, NEEDS_TENSORFLOW, printed, same_everywhere
from tests.faults.standing import Standing

PAGES = Path(error_pages.__file__).parent
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_error_has_a_page_and_every_page_an_error() -> None:
    assert error_pages.error_ids() == tuple(sorted(by_id())) == tuple(sorted(EXAMPLES))


@pytest.mark.parametrize("error_id", sorted(by_id()))
def test_a_page_says_what_the_class_says_its_causes_and_the_way_out(error_id: str) -> None:
    text = error_pages.page(error_id)
    meant = (by_id()[error_id].__doc__ or "").partition("\n")[0].rstrip(".")
    assert error_pages.title(error_id) == meant
    assert text.startswith(f"# {error_id}: {meant}\n\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Usual causes", "How to fix it", "Example"]
    assert f"Exit code {by_id()[error_id].exit_code}" in text
    causes, cures = re.findall(r"^## \w+ (?:causes|to fix it)\n\n((?:[- ] .*\n)+)", text, re.MULTILINE)
    assert all(len(re.findall(r"^- ", items, re.MULTILINE)) >= 2 for items in (causes, cures))


def runs(slow: bool) -> list[str]:
    return [error_id for error_id in EXAMPLES if (error_id in NEEDS_TENSORFLOW) is slow]


@pytest.mark.slow
@pytest.mark.parametrize(
    "error_id", [*runs(slow=False), *(pytest.param(each, marks=pytest.mark.tensorflow) for each in runs(slow=True))]
)
def test_the_example_prints_what_its_page_shows(
    error_id: str, standing: Standing, tmp_path_factory: pytest.TempPathFactory, update_goldens: bool
) -> None:
    example = EXAMPLES[error_id]
    code, said = printed(example, standing, tmp_path_factory)
    swept = example.command.startswith("recipekit run -m ")
    child = r"\[\d+\] .*: " if swept else ""
    assert re.match(rf"{child}error {error_id}: ", said)
    by_the_command = example.command.startswith("recipekit ") and not swept
    assert said.endswith(f"\n  more: recipekit explain {error_id}\n") or not by_the_command
    assert all(script in example.files.values() for script in PYTHON.findall((PAGES / f"{error_id}.md").read_text()))
    allowed = {by_id()[error_id].exit_code, 5} if error_id.startswith("RK42") else {by_id()[error_id].exit_code}
    assert code in allowed
    file = PAGES / f"{error_id}.md"
    (shown,) = CONSOLE.findall(file.read_text())
    now = f"$ {example.command}\n{said}"
    if update_goldens and same_everywhere(shown) != same_everywhere(now):
        file.write_text(file.read_text().replace(f"```console\n{shown}```", f"```console\n{now}```"))
        shown = now
    assert same_everywhere(shown) == same_everywhere(now)


def test_the_document_is_made_of_the_pages(update_goldens: bool) -> None:
    error_pages.page.cache_clear()
    if update_goldens:
        DOCUMENT.write_text(document())
    assert DOCUMENT.read_text() == document()
