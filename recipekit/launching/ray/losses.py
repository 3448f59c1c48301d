"""From what Ray says of a child without an outcome to the error in its row of the summary."""

from __future__ import annotations

from ray import exceptions

from recipekit.errors import ChildLost, EnvironmentFault, InternalError, RecipekitError
from recipekit.launching.ray.cluster import Cluster
from recipekit.launching.task import RESUME_SWEEP

_NOT_INSTALLED = "No module named 'recipekit"
_NODE_LOST = "the node was lost, and the child with it"
_SHOWN = 300


def reason(error: Exception, cluster: Cluster, node: str, pid: int) -> RecipekitError:
    """Why a child has no outcome.

    Args:
        error: what Ray raised.
        cluster: where it ran.
        node: Ray's id of its node; empty where it had not begun.
        pid: of its process there; 0 where it had not said so.
    """
    where = cluster.named(node) if node else "Ray"
    if isinstance(error, exceptions.RayTaskError):
        return _raised(error, where)
    if isinstance(error, exceptions.RuntimeEnvSetupError):
        what = f"its runtime environment can't be made: {_last_line(error)}"
        return EnvironmentFault(what, where=where, fix="correct hydra.launcher.runtime_env")
    what, fix = _loss(error, pid)
    if node and cluster.is_lost(node):
        what = _NODE_LOST  # what is said first of a child is sometimes that its process has gone
    return ChildLost(what, where=where, fix=fix)


def _loss(error: Exception, pid: int) -> tuple[str, str]:
    """What has become of a child's process, and what helps."""
    if isinstance(error, exceptions.OutOfMemoryError):
        fix = "book memory for a child in hydra.launcher.memory, or more of hydra.launcher.num_cpus, so that fewer run"
        return f"Ray ended its process {pid} because the node ran out of memory", fix
    if isinstance(error, exceptions.NodeDiedError):
        return _NODE_LOST, RESUME_SWEEP
    if isinstance(error, exceptions.WorkerCrashedError):
        return f"its process {f'{pid} ' if pid else ''}was killed or has crashed", RESUME_SWEEP
    if isinstance(error, exceptions.TaskCancelledError):
        return "somebody has cancelled it", RESUME_SWEEP
    return f"{type(error).__name__}: {_line(error)}", RESUME_SWEEP


def too_long(limit: float, where: str) -> ChildLost:
    """A child took longer than it may, in seconds."""
    fix = "raise hydra.launcher.timeout_seconds; what the child has finished is found"
    return ChildLost(f"it took longer than {limit:g} s and was ended", where=where, fix=fix)


def head_lost() -> ChildLost:
    """Nobody can ask any more what has become of a child."""
    return ChildLost("the cluster's head was lost, and the child with it", where="Ray", fix=RESUME_SWEEP)


def no_node_left(needs: str) -> ChildLost:
    """The nodes that could take a child, which needs so much in words, are gone."""
    return ChildLost(f"no node is left that could take it, which needs {needs}", where="Ray", fix=RESUME_SWEEP)


def _raised(error: exceptions.RayTaskError, where: str) -> RecipekitError:
    cause = error.cause
    if isinstance(cause, RecipekitError):
        cause.where = ": ".join(filter(None, (where, cause.where)))
        return cause
    if _NOT_INSTALLED in str(error):
        fix = "install it on every node, or name it in hydra.launcher.runtime_env.pip"
        return EnvironmentFault("recipekit isn't installed", where=where, fix=fix)
    return InternalError(f"{type(cause).__name__}: {_line(cause)}", where=where, fix="report it, with the worker's log")


def _line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")[:_SHOWN]


def _last_line(error: BaseException) -> str:
    """What has gone wrong, where Ray quotes the traceback of another process."""
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "")[:_SHOWN]
