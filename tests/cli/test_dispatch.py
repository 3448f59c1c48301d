"""The door: verbs, help at once, errors as one message with an exit code, and completion that knows the verbs."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import recipekit
from recipekit.cli import dispatch as cli
from recipekit.cli import main
from recipekit.cli.interruption import Terminated
from recipekit.errors import ConversionError, OutputAltered
from recipekit.project import Project
from tests.cli.conftest import Command
from tests.processor_time import spent_by

HEAVY = {
    "hydra",
    "omegaconf",
    "jsonschema",
    "jsonschema_rs",
    "yaml",
    "msgspec",
    "rich",
    "numpy",
    "tensorflow",
    "keras",
    "ai_edge_litert",
}
"""What must not be imported before a verb is known."""

LOADED = "import json, sys; from recipekit.cli import main; main({}); print(json.dumps(sorted(sys.modules)))"


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def modules_after(root: Path, *arguments: str) -> set[str]:
    """Top-level modules that a fresh process has imported after a command."""
    script = LOADED.format(list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_verb_with_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 0
    page = capsys.readouterr().out
    assert all(re.search(rf"^  {verb} +\w", page, re.MULTILINE) for verb in cli.VERBS)
    assert "example: recipekit run" in page


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    assert not modules_after(tmp_path, "--help") & HEAVY


@pytest.mark.slow
def test_help_answers_at_once(project: Project) -> None:
    spent = spent_by(["-m", "recipekit.cli", "--help"], project.root)
    assert spent.seconds < 0.1  # 0.03 on a machine of its own


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["validate", "list", "show"])
def test_verbs_that_only_read_import_no_framework(project: Project, verb: str) -> None:
    arguments = [verb] if verb == "list" else [verb, "recipe=digits"]
    loaded = modules_after(project.root, *arguments)
    assert not loaded & {"numpy", "tensorflow", "tf_keras", "keras", "ai_edge_litert", "PIL", "sklearn"}


def test_list_needs_no_hydra(project: Project) -> None:
    assert not modules_after(project.root, "list") & {"hydra", "omegaconf", "jsonschema", "jsonschema_rs"}


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_its_own_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([verb, "--help"])
    assert caught.value.code == 0
    page = capsys.readouterr().out
    assert f"example: recipekit {verb}" in page


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"recipekit {recipekit.__version__}\n"


@pytest.mark.parametrize(("typed", "meant"), [("valdate", "validate"), ("rum", "run"), ("--cfg", "")])
def test_an_unknown_verb_gets_the_nearest(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([typed]) == 2
    told = capsys.readouterr().err
    assert f"there is no command '{typed}'" in told
    assert (f"did you mean '{meant}'?" in told) is bool(meant)
    assert "use one of init, doctor, list, show" in told


@pytest.mark.parametrize(
    "arguments", [["list", "--frmt", "json"], ["validate", "--all", "--format", "xml"], ["show", "-x"]]
)
def test_an_unknown_option_is_a_usage_error(
    project: Project, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert f"see recipekit {arguments[0]} --help" in capsys.readouterr().err


def test_no_project_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["list"]) == 2


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(importlib.import_module("recipekit.cli.list"), "main", fail)


@pytest.mark.parametrize(("error", "code"), [(ConversionError("refused"), 4), (OutputAltered("changed"), 6)])
def test_an_expected_error_is_one_message_with_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(error, monkeypatch)
    assert cli.main(["list"]) == code
    told = capsys.readouterr().err
    assert told.startswith(f"error {error.id}: ")  # type: ignore[attr-defined]
    assert "Traceback" not in told


@pytest.mark.parametrize("position", [0, 1])
def test_debug_adds_the_traceback_wherever_it_stands(
    position: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(ConversionError("refused"), monkeypatch)
    arguments = ["list"]
    arguments.insert(position, "--debug")
    assert cli.main(arguments) == 4
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "error RK401: refused" in told


def test_a_defect_is_reported_with_a_file_and_not_dumped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    raising(ZeroDivisionError("by zero"), monkeypatch)
    assert cli.main(["list"]) == 1
    told = capsys.readouterr().err
    assert "error RK100: a defect of recipekit: ZeroDivisionError: by zero" in told
    assert "Traceback" not in told
    (log,) = tmp_path.glob("recipekit-*.log")
    assert str(log) in told
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_an_interruption_has_its_own_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(error, monkeypatch)
    assert cli.main(["list"]) == code
    assert "published nothing" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["recipekit", "recipekit.cli"])
def test_the_package_and_its_command_line_run_as_modules(module: str, project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "validate", "recipe=digits"],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "valid   digits\n")
    refused = subprocess.run([sys.executable, "-m", module, "rnu"], capture_output=True, timeout=60, check=False)
    assert refused.returncode == 2


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_defect(closed: str, project: Project) -> None:
    command = f"{shlex.quote(sys.executable)} -m recipekit.cli"
    line = f"{command} list {closed} && {command} show recipe=digits {closed} && {command} inspect no.keras {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=project.root, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"RK100" not in done.stderr
    assert (b"RK101" in done.stderr) == (closed == ">&-")


def test_a_reader_that_has_gone_ends_the_command_quietly(project: Project) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "recipekit.cli", "list"],
            cwd=project.root,
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("arguments", ["--help", "list"])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_behind_stdout_is_told_as_that(project: Project, arguments: str, buffered: bool) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, *([] if buffered else ["-u"]), "-m", "recipekit.cli", arguments],
            cwd=project.root,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, "RK702: stdout: can't be written: No space left" in done.stderr) == (7, True)
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_a_command_without_stdout_does_its_work(project: Project, closed: str) -> None:
    line = f"'{sys.executable}' -m recipekit.cli validate recipe=digits {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=project.root, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert ("sets no bound" in done.stderr) == ("2>&-" not in closed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("recipekit ", set(cli.VERBS)),
        ("recipekit v", {"validate", "verify"}),
        ("recipekit zz", set()),
        ("recipekit run recipe=di", {"recipe=digits"}),
        ("recipekit validate recipe=", {"recipe=digits", "recipe=letters", "recipe=wrong"}),
        (
            "recipekit run recipe=digits converter=int",
            {
                "converter=int8",
                "converter=int16x8",
                "converter=int8_float_fallback",
                "converter=int16x8_float_fallback",
            },
        ),
    ],
)
def test_completion_offers_verbs_and_then_what_hydra_knows(command: Command, line: str, offered: set[str]) -> None:
    done = command("-sc", "query=bash", COMP_LINE=line, COMP_POINT=str(len(line)), COMP_CWORD="1")
    assert done.returncode == 0
    assert set(done.stdout.split()) == offered


@pytest.mark.slow
def test_completion_can_be_installed(command: Command) -> None:
    done = command("-sc", "install=bash")
    assert done.returncode == 0
    assert "complete " in done.stdout


def test_completion_looks_into_the_recipes_folder_that_the_line_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far_away.yaml").write_text("name: far_away\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMP_LINE", "recipekit recipe=far")
    assert main(["run", "--recipes", "elsewhere", "-sc", "query=bash"]) == 0
    assert "recipe=far_away" in capsys.readouterr().out
