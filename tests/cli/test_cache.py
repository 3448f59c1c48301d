"""`cache`: what the stage store holds, and what of it goes."""

from __future__ import annotations

import json
import os
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from recipekit.cli.cache import main
from recipekit.cli.dispatch import main as command_line
from recipekit.errors import ProjectError, UsageError
from recipekit.project import Project
from recipekit.store import Store
from tests.cli.test_dispatch import modules_after
from tests.store.small_entries import key_of, put

DAY = 86400


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECIPEKIT_STORE", raising=False)


@pytest.fixture
def store(project: Project, tmp_path: Path) -> Store:
    """Two lowered models and a loaded one of 2 KiB; the first was unused for 40 days."""
    store = Store(project.store)
    with store.lease() as lease:
        put(lease, tmp_path, 1)
        put(lease, tmp_path, 2)
        put(lease, tmp_path, 3, bytes(2048), stage="load")
    then = time.time() - 40 * DAY
    os.utime(project.store / key_of(1)[:2] / key_of(1) / "entry.json", (then, then))
    return store


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_info_says_where_and_how_much_a_stage(
    project: Project, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    info = store.info()
    document = said(capsys, "info")
    assert document["store"] == str(project.store)
    assert (document["entries"], document["bytes"]) == (3, info.bytes)
    assert document["stages"] == {
        "load": {"entries": 1, "bytes": info.stages["load"].bytes},
        "lower": {"entries": 2, "bytes": info.stages["lower"].bytes},
    }
    assert document["oldest_use"] < document["newest_use"]
    assert document["oldest_use"].endswith("+00:00")


def test_the_text_says_the_same(project: Project, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"store    {project.store}"
    assert lines[1] == "entries  3"
    assert lines[-2].startswith("  load        1  2.")
    assert lines[-1].startswith("  lower       2  1.")
    assert lines[-1].endswith(" KiB")


def test_a_store_that_is_not_there_yet_is_empty(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    document = said(capsys, "info")
    assert (document["entries"], document["stages"], document["oldest_use"]) == (0, {}, None)
    assert main(["info"]) == 0
    assert capsys.readouterr().out == f"store    {project.store}\nentries  0\nsize     0 B\n"
    assert said(capsys, "gc")["removed_entries"] == 0
    assert not project.store.exists()


def test_gc_removes_what_was_unused_for_thirty_days(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc"]) == 0
    assert capsys.readouterr().out.startswith("removed 1 entry, ")
    assert store.info().entries == 2


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--older-than", "41d"], 3),
        (["--older-than", "5w"], 2),
        (["--older-than", "0s"], 0),
        (["--max-size", "1GiB"], 3),
        (["--max-size", "3KiB"], 1),
        (["--max-size", "0B"], 0),
        (["--max-size", "1GB", "--older-than", "959.5h"], 2),
    ],
)
def test_gc_keeps_the_limits(store: Store, arguments: list[str], left: int, capsys: pytest.CaptureFixture[str]) -> None:
    done = said(capsys, "gc", *arguments)
    assert done["removed_entries"] == 3 - left
    assert store.info().entries == left


def test_a_dry_run_removes_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "gc", "--dry-run", "--max-size", "0B")["dry_run"] is True
    assert main(["gc", "--dry-run", "--max-size", "0B"]) == 0
    assert capsys.readouterr().out.startswith("would remove 3 entries, ")
    assert store.info().entries == 3


def test_what_is_in_use_stays_and_is_counted(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with store.lease() as lease:
        lease.find(key_of(3))
        assert main(["gc", "--older-than", "0s"]) == 0
    assert capsys.readouterr().out.endswith("; kept 1 in use\n")
    assert store.info().entries == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--older-than", value) for value in ("30", "d", "-1d", "1y", "1D", "1e9d", "", "nand", "1.d", "1d2h")),
        *(("--max-size", value) for value in ("10", "GiB", "-1B", "1TB", "1gib", "inf", "", "9" * 400 + "B")),
    ],
)
def test_nonsense_is_a_usage_error_that_says_what_to_write(project: Project, option: str, value: str) -> None:
    with pytest.raises(UsageError, match=r"expected a (duration|size) such as") as caught:
        main(["gc", f"{option}={value}"])
    assert option in caught.value.what


@pytest.mark.parametrize("arguments", [[], ["clear"], ["gc", "recipe=digits"], ["info", "gc"]])
def test_cache_takes_one_of_two_actions(project: Project, arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        main(arguments)


@pytest.mark.parametrize("option", [["--older-than", "1d"], ["--max-size", "1B"], ["--dry-run"]])
def test_info_removes_nothing_and_so_takes_no_limits(project: Project, option: list[str]) -> None:
    with pytest.raises(UsageError, match="belong to gc"):
        main(["info", *option])


def test_outside_of_a_project_there_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectError):
        main(["info"])


def test_the_example_of_the_help_works(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    (example,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("example: recipekit "))
    assert command_line(shlex.split(example)[2:]) == 0


def test_cache_imports_nothing_heavy(project: Project) -> None:
    heavy = {"hydra", "omegaconf", "jsonschema", "rich", "numpy", "tensorflow", "tf_keras", "keras", "ai_edge_litert"}
    assert not modules_after(project.root, "cache", "info") & heavy
