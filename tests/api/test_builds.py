"""Real builds by functions: from another folder, in a thread, beside a running event loop, several in one process."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import recipekit
from recipekit.errors import DatasetError
from tests.built_models import built_once
from tests.installation import remembered

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


@pytest.fixture(autouse=True)
def installation() -> Iterator[None]:
    """The installation stays as it is from run to run."""
    with remembered():
        yield


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny project; what one test builds the next one finds."""
    folder = tmp_path_factory.mktemp("api") / "tiny"
    return Path(shutil.copytree(built_once("tiny_classifier", tmp_path_factory), folder))


def test_a_run_gives_its_result_and_the_next_one_finds_it(
    tiny: Path, elsewhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    events: list[recipekit.Progress] = []
    first = recipekit.run("tiny", project=tiny, progress=events.append)
    assert first.require_accepted() is first
    assert first.model.is_file()
    assert first.output.is_relative_to(tiny / "outputs")
    assert first.metrics["task.top1_accuracy"] > 0.9
    assert {"load", "quantize", "measure"} <= {event.stage for event in events if event.kind == "finished"}
    again = recipekit.run("tiny", project=tiny)
    assert again.outcome.already_built
    assert (again.output, again.checks) == (first.output, first.checks)
    assert capfd.readouterr() == ("", "")
    assert list(elsewhere.iterdir()) == []


def test_a_rejected_model_is_a_result(tiny: Path, elsewhere: Path) -> None:
    result = recipekit.run("tiny", overrides=["acceptance.size.bytes.max=10"], project=tiny)
    assert (result.verdict, result.exit_code) == ("rejected", 3)
    with pytest.raises(recipekit.NotAccepted, match=r"size\.bytes\.max"):
        result.require_accepted()


def test_what_keeps_a_recipe_from_an_output_is_raised(tiny: Path, elsewhere: Path) -> None:
    with pytest.raises(DatasetError, match="expected 500, got 60"):
        recipekit.run("tiny", overrides=["evaluation.dataset.samples=500"], project=tiny)


def test_a_sweep_gives_every_child_and_one_that_fails_is_a_result(tiny: Path, elsewhere: Path) -> None:
    children: list[recipekit.Progress] = []
    sweep = recipekit.sweep(
        "tiny", overrides=["evaluation.dataset.samples=60,500,40"], project=tiny, progress=children.append
    )
    assert [run.verdict for run in sweep] == ["accepted", "failed", "accepted"]
    assert sweep.exit_code == 5
    assert sorted(event.child or 0 for event in children if event.kind == "ended") == [0, 1, 2]
    assert sweep[1].failure is not None
    with pytest.raises(DatasetError, match="expected 500, got 60"):
        sweep[1].require_accepted()
    best = min(sweep.accepted, key=lambda run: run.metrics["size.bytes"])
    assert best.model.is_file()
    assert sweep.report.is_file()
    assert sweep._repr_html_().count("✓ Accepted") == 2


def test_an_output_is_inspected_verified_and_compared(tiny: Path, elsewhere: Path) -> None:
    run = recipekit.run("tiny", project=tiny)
    report = recipekit.inspect(run.model, project=tiny).report
    assert report.origin is not None
    assert (Path(report.origin.output), report.origin.state) == (run.output, "unaltered")
    assert "FULLY_CONNECTED" in recipekit.inspect(run.output)._repr_html_()
    assert recipekit.verify("tiny/latest", project=tiny).verified
    other = recipekit.run("tiny", overrides=["converter=float16"], project=tiny)
    found = recipekit.diff(run.output, other.output, project=tiny)
    assert {"converter.quantization"} <= {change.name for change in found.changes}


def test_an_output_is_reproduced(tiny: Path, elsewhere: Path) -> None:
    run = recipekit.run("tiny", project=tiny)
    again = recipekit.reproduce(run.output)
    assert (again.identical, again.exit_code) == (True, 0)


def test_samples_are_looked_at_alone(tiny: Path, elsewhere: Path) -> None:
    found = recipekit.lint_samples("tiny", project=tiny)
    assert found.clean
    assert found.report.samples == {"calibration": 120, "evaluation": 60}


def test_a_run_in_a_thread_beside_an_event_loop_and_another_run(tiny: Path, elsewhere: Path) -> None:
    """Two runs of one project at once, as from two cells that don't wait."""

    async def both() -> list[recipekit.RunResult]:
        runs = (
            asyncio.to_thread(recipekit.run, "tiny", overrides=[f"evaluation.dataset.samples={n}"], project=tiny)
            for n in (50, 55)
        )
        return await asyncio.gather(*runs)

    first, second = asyncio.run(both())
    assert first.require_accepted().output != second.require_accepted().output
    threads = threading.active_count()
    asyncio.run(both())
    assert threading.active_count() <= threads


def test_a_script_from_standard_input_runs_a_recipe(tiny: Path, elsewhere: Path) -> None:
    """`__main__` has no file there, as in a notebook; a worker never imports it."""
    script = f"import recipekit\nprint(recipekit.run('tiny', project={str(tiny)!r}, progress=True).verdict)\n"
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout == "accepted\n"
    assert "survey-evaluation" in done.stderr
