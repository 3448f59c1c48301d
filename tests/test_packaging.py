"""What is shipped: the wheel holds the whole package and nothing else; the lock pins by hash and names no index."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "recipekit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == package


def test_the_floors_that_matter_for_security_are_in_the_metadata(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]

    def allows(package: str, version: str, python: str) -> bool:
        environment = {"python_version": python, "extra": ""}
        return all(
            requirement.specifier.contains(version)
            for requirement in requirements
            if requirement.name == package and (not requirement.marker or requirement.marker.evaluate(environment))
        )

    assert not allows("hydra-core", "1.3.7", "3.11")
    assert allows("hydra-core", "1.3.8", "3.11")
    assert not allows("hydra-core", "1.4.0", "3.11")
    assert not allows("keras", "3.15.0", "3.11")
    assert allows("keras", "3.15.1", "3.13")
    assert not allows("keras", "3.12.3", "3.10")
    assert metadata["Requires-Python"] == "<3.14,>=3.10"
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_lock_pins_every_package_by_hash_and_names_no_index() -> None:
    lock = (ROOT / ".lock" / "requirements.txt").read_text()
    pins = re.findall(r"^[a-z0-9][^\s=]*==", lock, re.MULTILINE)
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins) > 50
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
