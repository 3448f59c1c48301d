"""Shell completion: what could be typed next, fast, and in the shells themselves."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recipekit.cli import main
from recipekit.cli.candidates import candidates
from recipekit.cli.dispatch import VERBS
from recipekit.errors import by_id
from recipekit.project import Project
from recipekit.registry import names
from tests.cli.typed_lines import STARTS, Shell
from tests.cli.verb_table import TABLE, verb_table
from tests.processor_time import spent_by

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def full(project: Project) -> Project:
    """The project with two outputs of a recipe and a sweep."""
    for version in ("1.0.0", "1.1.0"):
        output = project.outputs / "digits" / version / "0123456789ab"
        output.mkdir(parents=True)
        (output / "manifest.json").write_text("{}")
    (project.outputs / "digits" / "latest").symlink_to("1.1.0/0123456789ab")
    (project.outputs / "sweeps" / "s1").mkdir(parents=True)
    (project.outputs / "sweeps" / "s1" / "summary.json").write_text("[]")
    for sweep in ("20260101-000000-0a0a", "20260102-000000-0b0b"):
        (project.outputs / "sweeps" / sweep).mkdir()
        (project.outputs / "sweeps" / sweep / "sweep.json").write_text("{}")
    (project.outputs / ".store").mkdir()
    return project


def offered(line: str) -> set[str]:
    """Words for the end of a line; what stands between its spaces."""
    return {word for word, _ in candidates(line.split(" ")[1:])}


def test_the_table_is_what_the_parsers_know(update_goldens: bool) -> None:
    if update_goldens:
        TABLE.write_text(verb_table())
    assert TABLE.read_text() == verb_table()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("recipekit ", {*VERBS, "--help", "--version", "--debug"}),
        ("recipekit v", {"validate", "verify"}),
        ("recipekit zz", set()),
        ("recipekit --debug expl", {"explain"}),
        ("recipekit run --exp", {"--explain"}),
        ("recipekit run recipe=digits --re", {"--rebuild", "--resolve", "--recipes", "--resume"}),
        ("recipekit run --resume ", {"latest", "20260101-000000-0a0a", "20260102-000000-0b0b"}),
        ("recipekit run --resume=20260102", {"--resume=20260102-000000-0b0b"}),
        ("recipekit run --format ", {"text", "json"}),
        ("recipekit run --format=j", {"--format=json"}),
        ("recipekit export --format ", {"cyclonedx", "model-card"}),
        ("recipekit run --recipes ", {":files"}),
        ("recipekit cache ", {"info", "gc"}),
        ("recipekit completion ", {"bash", "zsh", "fish"}),
        ("recipekit explain RK31", {"RK311"}),
        ("recipekit explain ", set(by_id())),
        ("recipekit run recipe=", {"recipe=digits", "recipe=letters", "recipe=wrong"}),
        ("recipekit run -m recipe=digits,l", {"recipe=digits,letters"}),
        ("recipekit validate converter=int8,fl", {"converter=int8,float16"}),
        ("recipekit run boards=", {"boards=m4"}),
        ("recipekit run recipe=x conv", {"converter=", "converter."}),
        ("recipekit run ++conv", {"++converter=", "++converter."}),
        ("recipekit run ~acc", {"~acceptance", "~acceptance."}),
        ("recipekit run acceptance.par", {"acceptance.parity."}),
        ("recipekit run acceptance.parity.sqnr_db.", {f"acceptance.parity.sqnr_db.{it}=" for it in ("min", "max")}),
        ("recipekit run acceptance.task.top1", {"acceptance.task.top1_accuracy."}),
        ("recipekit run evaluation.metrics.f", {"evaluation.metrics.f1="}),
        ("recipekit run see", {"seed="}),
        ("recipekit run converter.inp", {"converter.input_type="}),
        ("recipekit run converter.ranges=", {"converter.ranges=min_max", "converter.ranges=moving_average"}),
        ("recipekit run source.kind=ker", {"source.kind=keras", "source.kind=keras_application"}),
        ("recipekit run source.load", {"source.loader="}),
        ("recipekit run artifacts.c_array=", {"artifacts.c_array=true", "artifacts.c_array=false"}),
        ("recipekit run evaluation.dataset.split=te", {"evaluation.dataset.split=test"}),
        ("recipekit run evaluation.dataset.plugin=", {f"evaluation.dataset.plugin={it}" for it in names("datasets")}),
        ("recipekit run nothing.like.this", set()),
        ("recipekit verify dig", {"digits/latest", "digits/", ":files"}),
        ("recipekit verify digits/1.0.0/", {"digits/1.0.0/0123456789ab", ":files"}),
        (
            "recipekit sign sweeps/",
            {"sweeps/s1", "sweeps/20260101-000000-0a0a", "sweeps/20260102-000000-0b0b", ":files"},
        ),
        ("recipekit inspect outputs/dig", {"outputs/digits/latest", "outputs/digits/", ":files"}),
        ("recipekit diff digits ", {"digits", "letters", "wrong", "digits/latest", "digits/", "sweeps/", ":files"}),
    ],
)
def test_a_line_gets_what_could_stand_there(line: str, words: set[str], full: Project) -> None:
    assert offered(line) == words


def test_every_key_of_the_first_level_is_offered(full: Project) -> None:
    assert {"recipe=", "seed=", "name=", "source=", "source.", "boards=", "acceptance."} <= offered("recipekit run ")


def test_a_recipes_folder_that_the_line_names_is_looked_into(full: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.yaml").write_text("name: far\n")
    assert offered("recipekit run --recipes elsewhere recipe=") == {"recipe=far"}
    assert offered("recipekit run --recipes=elsewhere recipe=") == {"recipe=far"}


def test_outside_of_a_project_keys_and_values_are_still_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("recipekit run recipe=") == set()
    assert offered("recipekit run converter.engine=ai") == {"converter.engine=ai_edge_quantizer"}


def test_a_line_is_split_as_a_shell_would(full: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for line, answer in [
        ("recipekit", "run"),
        ("recipekit run ", "recipe="),
        ("recipekit run 'converter.rules=[]' recipe=di", "recipe=digits"),
        ("recipekit run 'recipe=di", ""),
    ]:
        assert main(["completion", "--answer", "--line", line]) == 0
        words = [told.partition("\t")[0] for told in capsys.readouterr().out.splitlines()]
        assert (answer in words) if answer else words == []


@pytest.mark.parametrize("shell", STARTS)
def test_the_script_of_a_shell_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "completion --answer" in capsys.readouterr().out


@pytest.mark.slow
def test_an_answer_takes_no_longer_than_a_keystroke(full: Project) -> None:
    line = ["completion", "--answer", "--line", "recipekit run acceptance.par"]
    spent = spent_by(["-m", "recipekit.cli", *line], times=5)
    assert spent.out.startswith("acceptance.parity.\t")
    assert spent.seconds < 0.3


@pytest.fixture(params=STARTS)
def shell(request: pytest.FixtureRequest, full: Project, tmp_path: Path) -> Iterator[Shell]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    commands = tmp_path / "bin"
    commands.mkdir()
    script = (
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m recipekit.cli "$@"\n'
    )
    (commands / "recipekit").write_text(script)
    (commands / "recipekit").chmod(0o755)
    started = Shell(request.param, full.root, commands)
    yield started
    started.close()


@pytest.mark.slow
def test_a_shell_completes_words_keys_options_and_values(shell: Shell) -> None:
    for line, completed in [
        ("recipekit vali", "recipekit validate"),
        ("recipekit run recipe=di", "recipe=digits"),
        ("recipekit run acceptance.parity.sq", "acceptance.parity.sqnr_db."),
        ("recipekit run recipe=digits --exp", "--explain"),
        ("recipekit run converter.engine=ai", "converter.engine=ai_edge_quantizer"),
        ("recipekit verify digits/1.0", "digits/1.0.0/"),
    ]:
        assert completed in shell.tab(line, completed), line
