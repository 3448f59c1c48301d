"""`docs/mlflow.md` keeps its word: its commands run as they stand."""

from __future__ import annotations

import os
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.standing import Standing, built
from tests.pages import ROOT, blocks, page

pytestmark = pytest.mark.slow


def test_the_page_s_commands_run(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    project = Standing(built(tmp_path_factory), tmp_path / "project").root
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "recipekit").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m recipekit.cli "$@"\n')
    (programs / "recipekit").chmod(0o755)
    (programs / "pip").symlink_to("/bin/true")  # the extra is there
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    env |= {"PATH": f"{programs}:{env['PATH']}", "PYTHONPATH": str(ROOT)}
    script = "set -euo pipefail\n" + "".join(blocks(page("mlflow.md"), "sh"))
    done = subprocess.run(["bash", "-c", script], cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("MLflow experiment 'boards': logged as run ")
    for store, runs in (("mlflow.db", 4), ("team.db", 1)):
        with sqlite3.connect(project / store) as opened:
            assert opened.execute("select count(*) from runs where status = 'FINISHED'").fetchone() == (runs,)
