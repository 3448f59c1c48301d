"""The workers' parent side: whatever happens to a child is one typed error, and the next request meets a fresh one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from operator import contains
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from recipekit.contracts import SURVEY, Progress, SampleSet, Stage, SurveyRequest
from recipekit.errors import DatasetError, OutputFault, PluginError, StageDied, StageMemory, StageTimeout
from recipekit.pool import Limits, Pool, worker_environment
from recipekit.worker.__main__ import main as run_worker
from tests.busyness import slowed
from tests.surveys import survey_of

MISBEHAVIOUR = """
import itertools, os, signal, sys, time
from pathlib import Path
import numpy as np
from recipekit.worker.progress import tell

def meet(marks, name):
    (Path(marks) / name).touch()
    while len(list(Path(marks).iterdir())) < 2:
        time.sleep(0.005)

def hold(marks, name):
    (Path(marks) / name).write_text(str(time.time()))
    while not (Path(marks) / "go").exists():
        time.sleep(0.005)

def samples(do="nothing", **options):
    print("about to do", do, flush=True)
    match do:
        case "kill": os.kill(os.getpid(), signal.SIGKILL)
        case "segfault": os.kill(os.getpid(), signal.SIGSEGV)
        case "leave": os._exit(0)
        case "exit": sys.exit(0)
        case "raise": raise ValueError("the camera is unplugged")
        case "meet": meet(**options)
        case "hold": hold(**options)
        case "tell":
            for done in itertools.takewhile(lambda _: not Path(options["enough"]).exists(), itertools.count(0, 3)):
                tell(done, 10**6, "frames", "of the camera")
                time.sleep(0.01)
        case "note": Path(options["path"]).write_text(" ".join(sys.modules))
        case "hang": time.sleep(600)
        case "eat":
            eaten = []
            while True:
                eaten.append(np.ones(10_000_000))
                time.sleep(0.02)
    return [np.zeros(2, np.float32)] * 3
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "misbehaving.py").write_text(MISBEHAVIOUR)
    return tmp_path


@pytest.fixture(scope="module")
def small_pool() -> Iterator[Pool]:
    with Pool(Limits(seconds=60, memory_mib=400)) as pool:
        yield pool


def survey(project: Path, **kwargs: Any) -> SurveyRequest:
    return survey_of(project, "misbehaving.py:samples", **kwargs)


def wait_until(what: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


def test_a_stage_gives_its_record_and_leaves_request_response_and_log(small_pool: Pool, project: Path) -> None:
    result = small_pool.run(SURVEY, survey(project), project / "stage")
    assert isinstance(result.record, SampleSet)
    assert result.record.count == 3
    assert result.seconds > 0
    assert "about to do nothing" in (project / "stage" / "log.txt").read_text()
    assert {path.name for path in (project / "stage").iterdir()} >= {"request.json", "response.json", "artifacts"}


@pytest.mark.slow
@pytest.mark.parametrize(("do", "ending"), [("kill", "SIGKILL"), ("segfault", "SIGSEGV")])
def test_a_worker_that_dies_is_one_failed_stage_with_its_last_words(
    small_pool: Pool, project: Path, do: str, ending: str
) -> None:
    with pytest.raises(StageDied) as caught:
        small_pool.run(SURVEY, survey(project, do=do), project / do)
    assert ending in caught.value.what
    assert f"about to do {do}" in caught.value.what
    assert "-m recipekit.worker" in caught.value.fix
    assert small_pool.run(SURVEY, survey(project), project / "after").record.count == 3  # type: ignore[attr-defined]


def test_a_worker_that_ends_by_itself_is_the_fault_of_foreign_code(small_pool: Pool, project: Path) -> None:
    with pytest.raises(PluginError, match="it exited with status 0") as caught:
        small_pool.run(SURVEY, survey(project, do="leave"), project / "leave")
    assert "about to do leave" in caught.value.what


@pytest.mark.fault(41)
def test_a_worker_that_meets_a_full_disk_says_so_and_lives(
    small_pool: Pool, project: Path, record_property: Callable[[str, object], None]
) -> None:
    (project / "stage").mkdir()
    (project / "stage" / "response.json").symlink_to("/dev/full")
    with pytest.raises(OutputFault, match="No space left on device") as caught:
        small_pool.run(SURVEY, survey(project), project / "stage")
    assert small_pool.run(SURVEY, survey(project), project / "after").seconds > 0
    record_property("exit", caught.value.exit_code)


@pytest.mark.slow
def test_a_stage_that_hangs_is_ended_at_its_limit(project: Path) -> None:
    with Pool(Limits(seconds=2, memory_mib=4000)) as pool:
        pool.warm("litert")
        pid = pool.pid("litert")
        started = time.monotonic()
        with pytest.raises(StageTimeout, match="longer than 2 s"):
            pool.run(SURVEY, survey(project, do="hang"), project / "hang")
        assert 2 <= time.monotonic() - started < 2 + 4 * slowed()
        assert pid is not None
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_a_stage_that_outgrows_its_memory_is_ended(small_pool: Pool, project: Path) -> None:
    with pytest.raises(StageMemory, match="400 MiB allowed"):
        small_pool.run(SURVEY, survey(project, do="eat"), project / "eat")


@pytest.mark.slow
def test_a_stage_may_say_how_far_it_has_come(small_pool: Pool, project: Path) -> None:
    told: list[Progress] = []

    def hear(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 3:
            (project / "enough").touch()

    seconds = small_pool.run(
        SURVEY, survey(project, do="tell", enough=str(project / "enough")), project / "stage", hear
    ).seconds
    counted = [each.done for each in told]
    assert counted == sorted(set(counted))
    assert 3 <= len(counted) <= 4 * seconds, "four a second, whoever tells more often"
    assert {(each.total, each.unit, each.note) for each in told} == {(10**6, "frames", "of the camera")}
    assert str(told[0]).endswith(" of 1,000,000 frames, of the camera")


def test_errors_of_project_code_keep_their_class_and_place(small_pool: Pool, project: Path) -> None:
    with pytest.raises(PluginError, match="the camera is unplugged") as caught:
        small_pool.run(SURVEY, survey(project, do="raise"), project / "raise")
    assert "misbehaving.py:" in caught.value.where


def test_sys_exit_in_project_code_is_an_error_and_no_success(small_pool: Pool, project: Path) -> None:
    with pytest.raises(PluginError, match=r"sys\.exit\(0\)"):
        small_pool.run(SURVEY, survey(project, do="exit"), project / "exit")


def test_a_typed_error_leaves_the_worker_warm(small_pool: Pool, project: Path) -> None:
    small_pool.run(SURVEY, survey(project), project / "first")
    pid = small_pool.pid("litert")
    request = survey(project)
    too_many = msgspec.structs.replace(request, dataset=msgspec.structs.replace(request.dataset, samples=4))
    with pytest.raises(DatasetError):
        small_pool.run(SURVEY, too_many, project / "short")
    assert small_pool.pid("litert") == pid


@pytest.mark.slow
def test_stages_of_a_kind_run_side_by_side_as_far_as_there_are_workers(project: Path) -> None:
    marks = project / "marks"
    marks.mkdir()
    with Pool(litert=2) as pool, ThreadPoolExecutor(2) as threads:
        pool.run(SURVEY, survey(project), project / "first")  # a second worker is started once the first has answered
        requests = [survey(project, do="meet", marks=str(marks), name=name) for name in "ab"]
        list(threads.map(lambda number: pool.run(SURVEY, requests[number], project / str(number)), range(2)))
    assert {path.name for path in marks.iterdir()} == {"a", "b"}  # each waited for the other


@pytest.mark.slow
def test_a_stage_that_must_be_alone_waits_for_the_others_and_they_for_it(project: Path) -> None:
    alone = SURVEY._replace(alone=True)
    with ThreadPoolExecutor(2) as threads, Pool(litert=2) as pool:

        def begin(stage: Stage, number: int, do: str, name: str) -> Future[Any]:
            marks = project / f"marks{number}"
            marks.mkdir(exist_ok=True)
            request = survey(project, do=do, marks=str(marks), name=name)
            return threads.submit(pool.run, stage, request, project / f"{name}{number}")

        pool.run(SURVEY, survey(project), project / "one worker")
        for meeting in [begin(SURVEY, 0, "meet", name) for name in "ab"]:
            meeting.result()  # so there are two, and both have nothing to do
        for number, (earlier, later) in enumerate(((SURVEY, alone), (alone, SURVEY)), start=1):
            begin(earlier, number, "hold", "earlier")
            wait_until((project / f"marks{number}" / "earlier").exists)
            waiting = begin(later, number, "hold", "later")
            time.sleep(0.2)  # a hundred times as long as an idle worker takes to begin
            assert not (project / f"marks{number}" / "later").exists()
            (project / f"marks{number}" / "go").touch()
            waiting.result()
            assert (project / f"marks{number}" / "later").exists()


@pytest.mark.slow
def test_of_the_stages_that_wait_the_lowest_rank_goes_first(project: Path) -> None:
    marks = project / "marks"
    marks.mkdir()
    order = [("running", 3), ("last", 3), ("first", 1), ("second", 2)]
    with Pool() as pool, ThreadPoolExecutor(len(order)) as threads:
        waiting = pool._crews[SURVEY.worker]._waiting
        for name, rank in order:
            request = survey(project, do="hold", marks=str(marks), name=name)
            threads.submit(pool.run, SURVEY._replace(rank=rank), request, project / name)
            wait_until((marks / name).exists if name == "running" else partial(contains, waiting, rank))
        (marks / "go").touch()
    begun = {name: float((marks / name).read_text()) for name, _ in order}
    assert sorted(begun, key=begun.__getitem__) == ["running", "first", "second", "last"]


def test_closing_fails_the_stages_that_others_wait_for(project: Path) -> None:
    pool = Pool()
    with ThreadPoolExecutor(1) as threads:
        pool.run(SURVEY, survey(project), project / "warm")
        waiting = threads.submit(pool.run, SURVEY, survey(project, do="hang"), project / "hang")
        wait_until((project / "hang" / "log.txt").exists)
        pool.close()
        with pytest.raises(StageDied):
            waiting.result(timeout=10)
    with pytest.raises(StageDied, match="ended"):
        pool.run(SURVEY, survey(project), project / "after")


def test_closing_ends_the_workers(project: Path) -> None:
    with Pool() as pool:
        pool.run(SURVEY, survey(project), project / "stage")
        pid = pool.pid("litert")
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_workers_end_when_their_parent_is_killed(project: Path) -> None:
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        pool = Pool()
        pool.run(SURVEY, survey(project), project / "stage")
        os.write(write, str(pool.pid("litert")).encode())
        os.kill(os.getpid(), 9)
    os.waitpid(parent, 0)
    worker = int(os.read(read, 20))
    with suppress(psutil.NoSuchProcess):
        orphan = psutil.Process(worker)
        wait_until(lambda: orphan.status() == psutil.STATUS_ZOMBIE, 5 * slowed())


def test_a_failed_stage_can_be_tried_again_alone(
    small_pool: Pool, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StageDied):
        small_pool.run(SURVEY, survey(project, do="kill"), project / "kill")
    request = project / "kill" / "request.json"
    repaired = msgspec.json.decode(request.read_bytes())
    repaired["request"]["dataset"]["params"]["kwargs"] = {}
    request.write_bytes(msgspec.json.encode(repaired))
    assert run_worker([str(request)]) == 0
    assert "record" in msgspec.json.decode((project / "kill" / "response.json").read_bytes())
    assert "about to do nothing" in capfd.readouterr().out


def test_the_workers_have_the_environment_that_the_pool_was_given() -> None:
    with Pool(variables={**worker_environment(), "OMP_NUM_THREADS": "7"}) as given:
        given.warm("litert")
        pid = given.pid("litert")
        assert pid is not None
        worker = psutil.Process(pid)
        wait_until(worker.environ, 10 * slowed())  # the system shows them a moment after the start
        assert worker.environ()["OMP_NUM_THREADS"] == "7"


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_worker_with_tensorflow_spares_what_keras_imports_for_tables_plots_and_notebooks(project: Path) -> None:
    noted = project / "imported"
    with Pool() as fresh:
        fresh.run(SURVEY.on("tensorflow"), survey(project, do="note", path=str(noted)), project / "stage")
    imported = set(noted.read_text().split())
    assert {"tensorflow", "keras"} <= imported
    assert not {"IPython", "matplotlib", "pandas", "scipy", "sklearn"} & imported
