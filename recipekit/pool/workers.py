"""The warm workers of a run or a sweep: some of each kind, shared by threads, replaced when they die."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from recipekit import fsio
from recipekit.contracts import STAGES, Record, Stage, lay_out_records
from recipekit.errors import InternalError, by_id
from recipekit.pool.crew import Crew
from recipekit.pool.process import Limits, Tell, withhold_secrets, worker_environment
from recipekit.secrecy import redacted


class StageResult(NamedTuple):
    """A stage's record and the seconds it took."""

    record: Record
    seconds: float


class Pool:
    """Warm workers, started when they are needed.

    Threads may share it: as many stages of a kind run at the same time as the kind has workers, others wait.
    """

    def __init__(
        self, limits: Limits | None = None, litert: int = 1, variables: Mapping[str, str] | None = None
    ) -> None:
        """Starts nothing yet.

        Args:
            limits: of each stage.
            litert: how many workers without TensorFlow there may be; with it there is one.
            variables: the workers' environment; None for `worker_environment`.
        """
        self._limits = limits or Limits()
        kinds = sorted({stage.worker for stage in STAGES.values()})
        environment = worker_environment(self._limits.secrets) if variables is None else variables
        sizes, file_mib = {"litert": litert}, self._limits.file_mib
        self._crews = {kind: Crew(kind, sizes.get(kind, 1), environment, file_mib) for kind in kinds}
        self._turns = threading.Condition()
        self._under_way = 0
        self._quiet = False
        self._closed = False

    def __enter__(self) -> Pool:
        lay_out_records()  # threads are about to share them
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self, kind: str) -> None:
        """Starts a worker of a kind, so that it imports while the caller does something else."""
        self._crews[kind].warm()

    def run(self, stage: Stage, request: Record, folder: Path, tell: Tell = lambda _: None) -> StageResult:
        """Runs one stage in a worker; one that must be alone waits until no other one is asked for or under way.

        Args:
            stage: which one.
            request: its request record.
            folder: a folder of its own; it gets `request.json`, `response.json`, `log.txt` and `artifacts/`.
            tell: is told how far a long stage has come.

        Returns:
            The stage's record, and how long it took.

        Raises:
            RecipekitError: what the stage raised, with its own class.
            StageDied, StageTimeout, StageMemory, StageProcesses: the worker ended without an answer.
            OutputFault: the request or the answer can't be written.
        """
        path = folder / "request.json"
        data = msgspec.json.encode({"stage": stage.name, "request": request})
        with fsio.reported(folder, needed=len(data)):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        with self._turn(alone=stage.alone), self._crews[stage.worker].worker(stage.rank) as worker:
            worker.ask(stage, path, self._limits, tell)
        withhold_secrets(folder / "log.txt")
        return _read_response(stage, folder / "response.json")

    @contextmanager
    def _turn(self, *, alone: bool) -> Iterator[None]:
        """A time at which a stage may run: any that isn't quiet, or for one that must be alone, its own."""
        with self._turns:
            self._turns.wait_for(lambda: not self._quiet and not (alone and self._under_way))
            self._quiet = alone
            self._under_way += 1
        try:
            if alone:
                for crew in self._crews.values():
                    crew.wait_for_imports()
            yield
        finally:
            with self._turns:
                self._quiet = False
                self._under_way -= 1
                self._turns.notify_all()

    @property
    def closed(self) -> bool:
        """Whether the workers were ended."""
        return self._closed

    def pid(self, kind: str) -> int | None:
        """Process id of an idle worker of a kind, None where there is none."""
        return self._crews[kind].pid()

    def close(self) -> None:
        """Ends every worker; stages that other threads wait for fail, and no new worker is started."""
        self._closed = True
        for crew in self._crews.values():
            crew.close()


def _read_response(stage: Stage, path: Path) -> StageResult:
    response = msgspec.json.decode(path.read_bytes())
    if "error" in response:
        error = response["error"]
        kind = by_id().get(error["id"], InternalError)
        log = path.with_name("log.txt") if kind.exit_code == stage.failure.exit_code == 4 else None
        what, where, fix = (redacted(error[part]) for part in ("what", "where", "fix"))
        raise kind(what, where=where, fix=fix, log=str(log or ""))
    return StageResult(msgspec.convert(response["record"], stage.record), response["seconds"])
