"""The page `docs/faults.md`: of each row, what the tests that are marked with it have seen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.faults.rows import ROWS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"

_HEAD = """\
# What happens when things go wrong

Each row is a fault, and each is a test: `pytest --update-goldens -m fault` writes this page from the exit codes that
the tests have seen, and nothing else does. Unless a row says otherwise, no new version is visible afterwards, `latest`
and older versions are byte for byte what they were, no traceback is shown without `--debug`, the message names a place
and a way out, nothing is left in the staging area, and the next run works.

Exit codes: 0 accepted, 2 usage or recipe, 3 rejected by thresholds, 4 conversion or evaluation, 5 source, data or
plugin, 6 verification, 7 environment or resources, 130 and 143 interrupted; `SIGKILL` stands for a killed process.

| # | fault | must say or do | exit | seen | tests |
|---|---|---|---|---|---|
"""

_LINE = re.compile(r"^\| (\d+) \| .* \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


class Seen(NamedTuple):
    """What a test that is marked with a row has seen: the exit code that it recorded."""

    row: int
    test: str
    exit: str


def write(seen: Iterable[Seen]) -> None:
    """Writes the page anew; what tests of before have seen that did not run now stays, as long as they exist."""
    fresh = set(seen)
    ran = {(one.row, one.test) for one in fresh}
    kept = {one for one in on_disk() if (one.row, one.test) not in ran and (one.row, one.test) in marked()}
    PAGE.write_text(_page(fresh | kept))


def on_disk() -> set[Seen]:
    """What the page says."""
    text = PAGE.read_text() if PAGE.is_file() else ""
    return {
        Seen(int(row), test, code)
        for row, _, tests in _LINE.findall(text)
        for test, codes in re.findall(r"`([^`]+)` \(([^)]*)\)", tests)
        for code in codes.split(", ")
    }


@cache
def marked() -> set[tuple[int, str]]:
    """Every row with the address of every test that is marked with it, read from the source of all tests."""
    return {
        (row, f"{path.relative_to(ROOT / 'tests').as_posix()}::{function.name}")
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "fault(" in (source := path.read_text())
        for function, row in _marks(ast.parse(source))
    }


def _marks(module: ast.Module) -> Iterator[tuple[ast.FunctionDef, int]]:
    rows_of_module = [row for node in module.body if _sets_marks(node) for row in _rows(node)]
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            own = {row for decorator in node.decorator_list for row in _rows(decorator)}
            yield from ((node, row) for row in {*own, *rows_of_module})


def _sets_marks(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets)


def _rows(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"fault", "pytest.mark.fault"}:
            values = (argument.value for argument in node.args if isinstance(argument, ast.Constant))
            yield from (value for value in values if isinstance(value, int))


def _page(seen: set[Seen]) -> str:
    lines = []
    for number, row in ROWS.items():
        found = {one for one in seen if one.row == number}
        by_test = {test: sorted(one.exit for one in found if one.test == test) for test in {one.test for one in found}}
        codes = sorted({one.exit for one in found})
        tests = ", ".join(f"`{test}` ({', '.join(exits)})" for test, exits in sorted(by_test.items()))
        if found:
            right = ", ".join(_named(code) for code in row.exits)
            lines.append(f"| {number} | {row.fault} | {row.demand} | {right} | {', '.join(codes)} | {tests} |\n")
    return _HEAD + "".join(lines)


def _named(code: int) -> str:
    return "SIGKILL" if code == -9 else str(code)


def spelled(code: object) -> str:
    """An exit code as the page has it."""
    return _named(int(str(code)))
