from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from recipekit.audit.installed_files import check_installed


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site folder with one distribution of two files, a script outside and byte code."""
    (tmp_path / "bottle").mkdir()
    info = tmp_path / "bottle_of_test-1.0.dist-info"
    info.mkdir()
    files = {
        "bottle/__init__.py": b"full = True\n",
        "bottle/data.bin": bytes(100),
        f"{info.name}/METADATA": b"Name: x\n",
    }
    lines = [
        "../../bin/bottle,sha256=never,3",
        "bottle/__pycache__/__init__.cpython-311.pyc,,",
        f"{info.name}/RECORD,,",
    ]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    (info / "RECORD").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_files_as_they_were_installed_pass(site: Path) -> None:
    found = check_installed(["bottle-of-test"])

    assert (found.packages, found.files, found.altered) == (1, 3, ())


def test_an_edited_and_a_missing_file_are_named(site: Path) -> None:
    (site / "bottle" / "__init__.py").write_text("full = False\n")
    (site / "bottle" / "data.bin").unlink()

    edited, missing = check_installed(["bottle-of-test"]).altered

    assert edited.startswith("bottle-of-test: bottle/__init__.py: sha256 ")
    assert missing == "bottle-of-test: bottle/data.bin: is missing"


def test_a_package_that_is_not_installed_has_no_files() -> None:
    assert check_installed(["no-such-package-here"]).files == 0


def test_a_real_package_is_as_it_was_installed() -> None:
    found = check_installed(["packaging"])

    assert found.files > 10
    assert found.altered == ()
