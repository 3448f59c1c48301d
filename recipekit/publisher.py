"""Publishes outputs: the first ones in this process, the others in a second process.

Where a sweep's child finds all of its stages, half of its time goes into writing the output, and Python runs one thread
of a process at a time. So a second process writes the outputs of a long sweep. It takes half a second to start, hence
the first outputs are written here; while many wait for it, this process publishes, too. If it dies, nothing is lost:
what it left half written is never visible, and this process publishes instead. It knows nothing of sweeps.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from socket import SHUT_RDWR, socketpair
from threading import Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple

import msgspec

from recipekit.compose.written import Written
from recipekit.contracts import LoadedModel, LoweredLayer, lay_out_records
from recipekit.outputs import Outputs
from recipekit.publication import Build, publish

_WORTH_A_PROCESS = 32
"""Outputs that this process publishes before a second one is started."""

_AT_ONCE = 4
"""Outputs that the second process publishes at a time: one is written while the others wait for the disk."""

_BEHIND = 8
"""So many outputs wait for the second process before this one, which has less to do, publishes the next one itself."""


class Publisher:
    """Publishes outputs, in this process or in a second one; several threads may ask at once."""

    def __init__(self, here: int = _WORTH_A_PROCESS) -> None:
        """Starts nothing.

        Args:
            here: how many outputs are published by this process before another one is started.
        """
        self._here = self._left = here
        self._guard = Lock()
        self._process: _Process | None = None

    def publish(self, build: Build, *, replace: bool) -> None:
        """Writes an output and makes it visible, and returns when it is.

        Args:
            build: what is published.
            replace: whether an output that is there already gives way.

        Raises:
            OutputFault: something is there and may not be replaced, or the file system refused.
            InternalError: the staged folder isn't what its manifest says.
        """
        process = self._next()
        if process is not None and not process.is_behind:
            try:
                return process.publish(build, replace)
            except (EOFError, OSError):  # killed, for want of memory, say
                self._forget(process)
                if not replace and _is_there(build):
                    return None  # made visible, but not told
        return publish(build, replace=replace)

    def _next(self) -> _Process | None:
        """The process that publishes next; None for this one."""
        with self._guard:
            self._left -= 1
            if self._left < 0 and self._process is None:
                self._process = _Process()
            return self._process

    def _forget(self, process: _Process) -> None:
        """Goes on without a process that has died; another one comes later."""
        with self._guard:
            if process is self._process:
                self._process, self._left = None, self._here
                process.end()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the process, which finishes the outputs that it is writing."""
        with self._guard:
            if self._process is not None:
                self._process.end()


def _is_there(build: Build) -> bool:
    recipe = build.job.recipe
    return Outputs(build.job.project.outputs).find(recipe.name, recipe.version, build.key) is not None


class _PackedBuild(NamedTuple):
    """A build as it is sent to the second process: large records as msgpack, which takes a tenth of pickle's time.

    Attributes:
        definition: JSON values.
        loaded: the record of the float model.
        layers: the records of its layers.
        origins: where the recipe's values were written, which only a process that has composed with Hydra can say.
        rest: the build's other fields, by name.
        replace: see `Publisher.publish`.
    """

    definition: bytes
    loaded: bytes
    layers: bytes
    origins: bytes
    rest: dict[str, Any]
    replace: bool


def _packed(build: Build, replace: bool) -> _PackedBuild:
    rest = build._replace(job=build.job._replace(origins=tuple))._asdict()
    definition, loaded, layers = (msgspec.msgpack.encode(rest.pop(name)) for name in _PackedBuild._fields[:3])
    return _PackedBuild(definition, loaded, layers, msgspec.msgpack.encode(build.job.origins()), rest, replace)


def _unpacked(packed: _PackedBuild) -> tuple[Build, bool]:
    definition = msgspec.msgpack.decode(packed.definition)
    loaded, layers = _loaded(packed.loaded), _layers(packed.layers)
    build = Build(definition=definition, loaded=loaded, layers=layers, **packed.rest)
    origins = partial(msgspec.msgpack.decode, packed.origins, type=tuple[Written, ...])
    return build._replace(job=build.job._replace(origins=origins)), packed.replace


@lru_cache(maxsize=16)
def _loaded(packed: bytes) -> LoadedModel:
    """The record, made once for the builds of a sweep that have it in common."""
    return msgspec.msgpack.decode(packed, type=LoadedModel)


@lru_cache(maxsize=16)
def _layers(packed: bytes) -> tuple[LoweredLayer, ...]:
    return msgspec.msgpack.decode(packed, type=tuple[LoweredLayer, ...])


class _Process:
    """The second process, as its parent sees it; it ends when its parent closes the connections, or dies."""

    def __init__(self) -> None:
        pairs = [socketpair() for _ in range(_AT_ONCE)]
        descriptors = [theirs.fileno() for _, theirs in pairs]
        self._child = subprocess.Popen(
            [sys.executable, "-m", "recipekit.publisher", *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the parent alone
        )
        self._free: SimpleQueue[Connection] = SimpleQueue()
        self._guard = Lock()
        self._waiting = 0
        for ours, theirs in pairs:
            theirs.close()
            self._free.put(Connection(os.dup(ours.fileno())))
        self._sockets = [ours for ours, _ in pairs]

    @property
    def is_behind(self) -> bool:
        """Whether so many outputs wait for it that this process had better publish, too."""
        return self._waiting >= _BEHIND

    def publish(self, build: Build, replace: bool) -> None:
        with self._guard:
            self._waiting += 1
        connection = self._free.get()
        with self._guard:
            self._waiting -= 1
        try:
            connection.send(_packed(build, replace))
            error: Exception | None = connection.recv()
        finally:
            self._free.put(connection)
        if error is not None:
            raise error

    def end(self) -> None:
        """Closes the connections and waits for its end; threads that wait for an answer get an EOFError."""
        for each in self._sockets:
            with suppress(OSError):  # it has gone
                each.shutdown(
                    SHUT_RDWR
                )  # the threads' copies too; if those were closed, others could get their numbers
            each.close()
        self._child.wait()


def _serve(descriptor: int) -> None:
    """Publishes what the parent sends, until it sends no more."""
    connection = Connection(descriptor)
    with suppress(EOFError, OSError):
        while True:
            build, replace = _unpacked(connection.recv())
            try:
                publish(build, replace=replace)
            except Exception as error:  # noqa: BLE001  raised again by the parent
                connection.send(error)
            else:
                connection.send(None)


if __name__ == "__main__":
    lay_out_records()
    servers = [Thread(target=_serve, args=(int(each),)) for each in sys.argv[1:]]
    for server in servers:
        server.start()
    for server in servers:
        server.join()  # Python waits for threads by itself, but starts none for them any more
