"""Runs the stages of a build on demand: a result is taken from the store, or else made by a worker and put there.

A stage first demands the stages that it needs, several at the same time. It knows nothing of recipes, thresholds or
outputs.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Protocol

import msgspec

from recipekit import digests
from recipekit.contracts import Progress
from recipekit.errors import DatasetError, PluginError, SourceError, StageDied
from recipekit.explanation import History
from recipekit.graph import Node
from recipekit.inputs import check_unchanged
from recipekit.outcome import StageReport
from recipekit.pool import Pool
from recipekit.portable import placed, portable
from recipekit.store import Entry, Lease
from recipekit.surroundings import Surroundings
from recipekit.workspace import Workspace

_ARTIFACTS = "artifacts"
_LOG = "log.txt"


class Watcher(Protocol):
    """Is told what a run does; several threads tell it."""

    def started(self, step: str) -> None:
        """A step begins."""

    def finished(self, step: str, seconds: float, note: str) -> None:
        """A step has ended well."""

    def progress(self, step: str, progress: Progress) -> None:
        """A step that runs has come so far, or took so long when it ran last."""

    def found(self, step: str, seconds: float, note: str) -> None:
        """The result of a step was there; it took so many seconds when it ran."""

    def warning(self, text: str) -> None:
        """Something is allowed, but probably not meant; or the run has to wait."""


class Execution:
    """The stages of one build, each run or found at most once.

    Attributes:
        reports: what became of each stage, by label, in the order in which they ended.
        logs: log files by label, of the stages that wrote any.
    """

    def __init__(
        self,
        pool: Pool,
        surroundings: Surroundings,
        lease: Lease | None,
        work: Workspace,
        watcher: Watcher,
        history: History,
        waits: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Runs nothing yet.

        Args:
            pool: the workers.
            surroundings: of the build.
            lease: on the store; None runs everything and keeps nothing.
            work: where stages leave what isn't kept.
            watcher: is told what happens.
            history: the keys of the build before, to say what changed.
            waits: entered while a thread does nothing but wait for a worker or for another build.
        """
        self._waits = waits
        self._pool = pool
        self._surroundings = surroundings
        self._lease = lease
        self._work = work
        self._watcher = watcher
        self._history = history
        self._numbers = itertools.count()
        self._lock = Lock()
        self._results: dict[str, Future[Any]] = {}
        self.reports: dict[str, StageReport] = {}
        self.logs: dict[str, Path] = {}

    def is_kept(self, node: Node) -> bool:
        """Whether a stage's result is in the store."""
        return self._entry(node) is not None

    def demand(self, *nodes: Node) -> tuple[Any, ...]:
        """The records of some stages, found or made, as far as they can at the same time.

        Raises:
            RecipekitError: the first of them, in their order, that has failed.
        """
        try:
            absent = [node for node in nodes if not self._is_settled(node)]
            for node in absent[1:]:
                Thread(target=self._settle, args=(node,), daemon=True).start()
            for node in nodes:
                self._settle(node)
            return tuple(self._results[node.label].result() for node in nodes)
        except BaseException as error:
            if not isinstance(error, Exception):
                self._pool.close()  # interrupted: nothing may go on writing
            raise

    def account(self, node: Node) -> None:
        """Reports the stages behind one that was found, too, as far as they are kept."""
        for need in node.needs:
            if need.label not in self.reports:
                entry = self._entry_here(need)
                if entry is None:
                    continue
                self._settle(need, entry)
            self.account(need)

    def remember(self) -> None:
        """Makes this build the one that the next one is compared with."""
        self._history.save()

    def _is_settled(self, node: Node) -> bool:
        """Takes a stage's result from the store if it is there, which is no work for another thread; then True."""
        with self._lock:
            if node.label in self._results:
                return True  # or will be, by another thread
        entry = self._entry(node)
        if entry is None:
            return False
        self._settle(node, entry)
        return True

    def _settle(self, node: Node, entry: Entry | None = None) -> None:
        """Sees to it that a stage has a result, its own work or another thread's."""
        with self._lock:
            mine = node.label not in self._results
            result = self._results.setdefault(node.label, Future())
        if not mine:
            result.exception()  # waits
            return
        try:
            result.set_result(self._record(node) if entry is None else self._found(node, entry))
        except Exception as error:  # noqa: BLE001  raised again by whoever asked
            result.set_exception(error)

    def _record(self, node: Node) -> Any:
        entry = self._entry(node)
        if entry is not None:
            return self._found(node, entry)
        self._pool.warm(node.stage.worker)
        needed = self.demand(*node.needs)
        records = {need.label: record for need, record in zip(node.needs, needed, strict=True)}
        if self._lease is None or not node.key:
            return self._made(node, records)
        with ExitStack() as held:
            with self._waits():
                held.enter_context(self._lease.hold(node.key, self._wait))
            entry = self._entry(node)  # somebody else may have made it meanwhile
            return self._made(node, records) if entry is None else self._found(node, entry)

    def _wait(self, text: str) -> None:
        """Tells of a stage that another process computes; one that a thread of this one does is nobody's concern."""
        if not text.startswith(f"process {os.getpid()} "):
            self._watcher.warning(text)

    def _entry(self, node: Node) -> Entry | None:
        if self._lease is None or not node.key:
            return None
        entry = self._lease.find(node.key)
        self._pass_on(self._lease)
        return entry

    def _entry_here(self, node: Node) -> Entry | None:
        """A stage's result, if it is in this machine's store: nothing is brought only to be reported."""
        return self._lease.find_here(node.key) if self._lease is not None and node.key else None

    def _pass_on(self, lease: Lease) -> None:
        for text in lease.messages():
            self._watcher.warning(text)

    def _found(self, node: Node, entry: Entry) -> Any:
        record = _record(node, entry)
        log = entry.once(_LOG, lambda: _log_in(entry.folder))
        self._report(node, log, entry.document["seconds"], _kept_digest(node, entry), found=True)
        self._watcher.found(node.label, entry.document["seconds"], node.note(record))
        return record

    def _made(self, node: Node, records: dict[str, Any]) -> Any:
        """Runs a stage in a numbered folder of its own, and keeps what it gave."""
        with self._lock:
            folder = self._work.folder / f"{next(self._numbers):02d}-{node.label}"
        self._watcher.started(node.label)
        before = self._history.seconds(node, self._lease)
        if before is not None:
            self._watcher.progress(node.label, Progress(seconds_before=before))
        try:
            tell = partial(self._watcher.progress, node.label)
            with self._waits():
                result = self._pool.run(node.stage, node.request(records), folder, tell)
        except (DatasetError, PluginError) as error:
            if not error.where.startswith(node.dataset):
                error.where = f"{node.dataset}: {error.where}" if error.where else node.dataset
            raise
        except StageDied as error:
            if "source" in node.places and node.stage.failure is SourceError:
                error.what = f"is not readable for its loader: {error.what}"
                error.where = node.places["source"]
            raise
        record: Any = result.record
        node.check(record)
        for entry in node.reads:
            check_unchanged(entry)
        files = ""
        if self._lease is not None and node.key and node.fresh():
            places = _places(node, folder)
            document = {
                **node.description,
                "tools": self._surroundings.tools(node.stage.worker),
                "record": portable(msgspec.to_builtins(record), places),
                "seconds": result.seconds,
            }
            kept = self._lease.put(node.key, folder, document)
            self._pass_on(self._lease)
            record = _record(node, kept)
            folder, files = kept.folder, _kept_digest(node, kept)
        elif node.stage.repeats:
            files = digests.of_tree(folder / _ARTIFACTS)
        self._report(node, _log_in(folder), result.seconds, files, found=False)
        self._watcher.finished(node.label, result.seconds, node.note(record))
        return record

    def _report(self, node: Node, log: Path | None, seconds: float, files: str, *, found: bool) -> None:
        changes = () if found else self._history.changes(node, self._surroundings.tools(node.stage.worker), self._lease)
        self._history.remember(node)
        with self._lock:
            report = StageReport(name=node.label, seconds=seconds, found=found, changes=changes, files=files)
            self.reports[node.label] = report
            if log is not None:
                self.logs[node.label] = log


def _log_in(folder: Path) -> Path | None:
    """The log file of a stage, unless it had nothing to say, as most."""
    log = folder / _LOG
    return log if log.is_file() and log.stat().st_size > 0 else None


def _record(node: Node, entry: Entry) -> Any:
    """The record that an entry keeps; all builds of a command share it, since records don't change."""
    places = _places(node, entry.folder)
    return entry.once(
        (node.stage.record, *places.items()),
        lambda: msgspec.convert(placed(entry.document["record"], places), node.stage.record),
    )


def _kept_digest(node: Node, entry: Entry) -> str:
    """`dirHash1` of a stage's files, from the digests that the store knows; empty where they differ each time."""
    if not node.stage.repeats:
        return ""
    below = f"{_ARTIFACTS}/"
    return entry.once(
        _ARTIFACTS,
        lambda: digests.of_names(
            {name.removeprefix(below): of["sha256"] for name, of in entry.files.items() if name.startswith(below)}
        ),
    )


def _places(node: Node, folder: Path) -> dict[str, str]:
    """Absolute paths that a record may name, by the word that stands for each where it is kept."""
    return {_ARTIFACTS: str(folder / _ARTIFACTS), **node.places}
