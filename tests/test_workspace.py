"""A build's folder goes with a success, stays after a failure until the next build, and is safe while it lives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recipekit.errors import ConversionError, OutputFault
from recipekit.workspace import workspace


def left(outputs: Path) -> set[str]:
    """Whatever is below the work folders."""
    return {path.name for path in (outputs / ".work").glob("*/*")}


def test_a_success_leaves_nothing(tmp_path: Path) -> None:
    with workspace(tmp_path / "outputs", "digits") as work:
        folder = work.folder
        (folder / "00-load").mkdir()
        (folder / "00-load" / "log.txt").write_text("loaded")
        assert folder.parent == tmp_path / "outputs" / ".work" / "digits"
    assert left(tmp_path / "outputs") == set()


def end(outputs: Path, name: str, error: BaseException) -> Path:
    """The folder of a build that ended with an error after it had written something."""
    seen: list[Path] = []

    def build() -> None:
        with workspace(outputs, name) as work:
            folder = work.folder
            seen.append(folder)
            (folder / "request.json").write_text("{}")
            raise error

    with pytest.raises(type(error)):
        build()
    return seen[0]


def fail(outputs: Path, name: str) -> Path:
    return end(outputs, name, ConversionError("refused"))


def test_a_failure_leaves_its_folder_until_the_next_build_of_the_same_recipe(tmp_path: Path) -> None:
    failed = fail(tmp_path, "digits")
    assert (failed / "request.json").read_text() == "{}"
    with workspace(tmp_path, "other") as work:
        assert work.folder.is_dir()
        assert failed.exists()
    with workspace(tmp_path, "digits") as work:
        assert work.folder.is_dir()
        assert not failed.exists()
    assert left(tmp_path) == set()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interruption_or_a_defect_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    end(tmp_path, "digits", error())
    assert left(tmp_path) == set()


def test_a_live_build_keeps_its_folder_while_another_one_begins(tmp_path: Path) -> None:
    with workspace(tmp_path, "digits") as first:
        (first.folder / "mine").write_text("still here")
        with workspace(tmp_path, "digits") as second:
            assert first.folder != second.folder
            assert (first.folder / "mine").read_text() == "still here"
        assert (first.folder / "mine").exists()
    assert left(tmp_path) == set()


def test_a_build_that_needs_no_folder_makes_none(tmp_path: Path) -> None:
    with workspace(tmp_path, "digits"):
        pass
    assert not list(tmp_path.iterdir())


def test_threads_share_the_folder(tmp_path: Path) -> None:
    with workspace(tmp_path, "digits") as work, ThreadPoolExecutor(8) as threads:
        folders = set(threads.map(lambda _: work.folder, range(64)))
        assert len(folders) == 1
    assert left(tmp_path) == set()


@pytest.mark.slow
def test_builds_of_one_recipe_may_begin_and_end_at_the_same_time(tmp_path: Path) -> None:
    def build(number: int) -> None:
        with workspace(tmp_path, "digits") as work:
            for part in range(8):
                (work.folder / f"{part}").mkdir()
                (work.folder / f"{part}" / "request.json").write_text(str(number))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(build, range(200)))
    assert left(tmp_path) == set()


def test_a_folder_that_cannot_be_made_is_a_fault_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file in the way")
    with workspace(tmp_path / "outputs", "digits") as work, pytest.raises(OutputFault) as caught:
        assert work.folder
    assert str(tmp_path / "outputs") in caught.value.where
