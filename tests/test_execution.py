"""Stages on demand: found where the store has them, made once where it hasn't, and kept only if they ended well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipekit import digests
from recipekit.contracts import SURVEY, Progress, SampleSet, SurveyRequest
from recipekit.errors import DatasetError, PluginError, RecipekitError, SourceChanged
from recipekit.execution import Execution
from recipekit.explanation import History
from recipekit.graph import Node
from recipekit.inputs import pin
from recipekit.pool import Pool
from recipekit.store import Lease, Store
from recipekit.surroundings import Surroundings
from recipekit.workspace import Workspace
from tests.installation import remembered
from tests.readings import dataset_spec
from tests.small_builds import ENVIRONMENT

FACTORY = """
import time
from pathlib import Path
import numpy as np

def samples(count, seconds=0.0):
    with Path(__file__).with_name("runs").open("a") as runs:
        runs.write(f"{count}\\n")
    time.sleep(seconds)
    if count == 13:
        raise ValueError("unlucky")
    if count == 14:
        from recipekit.errors import DatasetError
        raise DatasetError("fourteen", where="evaluation.dataset")
    return [np.full(2, index, np.float32) for index in range(count)]
"""


class Told:
    """Writes down what an execution tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.expected: list[float] = []

    def started(self, step: str) -> None:
        self.lines.append(f"started {step}")

    def finished(self, step: str, seconds: float, note: str) -> None:
        self.lines.append(f"finished {step} {note}")

    def progress(self, step: str, progress: Progress) -> None:
        if progress.seconds_before is not None:
            self.lines.append(f"expected {step}")
            self.expected.append(progress.seconds_before)

    def found(self, step: str, seconds: float, note: str) -> None:
        self.lines.append(f"found {step} {note}")

    def warning(self, text: str) -> None:
        self.lines.append(f"warning {text}")


class Bench:
    """A project with a dataset that counts how often it is read, and executions on its store."""

    def __init__(self, root: Path, pool: Pool) -> None:
        self.root = root
        self.pool = pool
        self.store = Store(root / "store")
        self.surroundings = Surroundings(root)
        self.surroundings.__dict__["environment"] = ENVIRONMENT
        self.told = Told()
        (root / "counted.py").write_text(FACTORY)

    def runs(self) -> list[int]:
        """The counts of samples of each reading so far."""
        file = self.root / "runs"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def node(self, count: int, *needs: Node, label: str = "survey", seconds: float = 0.0, **more: Any) -> Node:
        dataset = dataset_spec(
            "python",
            self.root,
            params={"factory": "counted.py:samples", "kwargs": {"count": count, "seconds": seconds}},
        )
        given: dict[str, Any] = {"inputs": {"count": count}, "dataset": "evaluation.dataset", **more}
        return Node(
            alias=label,
            stage=SURVEY,
            surroundings=self.surroundings,
            needs=needs,
            request=lambda _: SurveyRequest(dataset=dataset),
            note=lambda read: f"{read.count} samples",
            **given,
        )

    def execution(self, lease: Lease | None) -> Execution:
        work = Workspace(self.root / "work")
        return Execution(self.pool, self.surroundings, lease, work, self.told, History(self.root / "history.json"))

    def demand(self, *nodes: Node) -> tuple[SampleSet, ...]:
        """One execution from its beginning to its end."""
        with self.store.lease() as lease:
            execution = self.execution(lease)
            records = execution.demand(*nodes)
            execution.remember()
            return records


@pytest.fixture(scope="module")
def litert() -> Iterator[Pool]:
    with Pool(litert=2) as pool:
        yield pool


@pytest.fixture
def bench(tmp_path: Path, litert: Pool) -> Iterator[Bench]:
    with remembered():
        yield Bench(tmp_path, litert)


def test_what_was_made_once_is_found_and_starts_no_worker(bench: Bench) -> None:
    (made,) = bench.demand(bench.node(3))
    with Pool() as fresh:
        bench.pool = fresh
        (found,) = bench.demand(bench.node(3))
        assert fresh.pid("litert") is None
    assert bench.runs() == [3]
    assert found == made
    assert bench.told.lines == ["started survey", "finished survey 3 samples", "found survey 3 samples"]


def test_a_stage_that_runs_again_is_expected_to_take_as_long_as_it_did_in_the_build_before(bench: Bench) -> None:
    bench.demand(bench.node(3, seconds=0.2))
    bench.demand(bench.node(4))
    assert bench.told.lines[2:] == ["started survey", "expected survey", "finished survey 4 samples"]
    assert bench.told.expected[0] > 0.2


def test_a_stage_reports_the_digest_of_its_files_kept_or_not_and_none_where_they_differ_each_time(bench: Bench) -> None:
    unsteady = bench.node(3, label="unsteady")
    unsteady = replace(unsteady, stage=unsteady.stage._replace(repeats=False), inputs={"unsteady": True})
    reported = []
    with bench.store.lease() as lease:
        for kept in (lease, lease, None):
            execution = bench.execution(kept)
            execution.demand(bench.node(3), unsteady)
            reported.append({label: report.files for label, report in execution.reports.items()})
    assert bench.runs().count(3) == 4
    assert reported[0]["survey"] == digests.of_tree(Path(bench.demand(bench.node(3))[0].path).parent)
    assert reported[0]["unsteady"] == ""
    assert reported[1] == reported[2] == reported[0]


def test_another_input_is_another_result(bench: Bench) -> None:
    bench.demand(bench.node(3))
    (other,) = bench.demand(bench.node(4))
    assert other.count == 4
    assert bench.runs() == [3, 4]


def test_a_record_points_into_the_store_wherever_that_is_moved(bench: Bench) -> None:
    (made,) = bench.demand(bench.node(3))
    lines = Path(made.path).read_text()
    (bench.root / "store").rename(bench.root / "moved")
    bench.store = Store(bench.root / "moved")
    (found,) = bench.demand(bench.node(3))
    assert found.path.startswith(str(bench.root / "moved"))
    assert Path(found.path).read_text() == lines


def test_a_stage_that_fails_is_not_kept_and_says_which_dataset(bench: Bench) -> None:
    for _ in range(2):
        with pytest.raises(PluginError, match="unlucky") as caught:
            bench.demand(bench.node(13))
        assert caught.value.where.startswith("evaluation.dataset: ")
    assert bench.runs() == [13, 13]
    assert bench.store.info().entries == 0


def test_an_error_that_names_its_dataset_is_told_so_once(bench: Bench) -> None:
    with pytest.raises(DatasetError) as caught:
        bench.demand(bench.node(14))
    assert str(caught.value).startswith("evaluation.dataset: fourteen")


def test_a_result_that_contradicts_the_key_is_not_kept(bench: Bench) -> None:
    def refuse(record: SampleSet) -> None:
        raise DatasetError("changed between two readings")

    with pytest.raises(DatasetError, match="between"):
        bench.demand(bench.node(3, check=refuse))
    assert bench.store.info().entries == 0


def test_a_result_of_an_input_that_changed_meanwhile_is_not_kept(bench: Bench) -> None:
    model = bench.root / "model"
    model.write_bytes(b"before")
    pinned = pin("model-source", "model", "model", bench.root)
    model.write_bytes(b"after")
    with pytest.raises(SourceChanged):
        bench.demand(bench.node(3, reads=(pinned,)))
    assert bench.store.info().entries == 0


@pytest.mark.parametrize("change", [{"inputs": None}, {"fresh": lambda: False}], ids=["no key", "files changed"])
def test_what_may_be_different_next_time_runs_each_time(bench: Bench, change: dict[str, Any]) -> None:
    for _ in range(2):
        (record,) = bench.demand(bench.node(3, **change))
        assert Path(record.path).is_file()
    assert bench.runs() == [3, 3]


def test_without_a_store_everything_runs_and_nothing_is_kept(bench: Bench) -> None:
    bench.demand(bench.node(3))
    bench.execution(None).demand(bench.node(3))
    assert bench.runs() == [3, 3]


def test_a_stage_that_is_found_asks_for_nothing_before_it(bench: Bench) -> None:
    first = bench.node(1, label="first")
    bench.demand(bench.node(2, first, label="second"))
    bench.store.collect(older_than=None, max_bytes=0)
    bench.demand(bench.node(2, first, label="second"))
    assert bench.runs() == [1, 2, 1, 2]
    bench.demand(bench.node(2, first, label="second"))
    assert bench.runs() == [1, 2, 1, 2]


def test_a_stage_that_several_others_need_runs_once(bench: Bench) -> None:
    first = bench.node(1, label="first")
    left, right = bench.node(2, first, label="left"), bench.node(3, first, label="right")
    bench.demand(bench.node(4, left, right, label="last"))
    assert sorted(bench.runs()) == [1, 2, 3, 4]


def test_stages_that_need_nothing_of_each_other_run_at_the_same_time(bench: Bench) -> None:
    bench.demand(bench.node(1, label="left", seconds=0.3), bench.node(2, label="right", seconds=0.3))
    assert set(bench.told.lines[:2]) == {"started left", "started right"}


def test_two_builds_that_need_the_same_stage_make_it_once(bench: Bench) -> None:
    failures: list[RecipekitError] = []

    def build() -> None:
        try:
            bench.demand(bench.node(3, seconds=0.3))
        except RecipekitError as error:
            failures.append(error)

    threads = [threading.Thread(target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert bench.runs() == [3]
    assert not any(line.startswith("warning") for line in bench.told.lines)


def test_a_stage_that_ran_says_what_is_different_from_the_build_before(bench: Bench) -> None:
    def reports(*nodes: Node) -> dict[str, tuple[bool, tuple[str, ...]]]:
        with bench.store.lease() as lease:
            execution = bench.execution(lease)
            execution.demand(*nodes)
            execution.remember()
            return {name: (report.found, report.changes) for name, report in execution.reports.items()}

    def chain(count: int) -> Node:
        return bench.node(9, bench.node(count, label="first"), label="second")

    assert reports(chain(1)) == {"first": (False, ()), "second": (False, ())}
    assert reports(chain(1)) == {"second": (True, ())}
    assert reports(chain(2)) == {
        "first": (False, ("count: 1 before, 2 now",)),
        "second": (False, ("new results of first",)),
    }
    bench.surroundings = Surroundings(bench.root)
    newer = {**ENVIRONMENT.python, "version": "3.11.8"}
    bench.surroundings.__dict__["environment"] = type(ENVIRONMENT)(
        ENVIRONMENT.recipekit, newer, ENVIRONMENT.platform, ENVIRONMENT.variables, ENVIRONMENT.packages
    )
    assert reports(bench.node(2, label="first")) == {"first": (False, ("python.version: 3.11.7 before, 3.11.8 now",))}


def test_a_history_that_cannot_be_written_is_no_fault_of_the_build(bench: Bench) -> None:
    (bench.root / "history.json").mkdir()
    for _ in range(2):
        (record,) = bench.demand(bench.node(3))
        assert record.count == 3
    assert not list(bench.root.glob("history.*[!n]"))


@pytest.mark.slow
def test_stages_behind_one_that_was_found_are_reported_as_far_as_they_are_kept(bench: Bench) -> None:
    last = bench.node(2, bench.node(1, label="first"), label="second")
    bench.demand(last)
    with bench.store.lease() as lease:
        execution = bench.execution(lease)
        execution.demand(last)
        execution.account(last)
        assert [(report.name, report.found) for report in execution.reports.values()] == [
            ("second", True),
            ("first", True),
        ]
        assert all(log.is_file() for log in execution.logs.values())
