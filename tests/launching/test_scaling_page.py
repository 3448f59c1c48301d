"""docs/scaling.md: its commands run, and its table of launchers and faults is the one that the contract test writes.

Ray is the head of the other tests here; that a command without an address starts one of its own is said and tried by
docs/ray.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.standing import Standing, built
from tests.launching.test_contract import GOLDEN
from tests.pages import DOCS, page, run_page

TEXT = page("scaling.md")


def test_the_table_is_what_the_contract_test_has_seen() -> None:
    shown = re.search(r"<!-- launchers: begin -->\n(.*)<!-- launchers: end -->", TEXT, re.DOTALL)
    assert shown is not None
    assert shown[1] == GOLDEN.read_text()


def test_every_page_that_it_names_is_there() -> None:
    assert {name for name in re.findall(r"\]\((\w+\.md)\)", TEXT) if not (DOCS / name).is_file()} == set()


@pytest.mark.slow
def test_the_commands_give_every_child_an_output_and_the_same_one_by_any_launcher(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, ray_variables: Mapping[str, str]
) -> None:
    project = Standing(built(tmp_path_factory), tmp_path / "project").root
    (project / "shared").mkdir()
    run_page(TEXT, project, {"RECIPEKIT_SHARED_STORE": f"file://{project}/shared", **ray_variables})
    keys: dict[tuple[str, ...], set[str]] = {}
    for path in (project / "outputs" / "sweeps").glob("*/summary.json"):
        for row in json.loads(path.read_text()):
            assert row["verdict"] == "accepted"
            keys.setdefault(tuple(row["overrides"]), set()).add(row["build_key"])
    assert {overrides for overrides, found in keys.items() if len(found) > 1} == set()
    assert keys.keys() >= {("seed=1",), ("seed=2",), ("seed=3",), ("seed=4",)}
    assert any((project / "shared").iterdir())
