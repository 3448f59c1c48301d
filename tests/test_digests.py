"""Digests name content: the same content has one name, wherever and in whatever order it was written."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit import digests
from recipekit.errors import SourceError
from tests.properties import at_most

INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ASCII_JSON = st.recursive(
    INTEGERS
    | st.floats(-1e16, 1e16)
    | st.integers(-100, 100).map(lambda tenths: tenths / 10)
    | st.text(st.characters(max_codepoint=127)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4)
    ),
    max_leaves=12,
)
"""What most records hold: no text beyond ASCII, everyday numbers."""

NAMES = st.text("abcXYZ019-_ é", min_size=1, max_size=6).filter(lambda name: name.strip() == name)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map(
        lambda parts: "/".join([*(f"d{part}" for part in parts[:-1]), parts[-1]])
    ),
    st.binary(max_size=20),
    min_size=1,
    max_size=6,
)


def reordered(value: Any) -> Any:
    """An equal value whose mappings were filled the other way round."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def write(folder: Path, files: list[tuple[str, bytes]]) -> Path:
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@given(JSON)
def test_canonical_json_depends_on_the_value_alone(value: Any) -> None:
    assert digests.canonical_json(reordered(value)) == digests.canonical_json(value)
    assert digests.of_json(reordered(value)) == digests.of_json(value)


@given(JSON)
def test_canonical_json_is_json_of_the_same_value(value: Any) -> None:
    text = digests.canonical_json(value)
    assert (
        json.loads(text, parse_int=lambda digits: int(digits) if abs(int(digits)) < 2**53 else float(digits)) == value
    )


@given(JSON | ASCII_JSON)
def test_canonical_json_has_the_bytes_of_the_reference_library(value: Any) -> None:
    assert digests.canonical_json(value) == rfc8785.dumps(value)


@given(JSON | ASCII_JSON)
def test_pretty_json_is_that_of_the_standard_library(value: Any) -> None:
    expected = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert digests.pretty_json(value) == expected


def test_canonical_json_is_that_of_rfc_8785() -> None:
    value = {"b": [1.0, 1e21, 0.000001, -0.0], "a": "é\u20ac\n", "": None}
    assert digests.canonical_json(value) == '{"":null,"a":"é€\\n","b":[1,1e+21,0.000001,0]}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: "a"}, {"a": object()}, b"bytes", "\ud800"])
def test_what_json_cannot_hold_has_no_digest(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        digests.of_json(value)


@given(JSON)
def test_pretty_json_is_sorted_and_reads_back(value: Any) -> None:
    text = digests.pretty_json(value)
    assert json.loads(text) == value
    assert text == digests.pretty_json(reordered(value))
    assert text.endswith("\n")


def test_pretty_json_refuses_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digests.pretty_json([float("nan")])


@given(st.binary(max_size=100))
def test_a_file_and_its_bytes_have_one_digest(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "f")
        path.write_bytes(data)
        assert digests.of_file(path) == digests.of_bytes(data)


def test_a_file_longer_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    data = random.Random(0).randbytes((2 << 20) + 3)
    (tmp_path / "f").write_bytes(data)
    assert digests.of_file(tmp_path / "f") == digests.of_bytes(data)


def storable(tree: dict[str, bytes]) -> bool:
    """Whether no name is a folder of another one."""
    return not any(other.startswith(f"{name}/") for name in tree for other in tree)


@settings(max_examples=at_most(40))
@given(TREES.filter(storable), st.randoms(use_true_random=False))
def test_a_tree_is_named_by_content_and_not_by_place_order_or_times(tree: dict[str, bytes], rng: random.Random) -> None:
    shuffled = list(tree.items())
    rng.shuffle(shuffled)
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        first = write(Path(one), list(tree.items()))
        second = write(Path(other, "deeper", "down"), shuffled)
        for path in digests.files_below(second):
            os.utime(path, (1, 1))
            path.chmod(0o600)
        (second / "empty").mkdir()
        assert digests.of_tree(first) == digests.of_tree(second)


@settings(max_examples=at_most(40))
@given(TREES.filter(storable), st.data())
def test_a_tree_has_another_name_after_any_byte_rename_or_removal(tree: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(tree)))
    with TemporaryDirectory() as folder:
        root = write(Path(folder), list(tree.items()))
        before, path = digests.of_tree(root), root / name
        content = path.read_bytes()
        position = data.draw(st.integers(0, len(content)))
        path.write_bytes(content[:position] + b"\x01" + content[position:])
        assert digests.of_tree(root) != before
        path.write_bytes(content)
        assert digests.of_tree(root) == before
        path.rename(path.with_name("renamed"))
        assert digests.of_tree(root) != before
        path.with_name("renamed").unlink()
        assert digests.of_tree(root) != before


def test_files_are_found_in_a_fixed_order(tmp_path: Path) -> None:
    write(tmp_path, [("b/z", b""), ("a", b""), ("b/a", b""), (".hidden", b"")])
    assert [path.relative_to(tmp_path).as_posix() for path in digests.files_below(tmp_path)] == [
        ".hidden",
        "a",
        "b/a",
        "b/z",
    ]


def link_to_file(path: Path) -> None:
    path.symlink_to("data.bin")


def link_to_folder(path: Path) -> None:
    path.symlink_to(".")


def link_to_nothing(path: Path) -> None:
    path.symlink_to("gone")


@pytest.mark.parametrize("plant", [link_to_file, link_to_folder, link_to_nothing, os.mkfifo])
def test_a_tree_with_anything_but_files_is_refused_by_name(tmp_path: Path, plant: Any) -> None:
    write(tmp_path, [("data.bin", b"x"), ("sub/other.bin", b"y")])
    plant(tmp_path / "sub" / "odd")
    with pytest.raises(SourceError) as caught:
        digests.of_tree(tmp_path)
    assert caught.value.where == str(tmp_path / "sub" / "odd")


def test_a_tree_digest_does_not_need_the_folder_it_was_made_in(tmp_path: Path) -> None:
    write(tmp_path / "one", [("a/b", b"1"), ("c", b"2")])
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert digests.of_tree(tmp_path / "one") == digests.of_tree(tmp_path / "two")


def test_a_tree_has_the_name_that_the_shell_gives_it(tmp_path: Path) -> None:
    """The pipeline by which in-toto explains `dirHash1`."""
    for name in ("b", "a.txt", "a/inner", "a-b", "é"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    pipeline = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum | cut -f1 -d' '"
    shell = subprocess.run(["sh", "-c", pipeline], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert digests.of_tree(tmp_path) == shell.stdout.strip()


@pytest.mark.parametrize("name", ["two\nlines", "not\udcffutf8"])
def test_a_name_that_a_line_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="can't be pinned"):
        digests.of_names({name: "0" * 64})
