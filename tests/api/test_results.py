"""Results of outputs as a run publishes them: what they answer, what they raise, how they show themselves."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

import recipekit
from recipekit.api.progress import Follower
from recipekit.api.results import RunResult, SweepResult
from recipekit.api.shown import Shown
from recipekit.build import Job
from recipekit.contracts import Progress as Reached
from recipekit.errors import ConversionError, OutputAltered, UsageError
from recipekit.metrics import flat_metrics
from recipekit.outcome import Failure, Outcome
from recipekit.project import Project
from recipekit.publication import read_outcome
from recipekit.recipe import parse
from tests.whole_outputs import MEASUREMENT, RECIPE, publish


def result(root: Path, sqnr_db: float = 20.25) -> RunResult:
    """A run that found its output; it is rejected below 15 dB."""
    folder = publish(root, sqnr_db=sqnr_db)
    recipes = root / "recipes"
    project = Project(root=root, recipes=recipes, outputs=root / "outputs")
    job = Job(project, parse(RECIPE, root, lambda _: ""), "digits", ("seed=1",), recipes / "digits.yaml", ())
    return RunResult(read_outcome(folder, job, 0.5, 0))


@pytest.fixture
def accepted(tmp_path: Path) -> RunResult:
    return result(tmp_path)


@pytest.fixture
def rejected(tmp_path: Path) -> RunResult:
    return result(tmp_path, sqnr_db=3.5)


FAILED = RunResult(
    Outcome(
        recipe="digits",
        overrides=("converter=int8",),
        number=2,
        status="failed",
        seconds=1.0,
        failure=Failure.of(ConversionError("the converter | refused", where="load", fix="mend it")),
    )
)


def test_an_accepted_run_answers_with_verdict_metrics_and_paths(accepted: RunResult) -> None:
    assert accepted.accepted
    assert accepted.require_accepted() is accepted
    assert (accepted.verdict, accepted.exit_code, accepted.failed_checks) == ("accepted", 0, ())
    assert accepted.metrics["parity.sqnr_db"] == 20.25
    assert all(path.is_file() for path in (accepted.model, accepted.report, accepted.manifest, accepted.results))
    assert accepted.measurement.size == accepted.model.stat().st_size


def test_a_result_cannot_be_changed(accepted: RunResult) -> None:
    with pytest.raises(AttributeError):
        accepted.outcome = FAILED.outcome  # type: ignore[misc]
    with pytest.raises(AttributeError):
        accepted.checks[0].value = 1  # type: ignore[misc]


def test_every_metric_has_the_name_of_its_bound() -> None:
    metrics = flat_metrics(MEASUREMENT)
    assert metrics["task.top1_accuracy"] == 0.95
    assert metrics["task.top1_accuracy.float"] == 0.97
    assert metrics["task.top1_accuracy.drop"] == pytest.approx(0.02)
    assert metrics["latency.ratio"] == 1.2
    assert metrics["size.ratio"] == MEASUREMENT.size / 8000


def test_of_several_outputs_the_worst_counts() -> None:
    logits = MEASUREMENT.parity["logits"]
    other = msgspec.structs.replace(logits, sqnr_db=9.0, max_abs_error=0.1)
    metrics = flat_metrics(msgspec.structs.replace(MEASUREMENT, parity={"logits": logits, "other": other}))
    assert (metrics["parity.sqnr_db"], metrics["parity.max_abs_error"]) == (9.0, 0.25)


def test_whoever_insists_on_a_rejected_model_is_told_every_check(rejected: RunResult) -> None:
    assert (rejected.verdict, rejected.exit_code) == ("rejected", 3)
    assert [check.name for check in rejected.failed_checks] == ["parity.sqnr_db.min"]
    with pytest.raises(
        recipekit.NotAccepted, match=r"parity.sqnr_db.min: got 3.5, the bound is 15.0 \(fail\)"
    ) as caught:
        rejected.require_accepted()
    assert caught.value.exit_code == rejected.exit_code


def test_a_child_without_output_raises_its_own_failure() -> None:
    assert (FAILED.verdict, FAILED.metrics, FAILED.exit_code) == ("failed", {}, 4)
    for use in (lambda: FAILED.model, lambda: FAILED.measurement, FAILED.require_accepted):
        with pytest.raises(ConversionError, match=r"load: the converter | refused\n  fix: mend it"):
            use()


def test_a_sweep_is_its_children(tmp_path: Path, accepted: RunResult) -> None:
    sweep = SweepResult(tmp_path, (accepted, FAILED))
    assert len(sweep) == 2
    assert list(sweep) == [accepted, FAILED]
    assert sweep[1] is FAILED
    assert sweep.accepted == (accepted,)
    assert sweep.exit_code == 4
    with pytest.raises(ConversionError):
        sweep.require_accepted()
    assert [(row["verdict"], row.get("size.bytes")) for row in sweep.rows()] == [
        ("accepted", accepted.measurement.size),
        ("failed", None),
    ]


def test_what_is_printed_of_a_result_is_a_line(accepted: RunResult, tmp_path: Path) -> None:
    assert re.fullmatch(r"RunResult\(digits seed=1: accepted, \S+/outputs/digits/1\.0\.0/\w{12}\)", repr(accepted))
    assert repr(FAILED) == "RunResult(digits converter=int8: failed, RK401)"
    assert repr(SweepResult(tmp_path, (FAILED,))) == f"SweepResult(0 of 1 accepted, {tmp_path})"


def test_a_run_shows_its_verdict_and_every_check(rejected: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rejected.output.parents[3])
    html, markdown = rejected._repr_html_(), rejected._repr_markdown_()
    link = rejected.report.relative_to(Path.cwd()).as_posix()
    assert f'<a href="{link}"' in html
    assert f"[report](<{link}>)" in markdown
    assert '<strong class="bad">✕ Rejected</strong>' in html
    for check in rejected.checks:
        assert f"<td>{check.name}</td>" in html
        assert f"| {check.name} | " in markdown
    assert "<script" not in html


def test_a_report_that_lies_elsewhere_is_linked_by_its_uri(accepted: RunResult, elsewhere: Path) -> None:
    assert f'<a href="{accepted.report.as_uri()}"' in accepted._repr_html_()


def test_what_failed_shows_why_and_bars_break_no_table(tmp_path: Path) -> None:
    assert "RK401: the converter | refused" in FAILED._repr_html_()
    sweep = SweepResult(tmp_path, (FAILED,))
    (row,) = [line for line in sweep._repr_markdown_().splitlines() if "RK401" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 8


def test_text_of_a_stranger_is_no_markup() -> None:
    outcome = msgspec.structs.replace(FAILED.outcome, overrides=("description=<script>alert(1)</script>",))
    assert "<script" not in RunResult(outcome)._repr_html_()


def test_recipes_show_their_values_and_their_faults(project: Project) -> None:
    shown: list[Shown] = [
        recipekit.show("digits", project=project.root),
        recipekit.validate("wrong", project=project.root),
        recipekit.validate("digits", project=project.root),
    ]
    values, faults, warnings = (it._repr_html_() for it in shown)
    assert "<td>converter.quantization</td>" in values
    assert "packaged converter/none.yaml:1" in values
    assert "unknown key &#39;acceptence&#39;" in faults
    assert "✕ fail" in faults
    assert "✓ pass" in warnings
    assert "sets no bound" in warnings


def test_an_output_verifies_until_it_is_altered(tmp_path: Path, elsewhere: Path) -> None:
    folder = publish(tmp_path)
    result = recipekit.verify("digits/latest", project=tmp_path)
    assert result.require_verified() is result
    assert "✓ pass" in result._repr_html_()
    (folder / "model.tflite").write_bytes(b"other")
    altered = recipekit.verify(folder)
    assert (altered.verified, altered.exit_code) == (False, 6)
    with pytest.raises(OutputAltered, match=r"model\.tflite"):
        altered.require_verified()
    with pytest.raises(UsageError, match="can't be required without a key"):
        recipekit.verify(folder, require_signature=True)


def test_two_recipes_are_compared_by_name(project: Project) -> None:
    found = recipekit.diff("digits", "letters", project=project.root)
    assert found.found
    assert {change.name for change in found.changes} == {"description"}
    assert "<td>description</td>" in found._repr_html_()
    assert not recipekit.diff("digits", "digits", project=project.root).found


def test_events_go_to_the_function_and_lines_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[recipekit.Progress] = []
    for follow in (events.append, True, False):
        watcher = Follower(follow)
        watcher.started("load")
        watcher.progress("load", Reached(done=3, total=4, unit="samples"))
        watcher.finished("load", 1.5, "keras3")
        watcher.found("lower", 0.25, "")
        watcher.warning("few samples")
    assert [event.kind for event in events] == ["started", "progress", "finished", "found", "warning"]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (
        "",
        "finished  load  1.50 s  keras3\nfound  lower  0.25 s\nwarning  few samples\n",
    )


def test_of_a_sweep_its_children_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = Follower(True, child=2)
    watcher.finished("load", 1.5, "keras3")
    watcher.ended(FAILED.outcome)
    assert capsys.readouterr().err == "[2] ended  1.00 s  failed digits converter=int8\n"
