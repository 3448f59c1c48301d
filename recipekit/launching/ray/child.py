"""Runs a child in a process of Ray's, after a check that the node suits its driver.

Outputs depend on recipekit, on Python and on some variables. Where the node's recipekit or Python differs from the
driver's, the child fails and says so before its task is unpacked; the variables are set as they are at the driver.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import ray

import recipekit
from recipekit.environment import source_digest
from recipekit.errors import EnvironmentFault
from recipekit.launching.apart import as_seen_there, is_apart, settled
from recipekit.launching.parcel import unpack
from recipekit.launching.task import Task, run_task
from recipekit.launching.variables import deciding, take
from recipekit.project import Project

Origin = dict[str, Any]
"""What a child must find where it runs: plain data, since another recipekit may be there."""


def origin(root: Path, place: str | None, given: frozenset[str]) -> Origin:
    """What children of this process must find.

    Args:
        root: of the project, here.
        place: where it is in the working directory of a node; None where it has the same path everywhere.
        given: names of variables that the nodes set for the children.
    """
    return {
        "versions": _versions(),
        "root": str(root),
        "place": place,
        "variables": deciding(),
        "given": sorted(given),
    }


def carry_out(parcel: bytes, wanted: Origin) -> Iterator[Any]:
    """Runs a child in this process of Ray's, whose workers stay for the next one.

    Args:
        parcel: its task, packed.
        wanted: what it must find.

    Yields:
        First the node's id and this process's, then the outcome as JSON.

    Raises:
        EnvironmentFault: something is different here.
    """
    yield ray.get_runtime_context().get_node_id(), os.getpid()
    yield outcome_of(parcel, wanted)


def outcome_of(parcel: bytes, wanted: Origin) -> bytes:
    """What comes of a child in this process, as JSON.

    Args:
        parcel: its task, packed.
        wanted: what it must find.

    Raises:
        EnvironmentFault: something is different here.
    """
    _require_versions(wanted["versions"])
    root = Path(wanted["root"]) if wanted["place"] is None else Path.cwd() / wanted["place"]
    task = unpack(parcel, root)
    _require_project(task, root, sent=wanted["place"] is not None)
    take(wanted["variables"], wanted["given"])
    if not is_apart(task):
        return msgspec.json.encode(run_task(task))
    _require_shared_outputs(task.job.project)
    with settled(parcel, root) as own:
        outcome = run_task(own)
        return msgspec.json.encode(as_seen_there(outcome, own.job.project, task.job.project))


@cache
def _versions() -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        "recipekit": f"{recipekit.__version__} ({source_digest(Path(recipekit.__file__).parent)[:12]})",
    }


def _require_versions(wanted: dict[str, str]) -> None:
    for name, here in _versions().items():
        if wanted[name] != here:
            raise EnvironmentFault(
                f"outputs depend on {name}, which is {here} there and {wanted[name]} at the sweep's own process",
                fix="install the same there, or name it in hydra.launcher.runtime_env.pip",
            )


def _require_project(task: Task, root: Path, *, sent: bool) -> None:
    if not task.job.project.recipes.is_dir():
        what = f"the project's folder {root} isn't there"
        if sent:
            raise EnvironmentFault(what, fix="send the folder that holds it as hydra.launcher.runtime_env.working_dir")
        fix = "share it between the nodes at this path, or send it: hydra.launcher.runtime_env.working_dir=."
        raise EnvironmentFault(what, fix=fix)


def _require_shared_outputs(project: Project) -> None:
    if not project.shared_outputs:
        raise EnvironmentFault(
            f"the outputs folder {project.outputs} there is not the one of the sweep's own process",
            fix="share a folder between the nodes, and name it in pyproject.toml: [tool.recipekit] outputs = FOLDER;"
            " or a place in object storage: [tool.recipekit] shared_outputs = URL",
        )
