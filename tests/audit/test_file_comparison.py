from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.artifacts.c_array import c_source
from recipekit.audit.file_comparison import compare_files, first_difference
from recipekit.contracts import BUILD_KEY_ENTRY

BUILD_KEY = BUILD_KEY_ENTRY.encode()
KEYS = "a" * 64, "b" * 64
ON_DISK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder: Path, recorded: bytes, now: bytes) -> tuple[Path, Path]:
    (folder / "recorded").write_bytes(recorded)
    (folder / "now").write_bytes(now)
    return folder / "recorded", folder / "now"


@ON_DISK
@given(st.binary(max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_the_first_difference_is_where_the_shared_beginning_ends(
    tmp_path: Path, shared: bytes, one: bytes, other: bytes
) -> None:
    before, after = shared + one, shared + other
    length = next(
        (at for at in range(min(len(before), len(after))) if before[at] != after[at]), min(len(before), len(after))
    )

    assert first_difference(*written(tmp_path, before, after)) == (None if before == after else length)


@pytest.mark.parametrize("at", [0, 1, 4095, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 5000])
def test_a_difference_far_inside_is_found_to_the_byte(tmp_path: Path, at: int) -> None:
    data = bytearray(3 << 19)
    other = bytearray(data)
    other[at] = 1

    assert first_difference(*written(tmp_path, bytes(data), bytes(other))) == at


def test_equal_files_are_the_same(tmp_path: Path) -> None:
    found = compare_files("model.tflite", *written(tmp_path, b"abc", b"abc"), KEYS)

    assert (found.same, found.offset, found.apart_from_key, found.recorded_size) == (True, None, False, 3)
    assert found.recorded_sha256 == found.now_sha256


def test_files_of_two_builds_are_the_same_but_for_the_keys_that_they_carry(tmp_path: Path) -> None:
    one, other = (b"TFL3.." + BUILD_KEY + b"\0" + key.encode() + b"weights" for key in KEYS)
    found = compare_files("model.tflite", *written(tmp_path, one, other), KEYS)

    assert (found.same, found.apart_from_key) == (True, True)


def test_a_key_is_not_overlooked_in_a_file_that_carries_none(tmp_path: Path) -> None:
    found = compare_files("model.tflite", *written(tmp_path, KEYS[0].encode(), KEYS[1].encode()), KEYS)

    assert (found.same, found.offset) == (False, 0)


def test_another_difference_is_not_overlooked_beside_the_key(tmp_path: Path) -> None:
    one, other = (BUILD_KEY + key.encode() + end for key, end in zip(KEYS, (b"x", b"y"), strict=True))
    found = compare_files("model.tflite", *written(tmp_path, one, other), KEYS)

    assert (found.same, found.offset) == (False, len(BUILD_KEY) + 64)


@pytest.mark.parametrize("before", range(16))
def test_the_key_in_a_c_array_is_set_aside_wherever_its_lines_break(tmp_path: Path, before: int) -> None:
    keys = "ab" * 32, "0f" * 32
    for name, key in zip(("old.cc", "new.cc"), keys, strict=True):
        data = bytes(before) + key.encode() + b"behind"
        (tmp_path / name).write_text(c_source("m_tflite", "m", key, "m.h", data))
    found = compare_files("model.cc", tmp_path / "old.cc", tmp_path / "new.cc", keys)
    assert (found.same, found.apart_from_key) == (True, True)
    (tmp_path / "new.cc").write_text((tmp_path / "new.cc").read_text().replace("_len = ", "_len = 1"))
    found = compare_files("model.cc", tmp_path / "old.cc", tmp_path / "new.cc", keys)
    assert found.offset == (tmp_path / "old.cc").read_text().index("_len = ") + len("_len = ")
