"""The launcher: tasks go to Ray as its nodes can take them, and come back as outcomes, whatever becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import msgspec
import ray

from recipekit.errors import EnvironmentFault, UsageError
from recipekit.launching.parcel import pack
from recipekit.launching.ray.child import carry_out, origin
from recipekit.launching.ray.cluster import Cluster, connected
from recipekit.launching.ray.losses import head_lost, no_node_left, reason, too_long
from recipekit.launching.ray.signals import signals_wait
from recipekit.launching.ray.terms import Terms
from recipekit.launching.task import Task
from recipekit.outcome import Outcome
from recipekit.project import Project

_TICK = 0.5
"""Seconds between two looks at children under way."""

_RECOUNT_SECONDS = 5.0
"""How long the number of children that the cluster holds is taken as known."""

_PATIENCE_SECONDS = 60.0
"""How long a child waits for another node when the last one that could take it is gone."""


@dataclass
class _Underway:
    """A child that is with Ray.

    Attributes:
        task: the child.
        since: when it was given to Ray, and then when it began.
        node: Ray's id of the node where it runs; empty while it waits.
        pid: of its process there.
    """

    task: Task
    since: float
    node: str = ""
    pid: int = 0


class Ray:
    """Runs children on Ray; see `recipekit/presets/hydra/launcher/recipekit_ray.yaml` for its settings."""

    def __init__(self, *, project: Project, **settings: Any) -> None:
        """Looks at the settings, and starts nothing.

        Args:
            project: of the children.
            **settings: see `Terms`.

        Raises:
            UsageError: a setting doesn't fit.
        """
        self._project = project
        self._terms = Terms.of(settings)
        self._sent = self._terms.sent(project)
        given = frozenset(self._sent.get("env_vars", ()))
        self._origin = origin(project.root, self._terms.place_of(project), given)
        self._held = ExitStack()
        self._running: dict[Any, _Underway] = {}
        self._counted = 0.0
        self._slots = 0

    def __enter__(self) -> Ray:
        """Connects.

        Raises:
            UsageError: no node could ever take a child.
            EnvironmentFault: Ray can't be started or reached.
        """
        with ExitStack() as held:
            self._cluster: Cluster = held.enter_context(connected(self._terms, self._sent))
            held.callback(self._cancel)
            self._remote = ray.remote(num_returns="streaming", **self._terms.options)(carry_out)
            self._recount()
            if self._terms.max_in_flight is None and not self._slots:
                raise self._no_node()
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.__exit__(kind, error, trace)

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        """Runs every task; see `Launcher`."""
        more = True
        with signals_wait() as answer_signals:
            while True:
                while more and len(self._running) < self._room():
                    task = next(tasks, None)
                    if task is None:
                        more = False
                    else:
                        self._begin(task)
                if not self._running:
                    return
                for outcome in self._next_ended():
                    ended(outcome)
                answer_signals()

    def _begin(self, task: Task) -> None:
        name = f"recipekit {task.job.option} [{task.number}]"
        stream = self._remote.options(name=name).remote(pack(task), self._origin)
        self._running[stream] = _Underway(task, time.monotonic())

    def _next_ended(self) -> Iterator[Outcome]:
        """Waits for news of the children that are with Ray, half a second at most; gives those that have ended.

        Raises:
            EnvironmentFault: the cluster's head is lost, and with it all of them, which are given before.
        """
        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=_TICK)
        if not ready:
            try:
                self._cluster.check()
            except EnvironmentFault:
                yield from self._lost_with_the_head()
                raise
        for stream in ready:
            underway = self._running[stream]
            outcome = self._heard(stream, underway)
            if outcome is not None:
                del self._running[stream]
                yield outcome
        yield from self._given_up()

    def _heard(self, stream: Any, underway: _Underway) -> Outcome | None:
        """What a child's stream gives next: where it has begun, or how it has ended."""
        try:
            news = ray.get(next(stream))
        except Exception as error:  # noqa: BLE001  whatever Ray says of a child is the child's end
            self._counted = 0.0  # its node may be gone with it
            lost = reason(error, self._cluster, underway.node, underway.pid)
            return underway.task.failed(lost, time.monotonic() - underway.since)
        if isinstance(news, bytes):
            return msgspec.json.decode(news, type=Outcome)
        underway.node, underway.pid = news
        underway.since = time.monotonic()
        return None

    def _lost_with_the_head(self) -> Iterator[Outcome]:
        """Ends all children; what becomes of them nobody will hear."""
        now = time.monotonic()
        for underway in self._running.values():
            yield underway.task.failed(head_lost(), now - underway.since)

    def _given_up(self) -> Iterator[Outcome]:
        """Ends children that take too long, and those that no node is left for."""
        now, limit = time.monotonic(), self._terms.timeout_seconds
        for stream, underway in list(self._running.items()):
            seconds = now - underway.since
            if underway.node and limit is not None and seconds > limit:
                lost = too_long(limit, self._cluster.named(underway.node))
            elif not underway.node and seconds > _PATIENCE_SECONDS and not self._may_begin():
                lost = no_node_left(self._terms.needs_in_words)
            else:
                continue
            ray.cancel(stream, force=True)
            del self._running[stream]
            yield underway.task.failed(lost, seconds)

    def _may_begin(self) -> bool:
        """Whether a child that waits may still begin: others are before it, or a cluster grows to hold it."""
        return self._terms.max_in_flight is not None or self._count() > 0

    def _room(self) -> int:
        """How many children may be with Ray: one more than it holds, so that none of its processes waits for us."""
        return self._terms.max_in_flight or self._count() + 1

    def _count(self) -> int:
        if time.monotonic() - self._counted > _RECOUNT_SECONDS and self._cluster.answers():
            self._recount()
        return self._slots

    def _recount(self) -> None:
        self._slots = self._terms.slots(self._cluster.nodes)
        self._counted = time.monotonic()

    def _no_node(self) -> UsageError:
        return UsageError(
            f"no node of the Ray cluster can take a child, which needs {self._terms.needs_in_words}",
            where="hydra.launcher",
            fix="ask for less, or let the cluster grow and give hydra.launcher.max_in_flight=NUMBER",
        )

    def _cancel(self) -> None:
        """Ends the children that are under way."""
        for stream in self._running:
            ray.cancel(stream, force=True)
        self._running.clear()
