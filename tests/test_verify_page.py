"""The page about verifying keeps its word: its commands and its code run, in its order, and say what it shows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recipekit.cli import main
from tests.pages import ROOT, blocks, page
from tests.whole_outputs import publish

PAGE = page("verify.md")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an output, one that was altered, and the commands that the page calls on the path."""
    folder = tmp_path_factory.mktemp("page")
    altered = shutil.copytree(publish(folder), folder / "altered")
    (altered / ".gitignore").write_text("")
    with (altered / "model.tflite").open("ab") as stream:
        stream.write(b"\n")
    (folder / "bin").mkdir()
    for name, module in (("recipekit", "recipekit.cli"), ("model_signing", "model_signing")):
        (folder / "bin" / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        (folder / "bin" / name).chmod(0o755)
    (folder / "bin" / "pip").symlink_to("/bin/true")  # the extras are there
    return folder


def shell(project: Path, here: Path, script: str) -> str:
    line = ["bash", "-euo", "pipefail", "-c", f'PATH="{project}/bin:$PATH"; cd "{here}"\n{script}']
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_print_what_the_page_shows(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    for block, code in zip(blocks(PAGE, "console"), (0, 6), strict=True):
        command, _, printed = block.removeprefix("$ ").partition("\n")
        assert main(shlex.split(command)[1:]) == code
        said = capsys.readouterr()
        assert re.sub(r"/[0-9a-f]{12}:", "/KEY:", said.out + said.err) == re.sub(r"/[0-9a-f]{12}:", "/KEY:", printed)


@pytest.mark.slow
def test_what_the_page_signs_is_verified_as_the_page_says(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    signing, openssl, library = blocks(PAGE, "sh")
    said = shell(project, project, signing + "recipekit sign digits/latest --key priv.pem --oms\n")
    assert ": verified" in said
    output = project / "outputs" / "digits" / "latest"
    openssl = openssl.replace("/tmp/", f"{project}/").replace(" pub.pem", f" {project}/pub.pem")
    library = library.replace(" pub.pem", f" {project}/pub.pem")
    said = shell(project, output, openssl)
    assert said.startswith("Verified OK\n")
    assert "Verification succeeded" in shell(project, output, library)
    (code,) = blocks(PAGE, "python")
    code = code.replace('"pub.pem"', repr(str(project / "pub.pem")))
    done = subprocess.run([sys.executable, "-c", code], cwd=output, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [
        "https://slsa.dev/provenance/v1 ",
        "https://in-toto.io/attestation/test-result/v0.1 PASSED",
    ]
