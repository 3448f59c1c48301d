from __future__ import annotations

from pathlib import Path

import pytest

from recipekit import digests
from recipekit.audit.input_search import Shelves
from recipekit.audit.recorded_output import RecordedInput


def fill(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def wanted(role: str, digest: str, files: int, size: int, path: str = "models/m", name: str = "model") -> RecordedInput:
    algorithm = "sha256" if files == 1 and "tree" not in name else "dirHash1"
    return RecordedInput(role, name, algorithm, digest, files, size, path)


def test_a_file_is_found_by_its_digest_whatever_it_is_called(tmp_path: Path) -> None:
    fill(tmp_path, {"a/same_size": "abd", "b/renamed": "abc"})

    assert (
        Shelves([tmp_path]).find(wanted("model-source", digests.of_bytes(b"abc"), 1, 3)) == tmp_path / "b" / "renamed"
    )


def test_of_two_equal_files_the_one_with_the_old_name_is_taken(tmp_path: Path) -> None:
    fill(tmp_path, {"a": "abc", "z/m": "abc"})

    assert Shelves([tmp_path]).find(wanted("model-source", digests.of_bytes(b"abc"), 1, 3)) == tmp_path / "z" / "m"


def test_a_folder_is_found_by_the_digest_of_all_its_files(tmp_path: Path) -> None:
    fill(tmp_path, {"x/one": "1", "x/more/two": "22", "y/one": "1", "y/more/two": "21"})
    digest = digests.of_tree(tmp_path / "x")

    assert Shelves([tmp_path]).find(wanted("model-source", digest, 2, 3)) == tmp_path / "x"


def test_a_package_is_found_by_its_code_whatever_lies_beside_it(tmp_path: Path) -> None:
    fill(tmp_path, {"old/layers/__init__.py": "", "old/layers/a.py": "pass", "old/layers/notes": "x" * 50})
    code = {"__init__.py": digests.of_bytes(b""), "a.py": digests.of_bytes(b"pass")}
    found = Shelves([tmp_path]).find(wanted("custom-layer", digests.of_names(code), 2, 4, "layers", "layers.a"))

    assert found == tmp_path / "old" / "layers"


def test_a_link_and_a_file_of_other_content_are_not_taken(tmp_path: Path) -> None:
    fill(tmp_path / "shelf", {"other": "abd"})
    (tmp_path / "m").write_text("abc")
    (tmp_path / "shelf" / "m").symlink_to(tmp_path / "m")

    assert Shelves([tmp_path / "shelf"]).find(wanted("model-source", digests.of_bytes(b"abc"), 1, 3)) is None


@pytest.mark.parametrize(
    ("recorded", "places"),
    [
        ("data/points.npz", ["data/points.npz", "points.npz", "moved/points.npz"]),
        ("/srv/data/points.npz", ["data/points.npz", "points.npz", "moved/points.npz"]),
        ("data/*.npz", ["data/*.npz", "*.npz"]),
        ("pictures", ["moved/pictures"]),
        ("absent.npz", []),
    ],
)
def test_a_recorded_path_is_looked_for_by_its_end_and_then_by_its_name(
    tmp_path: Path, recorded: str, places: list[str]
) -> None:
    fill(tmp_path, dict.fromkeys(("data/points.npz", "points.npz", "moved/points.npz", "moved/pictures/cat"), ""))

    assert [path.relative_to(tmp_path).as_posix() for path in Shelves([tmp_path]).named(recorded)] == places


def test_no_shelf_holds_nothing() -> None:
    assert Shelves([]).find(wanted("model-source", "0" * 64, 1, 1)) is None
    assert list(Shelves([]).named("a/b")) == []
