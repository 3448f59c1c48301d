"""docs/artifacts.md keeps its word: its stanzas are recipes that are accepted, its code and commands run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recipekit.audit.verification import verify_output
from tests.artifacts.keyword_project import needs_vela, write_project
from tests.e2e.conftest import recipekit
from tests.pages import blocks, page

pytestmark = pytest.mark.slow

PAGE = page("artifacts.md")
STANZAS = [yaml.safe_load(block) for block in blocks(PAGE, "yaml")]


@needs_vela
def test_the_stanzas_are_accepted_and_the_page_s_code_and_commands_run(tmp_path: Path) -> None:
    for number, stanza in enumerate(STANZAS):
        project = tmp_path / str(number)
        write_project(project, **stanza)
        done = recipekit(project, ["run", "recipe=keyword"])
        assert done.returncode == 0, done.stdout + done.stderr
    project = tmp_path / "0"
    files = {file.name for file in (project / "outputs" / "keyword" / "latest").iterdir()}
    table = PAGE.partition("| key | files |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([\w.]+\.\w+)`", table)) <= files
    test, install = (shlex.split(block.removeprefix("$ ")) for block in blocks(PAGE, "console"))
    assert install[-1] == "recipekit[vela]"
    plain = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run([sys.executable, *test[1:]], cwd=project, env=plain, check=True)
    assert verify_output((project / "outputs" / "keyword" / "latest").resolve()).differences == ()
    (code,) = blocks(PAGE, "python")
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=project, check=True, capture_output=True, text=True
    ).stdout
    assert printed.splitlines()[0].endswith("scores int8")
    assert len(printed.splitlines()) == 8
    output = project / "outputs" / "keyword" / "latest"
    (resolver,) = blocks(PAGE, "cpp")
    (check,) = blocks(PAGE, "c")
    header = (output / "model_op_resolver.h").read_text()
    for name in ("namespace keyword_ops {", "using OpResolver", "RegisterOps(OpResolver& resolver)"):
        assert name in header
    assert "keyword_ops::RegisterOps(resolver);" in resolver
    assert "extern const unsigned char keyword_tflite[];" in (output / "model.h").read_text()
    assert check.partition("= ")[2].strip() in (output / "golden_vectors.h").read_text()
