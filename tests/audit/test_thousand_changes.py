"""A thousand random changes to a signed output, each of them found."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from recipekit import manifest as manifests
from recipekit.audit.verification import verify_output
from recipekit.signing.checking import Trust
from recipekit.signing.keys import load_private, load_public
from recipekit.signing.signer import sign_output
from tests.signing_keys import write_keys

CHANGES = 1000
FROM_EVERY_FILE = 300
HIDDEN = [
    ".git/config",
    ".gitignore",
    ".gitattributes",
    ".github/x",
    ".DS_Store",
    "logs/.x",
    "model.tflite~",
    "a b",
    "ü",
]

Random = random.Random
Tree = dict[str, bytes]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def content(folder: Path) -> Tree:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files(folder)}


def restore(folder: Path, tree: Tree) -> None:
    shutil.rmtree(folder)
    for name, data in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def flip(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
    path.write_bytes(data)


def insert(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    data = bytearray(path.read_bytes())
    data.insert(draw.randrange(len(data) + 1), draw.randrange(33, 256))
    path.write_bytes(data)


def truncate(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    os.truncate(path, draw.randrange(path.stat().st_size))


def append(folder: Path, draw: Random) -> None:
    with draw.choice(files(folder)).open("ab") as stream:
        stream.write(draw.choice([b"\n", b" ", b"\0", b"{}\n", draw.randbytes(9)]))


def append_itself(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    path.write_bytes(path.read_bytes() * 2)


def delete_a_line(folder: Path, draw: Random) -> None:
    path = draw.choice([path for path in files(folder) if b"\n" in path.read_bytes()])
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[draw.randrange(len(lines))]
    path.write_bytes(b"".join(lines))


def delete(folder: Path, draw: Random) -> None:
    draw.choice(files(folder)).unlink()


def rename(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    path.rename(draw.choice([path.with_suffix(".bak"), folder / f"x{path.name}", folder / "logs" / f"x{path.name}"]))


def swap(folder: Path, draw: Random) -> None:
    one, other = draw.sample(files(folder), 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def overwrite(folder: Path, draw: Random) -> None:
    one, other = draw.sample(files(folder), 2)
    other.write_bytes(one.read_bytes())


def add(folder: Path, draw: Random) -> None:
    path = folder / draw.choice(HIDDEN)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(draw.randbytes(draw.randrange(3)))


def add_a_folder(folder: Path, draw: Random) -> None:
    (folder / draw.choice(["empty", ".git", "logs/more"])).mkdir()


def link(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    elsewhere = folder.parent / "elsewhere"
    elsewhere.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(elsewhere)


def add_a_link(folder: Path, draw: Random) -> None:
    (folder / draw.choice([".link", "link.tflite"])).symlink_to(draw.choice(files(folder)))


def another_kind(folder: Path, draw: Random) -> None:
    path = draw.choice(files(folder))
    path.unlink()
    draw.choice([os.mkfifo, os.mkdir])(path)


OPERATIONS = (
    insert,
    truncate,
    append,
    append_itself,
    delete_a_line,
    delete,
    rename,
    swap,
    overwrite,
    add,
    add_a_folder,
    link,
    add_a_link,
    another_kind,
)


@pytest.fixture
def signed(output: Path, tmp_path: Path) -> tuple[Path, Trust]:
    private, public = write_keys(tmp_path)
    sign_output(output, load_private(private, str))
    return output, Trust((load_public(public),), required=True)


@pytest.mark.slow
@pytest.mark.fault(47)
def test_a_thousand_random_changes_are_all_found(
    signed: tuple[Path, Trust], record_property: Callable[[str, object], None]
) -> None:
    output, trust = signed
    before = content(output)
    assert verify_output(output, trust).differences == ()
    draw = Random(20260101)
    found: Counter[str] = Counter()
    codes = set()
    for number in range(CHANGES):
        change = flip if number < FROM_EVERY_FILE else draw.choice(OPERATIONS)
        change(output, draw)
        verification = verify_output(output, trust)
        assert verification.differences, f"change {number}, {change.__name__}, was not found"
        codes.add(verification.exit_code)
        found[change.__name__] += 1
        restore(output, before)
    record_property("exit", codes.pop())
    assert not codes
    assert found.total() == CHANGES
    assert len(found) == 1 + len(OPERATIONS)
    assert verify_output(output, trust).differences == ()


@pytest.mark.fault(47)
def test_every_single_byte_of_an_unsigned_output_but_of_its_manifest_counts(
    output: Path, record_property: Callable[[str, object], None]
) -> None:
    draw = Random(7)
    codes = set()
    for path in (path for path in files(output) if path.name != manifests.FILE):
        before = path.read_bytes()
        for place in {0, len(before) - 1, *(draw.randrange(len(before)) for _ in range(10))}:
            data = bytearray(before)
            data[place] ^= draw.randrange(1, 256)
            path.write_bytes(data)
            found = verify_output(output)
            assert [difference.place for difference in found.differences] == [path.relative_to(output).as_posix()]
            codes.add(found.exit_code)
        path.write_bytes(before)
    record_property("exit", codes.pop())
    assert not codes
    assert verify_output(output).differences == ()


def test_modes_and_times_are_no_content(signed: tuple[Path, Trust]) -> None:
    output, trust = signed
    for path in files(output):
        path.chmod(0o400)
        os.utime(path, (0, 0))
    assert verify_output(output, trust).differences == ()
