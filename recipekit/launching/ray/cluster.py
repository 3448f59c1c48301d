"""A Ray that this process is connected to: a cluster that goes on without us, or one of our own that ends with us.

Ray sets signal handlers, prints what its processes say, and keeps a token; here all of that is made as the command
wants it. It knows nothing of children.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray._private import services, worker

from recipekit.errors import EnvironmentFault, RecipekitError, UsageError
from recipekit.launching.ray.head import answers, check_head, has_token
from recipekit.launching.ray.signals import signals_wait
from recipekit.launching.ray.terms import Terms
from recipekit.launching.task import RESUME_SWEEP

_OURS = "local"
_STORE_BYTES = 80_000_000  # about the smallest that Ray takes: children and their outcomes are no objects of that size
_GONE_SECONDS = 15.0
_SLOW = "timed out during startup"
_TRIES = 3
_SHORT = "/tmp"  # noqa: S108  Ray's sockets lie there by default, too: their paths must stay below 108 bytes

Node = Mapping[str, Any]


class Cluster:
    """What the launcher asks of the Ray that it is connected to."""

    def __init__(self, address: str) -> None:
        """Takes a connected Ray.

        Args:
            address: HOST:PORT of its head; `local` for our own.
        """
        self._address = address
        self._answered = time.monotonic()

    @property
    def nodes(self) -> list[Node]:
        """Resources of each node that is alive; to be asked where the head answers."""
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def named(self, node: str) -> str:
        """A node by the name that its people know, and as far as needed by Ray's.

        Args:
            node: Ray's id of it.
        """
        known = ray.nodes() if self.answers() else []
        found = next((it for it in known if it["NodeID"] == node), None)
        return f"node {found['NodeName']} ({node[:8]})" if found else f"node {node[:8]}"

    def is_lost(self, node: str) -> bool:
        """Whether a node has left the cluster, by its id; nobody knows that where the head doesn't answer."""
        return self.answers() and not any(it["Alive"] for it in ray.nodes() if it["NodeID"] == node)

    def answers(self) -> bool:
        """Whether the cluster's head answers; to be asked before Ray is, which waits a minute and ends the process."""
        if self._address == _OURS or answers(self._address, _GONE_SECONDS / 3):
            self._answered = time.monotonic()
            return True
        return False

    def check(self) -> None:
        """Looks whether the cluster's head is there.

        Raises:
            EnvironmentFault: it hasn't answered for 15 s.
        """
        if not self.answers() and time.monotonic() - self._answered > _GONE_SECONDS:
            fix = f"start it again; {RESUME_SWEEP}"
            raise EnvironmentFault("its head doesn't answer any more", where=f"Ray cluster {self._address}", fix=fix)


def _init(address: str, tries: int, **options: Any) -> None:
    """Connects; Ray gives its own processes half a minute to begin, which a busy machine may not keep."""
    try:
        ray.init(address, logging_level=logging.CRITICAL, log_to_driver=False, **options)
    except Exception as error:
        if tries == 1 or _SLOW not in str(error):
            raise
        ray.shutdown()
        _init(address, tries - 1, **options)


@contextmanager
def connected(terms: Terms, runtime_env: Mapping[str, Any]) -> Iterator[Cluster]:
    """Connects this process with Ray until the block ends; a cluster goes on, a Ray of our own ends.

    Args:
        terms: of the sweep.
        runtime_env: what the nodes prepare.

    Raises:
        UsageError: the address isn't one, or this process is connected with Ray already.
        EnvironmentFault: the cluster can't be reached, or doesn't take us.
    """
    if ray.is_initialized():
        raise UsageError(
            "this process is connected with Ray already", where="hydra/launcher", fix="call ray.shutdown()"
        )
    address = _resolved(terms.address or os.environ.get("RAY_ADDRESS") or _OURS)
    if address != _OURS:
        check_head(address)
    with ExitStack() as held:
        held.enter_context(_silence())
        own = _of_our_own(held) if address == _OURS else {}
        held.callback(ray.shutdown)
        with signals_wait(), _told():
            _init(address, _TRIES if own else 1, runtime_env=dict(runtime_env) or None, **own)
        yield Cluster(address)


def _resolved(address: str) -> str:
    """The address as HOST:PORT, or `local`."""
    where = "hydra.launcher.address"
    if "://" in address:
        fix = "run recipekit on a node of the cluster, such as by `ray job submit`, and name HOST:PORT of its head"
        raise UsageError(
            f"'{address}': children report back in streams, which Ray's client can't", where=where, fix=fix
        )
    if address == _OURS:
        return address
    try:
        return str(services.canonicalize_bootstrap_address_or_die(address))
    except ConnectionError as error:
        fix = "start one with `ray start --head`, or name HOST:PORT of its head"
        raise EnvironmentFault("there is no Ray cluster on this machine, or several", where=where, fix=fix) from error
    except (ValueError, OSError) as error:
        fix = "name `auto`, or HOST:PORT of the cluster's head"
        raise UsageError(f"'{address}' is no address of a Ray cluster: {error}", where=where, fix=fix) from error


def _of_our_own(held: ExitStack) -> dict[str, Any]:
    """Arguments for a Ray that nobody else finds, whose files go with it, and that tells nobody of itself."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_agent_register_timeout_ms", "100000")  # else a node of a busy machine gives itself up
    if not has_token():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # else Ray would leave one in the home folder
    folder = os.environ.get("RAY_TMPDIR") or (_SHORT if Path(_SHORT).is_dir() else None)
    temporary = held.enter_context(TemporaryDirectory(prefix="recipekit-ray-", dir=folder, ignore_cleanup_errors=True))
    return {"include_dashboard": False, "object_store_memory": _STORE_BYTES, "_temp_dir": temporary}


@contextmanager
def _told() -> Iterator[None]:
    """Says why Ray can't be started or doesn't take us, in one line."""
    try:
        yield
    except RecipekitError:
        raise
    except Exception as error:  # Ray raises whatever it likes, plain exceptions among them
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        what = f"Ray can't be used: {type(error).__name__}: {' '.join(lines)[:500]}"
        raise EnvironmentFault(what, where="hydra/launcher", fix="see docs/ray.md for what Ray needs") from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps what Ray's processes say off standard output, which holds results; no argument of `init` does that."""
    name = "print_to_stdstream"
    before = vars(worker).get(name)
    vars(worker)[name] = lambda *_args, **_named: None
    try:
        yield
    finally:
        if before is not None:
            vars(worker)[name] = before
