"""Real outputs, signed by the run that made them, and a sweep of them: verified whole, and no change overlooked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recipekit.audit.sweep_verification import verify_sweep
from recipekit.signing.checking import Trust
from tests.built_models import built_once
from tests.e2e.conftest import recipekit
from tests.signing_keys import write_keys

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which a sweep of three was run and signed; one child is rejected, one has no output."""
    project = tmp_path_factory.mktemp("swept") / "project"
    shutil.copytree(built_once("tiny_classifier", tmp_path_factory), project)
    write_keys(project)
    bounds = "acceptance.size.bytes.max=1,1000000"
    done = recipekit(project, ["run", "-m", "recipe=tiny", bounds, "--sign", "--key", "key.priv.pem"])
    assert done.returncode == 3, done.stdout + done.stderr
    return project


@pytest.fixture
def project(swept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(swept, tmp_path / "project", symlinks=True))


def sweep_of(project: Path) -> Path:
    (folder,) = (project / "outputs" / "sweeps").iterdir()
    return folder


def verify(project: Path, name: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = recipekit(project, ["verify", name, *arguments, "--format", "json"])
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_sweep_and_the_outputs_of_its_children_are_whole_and_signed(project: Path) -> None:
    code, found = verify(project, str(sweep_of(project)), "--key", "key.pub.pem", "--require-signature")
    assert (code, [entry["differences"] for entry in found]) == (0, [[], [], []])
    assert [entry["verdict"] for entry in found] == ["", "rejected", "accepted"]
    assert found[0]["notes"] == ["2 children, 2 of them with an output"]
    assert all(report["verified"] for entry in found[1:] for report in entry["signatures"])


def test_a_run_that_finds_its_output_signs_it_and_finds_it_again(project: Path) -> None:
    write_keys(project, "second")
    again = ["run", "recipe=tiny", "acceptance.size.bytes.max=1000000"]
    done = recipekit(project, [*again, "--sign", "--oms", "--key", "second.priv.pem"])
    assert (done.returncode, "already built, accepted" in done.stdout) == (0, True), done.stdout + done.stderr
    _, (found,) = verify(project, "tiny/latest", "--key", "key.pub.pem")
    assert [difference["place"] for difference in found["differences"]] == ["model.sig"], "one key's alone"
    assert [entry["verified"] for entry in found["signatures"]] == [True, False, False]
    assert verify(project, "tiny/latest", "--key", "second.pub.pem", "--require-signature")[0] == 0
    assert "already built, accepted" in recipekit(project, again).stdout


def another_verdict(folder: Path) -> None:
    rows = json.loads((folder / "summary.json").read_text())
    rows[0] |= {"verdict": "accepted", "exit_code": 0}
    (folder / "summary.json").write_text(json.dumps(rows))


def another_table(folder: Path) -> None:
    text = (folder / "summary.csv").read_text()
    (folder / "summary.csv").write_text(text.replace("rejected", "accepted"))


def another_size(folder: Path) -> None:
    outcome = json.loads((folder / "0" / "outcome.json").read_text())
    outcome["measurement"]["size"] = 5
    (folder / "0" / "outcome.json").write_text(json.dumps(outcome))


def no_outcome(folder: Path) -> None:
    (folder / "1" / "outcome.json").unlink()


def no_table(folder: Path) -> None:
    (folder / "summary.csv").unlink()


def junk(folder: Path) -> None:
    (folder / "summary.json").write_text('[{"number": 1, "number": 2}]')


def another_shape(folder: Path) -> None:
    (folder / "summary.json").write_text("[1]")


def another_model(folder: Path) -> None:
    rows = json.loads((folder / "summary.json").read_text())
    (folder / rows[1]["output"] / "model.tflite").write_bytes(b"x")


@pytest.mark.parametrize(
    ("alter", "place"),
    [
        (another_verdict, "summary.json child 0 verdict"),
        (another_table, "summary.csv line 2"),
        (another_size, "summary.json child 0 size"),
        (no_outcome, "1/outcome.json"),
        (no_table, "summary.csv"),
        (junk, "summary.json"),
        (another_shape, "summary.json"),
        (another_model, "model.tflite"),
    ],
)
def test_a_summary_that_says_something_else_than_its_children_is_named(
    project: Path, alter: Callable[[Path], None], place: str
) -> None:
    assert all(entry.differences == () for entry in verify_sweep(sweep_of(project), Trust()))
    alter(sweep_of(project))
    found = verify_sweep(sweep_of(project), Trust())
    assert max(entry.exit_code for entry in found) == 6
    assert place in {difference.place for entry in found for difference in entry.differences}
