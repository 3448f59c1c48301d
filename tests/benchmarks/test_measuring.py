import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.measuring import Command, CommandFailed, run, tree_mib


@pytest.fixture
def block() -> int:
    """MiB; more than a process starts with, which is the most that its parent ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10 + 64


ALLOCATE = "block = bytearray({mib} << 20)"


def python(code: str, folder: Path) -> Command:
    return Command((sys.executable, "-S", "-E", "-c", code), folder)


def test_seconds_are_wall_clock_and_add_up(tmp_path: Path) -> None:
    nap = python("import time; time.sleep(0.05)", tmp_path)

    used = run([nap, nap], tmp_path / "log")

    assert 0.1 <= used.seconds < 5


def test_a_command_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)exit code 3 .*what went wrong"):
        run([python("print('what went wrong'); raise SystemExit(3)", tmp_path)], tmp_path / "log")


def test_a_command_runs_in_its_folder_without_variables_that_steer_recipekit_or_cost_it_its_byte_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECIPEKIT_RECIPES", "elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "here").mkdir()
    said = "os.path.basename(os.getcwd()), os.environ.get('RECIPEKIT_RECIPES'), sys.dont_write_bytecode"
    code = f"import os, sys; print({said})"

    run([python(code, tmp_path / "here")], tmp_path / "log")

    assert (tmp_path / "log").read_text().split() == ["here", "None", "False"]


@pytest.mark.slow
def test_the_largest_process_may_be_a_descendant(tmp_path: Path, block: int) -> None:
    child = ALLOCATE.format(mib=block)
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {child!r}])"

    small = run([python("", tmp_path)], tmp_path / "log")
    large = run([python(code, tmp_path)], tmp_path / "log")

    assert small.largest_mib < block <= large.largest_mib


def test_the_memory_of_a_tree_is_that_of_all_its_processes() -> None:
    hold = "import sys; block = bytearray(32 << 20); print('ready', flush=True); sys.stdin.read()"
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-S', '-c', {hold!r}]); {hold}; p.wait()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", code], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"ready\n", b"ready\n"]
        used = tree_mib(process.pid)
        process.communicate()

    assert 64 <= used < 160


def test_the_peak_of_a_tree_is_noted_while_it_runs(tmp_path: Path) -> None:
    assert run([python("import time; time.sleep(0.3)", tmp_path)], tmp_path / "log", sample_memory=True).tree_mib > 0


def test_memory_is_sampled_only_when_asked_for(tmp_path: Path) -> None:
    assert run([python("", tmp_path)], tmp_path / "log").tree_mib == 0.0


@pytest.mark.slow
def test_several_commands_have_the_peak_of_the_largest(tmp_path: Path, block: int) -> None:
    used = run([python(ALLOCATE.format(mib=block), tmp_path), python("", tmp_path)], tmp_path / "log")

    assert block <= used.largest_mib < 2 * block


def test_a_tree_that_has_ended_uses_nothing() -> None:
    assert tree_mib(os.getpid()) > 1
    assert tree_mib(2**22 + 1) == 0.0  # beyond the largest process id of Linux
