"""Start-up is mostly imports: each command imports the libraries that it needs and no other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recipekit.cli.dispatch import VERBS
from recipekit.project import Project
from tests.built_models import built_once

pytestmark = pytest.mark.slow

DUMP = """
import atexit, json, sys
def dump():
    found = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__spec__", None)}
    with open(sys.argv[1], "w") as file:
        json.dump(sorted(found - set(sys.stdlib_module_names)), file)
atexit.register(dump)
"""
COMMAND = DUMP + "from recipekit.cli import main\nsys.exit(main(sys.argv[2:]))"

RECORDS = {"msgspec", "typing_extensions"}  # the second is imported by the first
YAML = {"yaml"}
HYDRA = {"hydra", "hydra_plugins", "omegaconf", "antlr4", "packaging", "attr"}
SCHEMAS = {"jsonschema_rs"}
COMPOSE = RECORDS | YAML | HYDRA | SCHEMAS
RUN = COMPOSE | {"rich", "psutil", "rfc8785"}
VERIFY = RUN - HYDRA - {"rich"} | {"packaging"}  # which versions of packages are asked for

ALLOWED: dict[str, set[str]] = {
    "": set(),
    "--help": set(),
    "--version": set(),
    "list": RECORDS | YAML,
    "show recipe=digits": COMPOSE,
    "validate recipe=digits": COMPOSE,
    "validate --all": COMPOSE,
    "cache info": RECORDS | {"rfc8785"},
    "cache gc": RECORDS | {"rfc8785"},
    "verify outputs": VERIFY,
    "sign --help": VERIFY,
    "run --help": RUN,
    "lint --help": RUN,
    "reproduce --help": RUN,
    "inspect --help": RUN,
    "diff --help": RUN,
    "diff digits digits": RUN,
    "export --help": RUN,
    "report --help": RUN,
    "run recipe=digits --cfg job": RUN,
    "run --resume latest": RUN,
    "completion bash": RECORDS,
    "completion --answer -- run acceptance.par": RECORDS,
    "schema": RECORDS | YAML,
    "schema --editor": RECORDS | YAML,
    "explain RK304": RECORDS,
    "explain": RECORDS,
    "init --help": RUN,
    "doctor --help": RUN,
}
"""Libraries that a command may import, by their top-level names; none of those that models or arrays need."""


def imported(folder: Path, script: str, *arguments: str) -> set[str]:
    """Top-level names of the libraries that a fresh process has imported when it ends."""
    report = folder / "imported.json"
    command = [sys.executable, "-c", script, str(report), *arguments]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    found: list[str] = json.loads(report.read_text())
    return set(found)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What an interpreter here imports on its own account."""
    return imported(tmp_path_factory.mktemp("bare"), DUMP)


@pytest.mark.parametrize("line", ALLOWED)
def test_a_command_imports_what_it_needs_and_no_more(project: Project, bare: set[str], line: str) -> None:
    (project.recipes / "wrong.yaml").unlink()  # to word its faults takes another library
    found = imported(project.root, COMMAND, *line.split()) - bare
    assert "recipekit" in found
    assert found - {"recipekit"} <= ALLOWED[line]


def test_every_command_is_measured() -> None:
    assert {line.split()[0] for line in ALLOWED if line and not line.startswith("-")} == set(VERBS)


def test_an_import_too_many_would_be_seen(project: Project, bare: set[str]) -> None:
    found = imported(project.root, COMMAND.replace("sys.exit", "import jinja2; sys.exit"), "--help") - bare
    assert "jinja2" in found - ALLOWED["--help"]


@pytest.mark.tensorflow
def test_a_run_that_finds_its_output_imports_no_more(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, bare: set[str]
) -> None:
    tiny = Path(shutil.copytree(built_once("tiny_classifier", tmp_path_factory), tmp_path / "tiny"))
    command = [sys.executable, "-m", "recipekit.cli", "run", "recipe=tiny"]
    assert subprocess.run(command, cwd=tiny, capture_output=True, timeout=300, check=False).returncode == 0
    found = imported(tiny, COMMAND, "run", "recipe=tiny") - bare
    assert found - {"recipekit"} <= RUN
