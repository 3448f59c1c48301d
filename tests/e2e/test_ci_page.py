"""`docs/ci.md` keeps its word: its commands run, its reports are read, its hook stops a commit in a real repository."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import junitparser
import pytest
import yaml

from recipekit.cli import main
from recipekit.outcome import WORST_FIRST
from tests.busyness import slowed
from tests.faults.standing import Standing, built
from tests.pages import ROOT, blocks, page

pytestmark = pytest.mark.slow

PAGE = page("ci.md")
GITHUB, GITLAB, HOOK = map(yaml.safe_load, blocks(PAGE, "yaml"))
STEPS = [step["run"] for step in GITHUB["jobs"]["convert"]["steps"] if "run" in step]


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Standing(built(tmp_path_factory), tmp_path / "project").root
    monkeypatch.chdir(root)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "RECIPEKIT_RECIPES"):
        monkeypatch.delenv(name, raising=False)
    return root


def commands(lines: list[str]) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in lines if line.startswith("recipekit ")]


def test_the_workflow_runs_and_leaves_reports_and_a_summary(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert [main(words) for words in commands(STEPS)] == [0, 0, 0, 0]
    found = {path.stem: junitparser.JUnitXml.fromfile(str(path)) for path in (project / "reports").glob("*.xml")}
    assert {name: (it.tests, it.failures, it.errors) for name, it in found.items()} == {
        "recipes": (1, 0, 0),
        "tiny": (2, 0, 0),
        "sweep": (4, 0, 0),
        "verified": (1, 0, 0),
    }
    summary = (tmp_path / "summary.md").read_text()
    assert re.findall(r"^## (\S+)", summary, re.MULTILINE) == ["recipekit", "tiny", "sweep", "recipekit"]


def test_the_pipeline_of_gitlab_runs(project: Path) -> None:
    assert [main(words) for words in commands(GITLAB["convert"]["script"])] == [0, 0]
    assert (project / "reports" / "tiny.md").read_text().startswith("## tiny\n")


def test_a_missed_bound_and_a_wrong_recipe_are_annotated_at_their_lines(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    recipe = project / "recipes" / "tiny.yaml"
    text = recipe.read_text()
    recipe.write_text(text.replace("min: 20", "min: 200"))
    assert main(["run", "recipe=tiny", "--junit", "j.xml", "--format", "json"]) == 3
    line = text.splitlines().index("acceptance: {parity: {sqnr_db: {min: 20}}}") + 1
    assert (
        f"::error file=recipes/tiny.yaml,line={line},title=fail::tiny: parity.sqnr_db.min is " in capfd.readouterr().err
    )
    recipe.write_text(text.replace("min: 20", "min: many"))
    for words in (["run", "recipe=tiny"], ["validate", "--all"], ["run", "-m", "recipe=tiny", "seed=1,2"]):
        assert main([*words, "--junit", "j.xml"]) == 2
        assert f"::error file=recipes/tiny.yaml,line={line},title=RK201" in capfd.readouterr().err
        assert sum(case.result != [] for suite in junitparser.JUnitXml.fromfile("j.xml") for case in suite) >= 1


def test_a_report_that_can_not_be_written_is_said_and_loses_nothing(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "recipe=tiny", "--junit", "/dev/null/j.xml"]) == 7
    said = capfd.readouterr()
    assert "error RK702: /dev/null" in said.err
    assert "accepted in" in said.out
    assert main(["run", "recipe=tiny", "--junit", "recipes"]) == 2
    assert main(["run", "recipe=tiny"]) == 0
    assert "already built" in capfd.readouterr().out


def test_an_altered_output_is_a_failure_of_its_verification(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (model,) = project.glob("outputs/tiny/0.9.0/*/model.tflite")
    model.write_bytes(model.read_bytes() + b"\n")
    assert main(["verify", str(model.parent), "--junit", "j.xml", "--github-annotations"]) == 6
    (suite,) = junitparser.JUnitXml.fromfile("j.xml")
    (case,) = suite
    assert "model.tflite" in case.result[0].message
    assert "::error title=RK601 outputs/tiny/0.9.0/" in capfd.readouterr().err


def test_the_exit_codes_of_the_page_are_the_program_s() -> None:
    table = [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)]
    assert table == sorted(WORST_FIRST)
    assert ", ".join(map(str, WORST_FIRST)) in PAGE


def test_the_page_s_hook_is_the_repository_s() -> None:
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (shown,) = HOOK["repos"][0]["hooks"]
    (hook,) = ours
    assert {key: value for key, value in hook.items() if key != "description"} == shown


class Repository:
    """A scratch git repository with the page's hook, and commits in it."""

    def __init__(self, root: Path, home: Path) -> None:
        self._root = root
        programs = home / "bin"
        programs.mkdir(parents=True)
        (programs / "recipekit").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m recipekit.cli "$@"\n')
        (programs / "recipekit").chmod(0o755)
        identity = {
            f"GIT_{role}_{part}": "me@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        self._env: dict[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **identity,
            "HOME": str(home),
            "PRE_COMMIT_HOME": str(home / "hooks"),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{programs}:{os.environ['PATH']}",
        }
        (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump(HOOK))
        self.run("git", "init", "--quiet")
        self.run(sys.executable, "-m", "pre_commit", "install")

    def run(self, *command: str) -> Any:
        return subprocess.run(command, cwd=self._root, env=self._env, capture_output=True, text=True, check=False)

    def commit(self, *files: str) -> tuple[int, str]:
        self.run("git", "add", *files)
        done = self.run("git", "commit", "--message", "x")
        return done.returncode, done.stdout + done.stderr


def test_the_hook_stops_a_commit_of_an_option_that_breaks_a_recipe(project: Path, tmp_path: Path) -> None:
    repository = Repository(project, tmp_path / "home")
    option = project / "recipes" / "acceptance" / "strict.yaml"
    option.parent.mkdir()
    option.write_text("size: {bytes: {max: 99999}}\n")
    recipe = project / "recipes" / "tiny.yaml"
    recipe.write_text(recipe.read_text().replace("  - _self_", "  - /acceptance: strict\n  - _self_"))
    code, said = repository.commit(".pre-commit-config.yaml", "recipes")
    assert code == 0, said
    assert "validate recipes" in said
    option.write_text("size: {bytes: {max: small}}\n")
    started = time.monotonic()
    code, said = repository.commit("recipes")
    assert time.monotonic() - started < 10 * slowed()
    assert code == 1
    assert "invalid tiny" in said
    assert "recipes/acceptance/strict.yaml:1: 'acceptance.size.bytes.max' must be a number" in said
    (project / "notes.txt").write_text("no recipe\n")
    repository.run("git", "reset", "--quiet")
    assert repository.commit("notes.txt")[0] == 0
